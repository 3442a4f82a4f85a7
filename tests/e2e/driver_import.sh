# shellcheck shell=bash
# Sourced by tests/e2e/driver_import*_test.sh: a driver that was made for it, and importing it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/made_driver.sh
. "$root/tests/e2e/made_driver.sh"

flat=$work/flat modules=$work/modules
made_flat "$flat"
made_modules "$modules"
made_root "$work/root" "$flat"

import() {
	vmbake driver import --modules "$modules" --json "$@"
}

try_import() {
	vmbake driver import --modules "$modules" "$@"
}

expect_no_draft() {
	[ -z "$(find store/tmp store/drivers -mindepth 1 | head -n 1)" ] ||
		fail "left in the store: $(find store/tmp store/drivers)"
}
