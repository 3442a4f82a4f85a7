#!/usr/bin/env bash
# What README.md says of the command line is what the command line says of itself.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Their names, of one word or two.
commands() {
	vmbake --help | sed -nE '/^commands:/,/^$/s/^  ([a-z]+( [a-z]+)?)  .*/\1/p'
}

it_names_every_command_and_option() {
	local command

	vmbake --help >help
	commands >names
	[ "$(wc -l <names)" -gt 5 ]
	while read -ra command; do
		grep -q "vmbake ${command[*]}" "$root/README.md" ||
			fail "README.md lacks ${command[*]}"
		vmbake "${command[@]}" --help >>help
	done <names
	grep -oE -- '--[a-z-]+' help | sort -u >options
	[ "$(wc -l <options)" -gt 10 ]
	while read -r option; do
		grep -qF -- "$option" "$root/README.md" || fail "README.md lacks $option"
	done <options
}

it_names_no_option_that_is_not_there() {
	local command

	vmbake --help >help
	while read -ra command; do
		vmbake "${command[@]}" --help >>help
	done < <(commands)
	sed -n '/^## vmbake build/,/^## Booting/{/^|--/d;p}' "$root/README.md" |
		grep -oE -- '--[a-z-]+' | sort -u >documented
	[ "$(wc -l <documented)" -gt 10 ]
	while read -r option; do
		grep -qF -- "$option" help || fail "there is no $option"
	done <documented
}

run_promises
