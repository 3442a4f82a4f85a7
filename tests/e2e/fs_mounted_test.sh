#!/usr/bin/env bash
# Large directories under a kernel: it finds every name by their index, and keeps it when names come
# and go; e2fsck rebuilds it without a word.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# The first takes one level of index, the second two.
many() {
	"$root/tests/bench/make_many.py" "$1" "$2" 1
}

# names FOLDER: in the folder's order on disk, one a line
names() {
	(cd "$1" && find . -type f -printf '%f\n')
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

# No error that the kernel met is in the superblock.
kernel_is_content() {
	! dumpe2fs -h image.ext4 2>/dev/null | grep -qE 'FS Error count|with errors' ||
		fail "the kernel met an error"
}

finds_and_changes() {
	local count=$1

	many layout "$count"
	bake oci:layout
	check_filesystem image.ext4
	can_mount || skip "mounting needs root and a loop device; the rest held"
	mkdir point
	mount -o loop image.ext4 point
	[ "$(names point/d000000 | wc -l)" -eq "$count" ]
	names point/d000000 >known
	# a new mount has nothing cached: each name is looked up in the index
	unmount
	mount -o loop image.ext4 point
	(cd point/d000000 && xargs -n 2000 stat -c %n <../../known) >found
	cmp known found
	[ ! -e point/d000000/file-9999999.txt ]
	(cd point/d000000 && seq -f 'new-%06.0f' 5000 | xargs touch)
	(cd point/d000000 && awk 'NR % 3 == 0' ../../known | xargs rm)
	[ "$(names point/d000000 | wc -l)" -eq $((count + 5000 - count / 3)) ]
	unmount
	check_filesystem image.ext4
	kernel_is_content
}

it_finds_and_changes_names_by_one_level_of_index() {
	finds_and_changes 9000
}

it_finds_and_changes_names_by_two_levels_of_index() {
	finds_and_changes 80000
}

it_lets_e2fsck_rebuild_its_directories() {
	many layout 80000
	bake oci:layout
	e2fsck -fyD image.ext4 >rebuilt 2>&1 || [ $? -eq 1 ]
	! grep -qE 'Fix|WARNING|ERROR' rebuilt || fail "e2fsck -D: $(cat rebuilt)"
	check_filesystem image.ext4
}

run_promises
