#!/usr/bin/env bash
# Large directories: the kernel finds every name, and machines can add and remove files.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Their index has one level, and two.
small=10000 large=80000
"$root/tests/bench/make_many.py" "$work/small" "$small" 1
"$root/tests/bench/make_many.py" "$work/large" "$large" 1

# levels IMAGE: of the directory's index, besides the root
levels() {
	debugfs -R 'htree_dump /d000000' "$1" 2>/dev/null | sed -n 's/.*Indirect levels: //p'
}

use_directory() {
	local count=$1

	can_mount || skip "mounting needs root and a loop device"
	mkdir point
	mount -o loop image.ext4 point
	"$root/tests/e2e/use_directory.py" point/d000000 "$count"
	umount point
	check_filesystem image.ext4
}

it_makes_an_index_of_one_level_that_a_kernel_uses() {
	bake "oci:$work/small"
	check_filesystem image.ext4
	[ "$(levels image.ext4)" = 0 ] || fail "levels: $(levels image.ext4)"
	use_directory "$small"
}

it_makes_an_index_of_two_levels_that_a_kernel_uses() {
	bake "oci:$work/large"
	check_filesystem image.ext4
	[ "$(levels image.ext4)" = 1 ] || fail "levels: $(levels image.ext4)"
	use_directory "$large"
}

it_leaves_an_index_that_e2fsck_can_make_anew() {
	bake "oci:$work/large"
	e2fsck -fyD image.ext4 >out 2>&1 || [ $? -eq 1 ] || fail "e2fsck -D: $(cat out)"
	check_filesystem image.ext4
}

run_promises
