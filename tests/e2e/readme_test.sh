#!/usr/bin/env bash
# What README.md says of the command line is what the command line says of itself.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

it_names_every_command_and_option() {
	local command

	vmbake --help >help
	sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' help >commands
	[ -s commands ]
	while read -r command; do
		grep -q "vmbake $command" "$root/README.md" || fail "README.md lacks $command"
		vmbake "$command" --help >>help
	done <commands
	grep -oE -- '--[a-z-]+' help | sort -u >options
	[ "$(wc -l <options)" -gt 10 ]
	while read -r option; do
		grep -qF -- "$option" "$root/README.md" || fail "README.md lacks $option"
	done <options
}

it_names_no_option_that_is_not_there() {
	vmbake --help >help
	for command in build inspect initrd; do
		vmbake "$command" --help >>help
	done
	sed -n '/^## vmbake build/,/^## Booting/{/^|--/d;p}' "$root/README.md" |
		grep -oE -- '--[a-z-]+' | sort -u >documented
	[ "$(wc -l <documented)" -gt 10 ]
	while read -r option; do
		grep -qF -- "$option" help || fail "there is no $option"
	done <documented
}

run_promises
