#!/usr/bin/env bash
# Random stacks of layers become the trees that umoci makes of them. What the two are known to take
# differently is in tests/DIFFERENCES.md, and not in these stacks.
#
# VMBAKE_SEEDS=1000 and VMBAKE_FIRST_SEED=5000 choose others than the first hundred.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

first=${VMBAKE_FIRST_SEED:-0} count=${VMBAKE_SEEDS:-100}
"$root/tests/e2e/random_layouts.py" "$build/tests/tools/layers_case" "$layout" "$first" "$count"

flattens_as_umoci_does() {
	bake --free 1M "oci:$layout:$1"
	check_filesystem image.ext4
	compare_with_umoci image.ext4 "$1"
	rm -rf bundle tree image.ext4 store
}

it_flattens_random_stacks_as_umoci_does() {
	local seed

	can_mount || skip "umoci keeps owners and devices for root only, with loop devices"
	for seed in $(seq "$first" $((first + count - 1))); do
		(flattens_as_umoci_does "$seed") || {
			cat "$layout/$seed.case"
			fail "seed $seed"
		}
	done
}

run_promises
