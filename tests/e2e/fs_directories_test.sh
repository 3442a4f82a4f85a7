#!/usr/bin/env bash
# Large directories under a kernel: it finds every name by their index, and keeps it when names come
# and go; e2fsck rebuilds it without a word.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# many LEN COUNT [SEED]: ./image.ext4, /many in it, and ./names
many() {
	"$build/tests/tools/fs_names" image.ext4 "$1" "$2" "${3:-seed}" >names
	check_filesystem image.ext4
}

# levels: of the directory's index, besides the root
levels() {
	debugfs -R 'htree_dump /many' image.ext4 2>/dev/null | sed -n 's/.*Indirect levels: //p'
}

# Tests that run meanwhile make mount namespaces, which keep a mount that was there until they go;
# only then is everything written.
unmount() {
	umount point
	for _ in $(seq 300); do
		[ -n "$(losetup --associated image.ext4)" ] || return 0
		sleep 0.2
	done
	fail "the image stays mounted"
}

# A new mount has nothing cached: each name is looked up in the index.
use() {
	can_mount || skip "mounting needs root and a loop device; the rest held"
	mkdir point
	mount -o loop image.ext4 point
	"$root/tests/e2e/use_directory.py" point/many names
	unmount
	check_filesystem image.ext4
	# No error that the kernel met is in the superblock.
	! dumpe2fs -h image.ext4 2>/dev/null | grep -qE 'FS Error count|with errors' ||
		fail "the kernel met an error"
}

it_makes_an_index_of_one_level_that_a_kernel_uses() {
	many 16 10000
	[ "$(levels)" = 0 ] || fail "levels: $(levels)"
	use
}

it_makes_an_index_of_two_levels_that_a_kernel_uses() {
	many 16 80000
	[ "$(levels)" = 1 ] || fail "levels: $(levels)"
	use
}

# Of so many names hundreds share their hash with another.
it_makes_an_index_of_a_million_names_that_a_kernel_uses() {
	many 20 1000000
	use
}

# With that seed two of the names hash alike and fall apart between two leaves: the second one's
# entry in the index is odd.
it_makes_an_index_of_the_longest_names_and_of_equal_hashes_that_a_kernel_uses() {
	many 255 50000 'seed 20'
	debugfs -R 'htree_dump /many' image.ext4 2>/dev/null >tree
	[ "$(grep -cE '^Entry #[0-9]+: Hash 0x[0-9a-f]*[13579bdf],' tree)" -eq 1 ] ||
		fail "$(grep -E '^Entry #[0-9]+: Hash 0x[0-9a-f]*[13579bdf]' tree)"
	use
}

it_lets_e2fsck_rebuild_its_directories() {
	many 16 80000
	e2fsck -fyD image.ext4 >rebuilt 2>&1 || [ $? -eq 1 ] || fail "e2fsck -D: $(cat rebuilt)"
	! grep -qE 'Fix|WARNING|ERROR' rebuilt || fail "e2fsck -D: $(cat rebuilt)"
	check_filesystem image.ext4
}

run_promises
