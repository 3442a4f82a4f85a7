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

# All that does not follow from the content or its key.
it_has_the_features_of_a_root_disk() {
	bake "$small"
	cut -d : -f 1 "$root/tests/e2e/fs_superblock.txt" >keys
	dumpe2fs -h image.ext4 2>/dev/null | grep -Ff keys | tr '\t' ' ' |
		sed -E 's/ +$//; s/^(Inode size:) +/\1               /' >got
	diff "$root/tests/e2e/fs_superblock.txt" got || fail "the superblock says something else"
}

# Only what is read, with the feature that keeps kernels from writing to it.
it_has_the_features_of_a_disk_that_is_only_read() {
	bake --read-only-fs "$small"
	[ "$(header 'Filesystem features')" = "ext_attr dir_index filetype extent 64bit flex_bg \
sparse_super large_file huge_file dir_nlink extra_isize metadata_csum read-only" ] ||
		fail "$(header 'Filesystem features')"
}

it_sizes_the_journal_as_mke2fs_does() {
	local size

	for size in 20M 100M 127M 129M 1G 3G 17G 130G; do
		bake --size "$size" "$small"
		rm -f theirs
		mke2fs -q -t ext4 -b 4096 theirs "$size"
		[ "$(header 'Total journal blocks')" = "$(dumpe2fs -h theirs 2>/dev/null |
			sed -n 's/^Total journal blocks: *//p')" ] || fail "$size"
		[ "$(stat -c %b image.ext4)" -lt $((16 << 11)) ] || fail "$size: not sparse"
	done
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
	local group=$((128 << 20)) size

	for size in 16M 127M $((group - 4096)) $group $((group + 4096)) $((group + 60 * 4096)) \
		$((2 * group)) $((16 * group + 4096)) 3000M $((129 * group + 4096)); do
		bake --size "$size" "$small"
		truncate -s 40G image.ext4
		resize2fs image.ext4 >resize 2>&1 || fail "$size: $(cat resize)"
		check_filesystem image.ext4
		[ "$(header 'Block count')" -eq $((40 << 18)) ] || fail "$size: $(cat resize)"
	done
}

it_grows_what_has_other_options() {
	local option

	for option in '--journal none' '--journal 8M' '--inodes 100000' '--free 0'; do
		# shellcheck disable=SC2086 # words
		bake $option "oci:$layout:zoo"
		truncate -s 20G image.ext4
		resize2fs image.ext4 >resize 2>&1 || fail "$option: $(cat resize)"
		check_filesystem image.ext4
		[ "$(header 'Block count')" -eq $((20 << 18)) ] || fail "$option: $(cat resize)"
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
