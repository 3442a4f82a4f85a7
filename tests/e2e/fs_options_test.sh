#!/usr/bin/env bash
# What a file system is asked to be, it is; it grows, and it can be verified block by block.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo small
small=oci:$layout:small

has_feature() {
	[[ " $(header 'Filesystem features') " == *" $1 "* ]]
}

# header WORDS: a line of the superblock.
header() {
	dumpe2fs -h image.ext4 2>/dev/null | sed -n "s/^$1: *//p"
}

it_gives_the_journal_the_asked_size() {
	bake --journal 8M "$small"
	check_filesystem image.ext4
	debugfs -R 'stat <8>' image.ext4 2>/dev/null | grep -q 'Size: 8388608'
}

it_leaves_out_the_journal() {
	bake --journal none "$small"
	check_filesystem image.ext4
	! has_feature has_journal || fail "it has a journal"
}

it_refuses_a_journal_that_ext4_has_not() {
	refuses 7 'a journal of 4096 bytes' vmbake build --progress none --journal 4K \
		-o image.ext4 "$small"
	expect_no_trace
}

it_makes_the_asked_inodes() {
	bake --inodes 50000 "$small"
	check_filesystem image.ext4
	[ "$(header 'Inode count')" -ge 50000 ] && [ "$(header 'Inode count')" -lt 51000 ]
	refuses 9 'inodes are too few' vmbake build --progress none --inodes 12 -o other.ext4 \
		"$small"
}

it_names_the_file_system() {
	bake --label 'my root' "$small"
	[ "$(header 'Filesystem volume name')" = 'my root' ]
	refuses 2 'over 16 bytes' vmbake build --progress none --label 12345678901234567 \
		-o other.ext4 "$small"
}

it_makes_a_file_system_that_is_only_read() {
	bake --read-only-fs "oci:$layout:zoo"
	check_filesystem image.ext4
	has_feature read-only || fail "it is not marked as read-only"
	! has_feature has_journal || fail "it has a journal"
	[ "$(header 'Free blocks')" -lt 64 ]
	compare_with_umoci image.ext4 zoo
	can_mount || skip "mounting needs root and a loop device; the rest held"
	mkdir -p point
	mount -o loop,rw image.ext4 point 2>/dev/null || mount -o loop,ro image.ext4 point
	! touch point/new 2>/dev/null || fail "the kernel lets it be written"
	umount point
}

it_grows_offline() {
	bake "oci:$layout:zoo"
	truncate -s 20G image.ext4
	resize2fs image.ext4 >resize 2>&1 || fail "$(cat resize)"
	check_filesystem image.ext4
	truncate -s 1T image.ext4
	resize2fs image.ext4 >resize 2>&1 || fail "$(cat resize)"
	check_filesystem image.ext4
	[ "$(header 'Block count')" -eq $((1 << 28)) ]
	compare_with_umoci image.ext4 zoo
}

it_grows_from_every_kind_of_size() {
	local size

	for size in 16M 127M 128M 129M 3000M; do
		bake --size "$size" "$small"
		truncate -s 40G image.ext4
		resize2fs image.ext4 >resize 2>&1 || fail "$size: $(cat resize)"
		check_filesystem image.ext4
	done
}

it_can_be_verified() {
	local root

	bake --verity --json "oci:$layout:zoo"
	root=$(jq -r .verity.rootHash out)
	veritysetup verify image.ext4 image.ext4 "$root" \
		"--hash-offset=$(jq .verity.hashOffset out)"
	[ "$(stat -c %s image.ext4)" -eq "$(jq '.verity | .hashOffset + .hashBytes' out)" ]
	jq -r .verity.kernelArgument out | grep -q "^dm-mod.create=.* verity 1 /dev/vda .* $root "
	check_filesystem image.ext4
	expect 0 vmbake build --progress none --verity --jobs 1 -o other.ext4 "oci:$layout:zoo"
	cmp image.ext4 other.ext4
	grep -q "$root" out
}

it_knows_the_root_hash_of_what_the_store_has() {
	expect 0 vmbake build --progress none --verity --json "$small"
	jq -r .verity.rootHash out >first
	expect 0 vmbake build --progress none --verity --json "$small"
	jq -e .cached out
	[ "$(jq -r .verity.rootHash out)" = "$(cat first)" ]
}

run_promises
