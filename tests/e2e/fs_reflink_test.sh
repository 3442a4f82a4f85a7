#!/usr/bin/env bash
# On a file system with reflink an image takes no room for its files; where the host refuses to
# clone or to copy, the next way is taken; the bytes are always the same.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images zoo
layout_of_much=$work/much

# 300 MiB that do not compress away, in one layer.
make_much() {
	local rootless=() bundle=$work/bundle i

	[ "$(id -u)" -eq 0 ] || rootless=(--rootless)
	cp -r "$layout" "$layout_of_much"
	umoci --log error unpack "${rootless[@]}" --image "$layout_of_much:zoo" "$bundle"
	mkdir "$bundle/rootfs/much"
	for i in $(seq 30); do
		head -c 10M /dev/urandom >"$bundle/rootfs/much/$i"
	done
	umoci --log error repack --image "$layout_of_much:much" "$bundle"
	rm -rf "$bundle"
}
make_much

# A copy of the store's bytes on any file system is right; a clone is what XFS promises.
it_says_in_json_how_bodies_were_copied() {
	bake --json "oci:$layout_of_much:much"
	jq -e '.copy.method | IN("reflink", "copy_file_range", "read_write")' out
	jq -e '.copy.dataBytes > 300 * 1024 * 1024' out
	jq -e 'if .copy.method == "reflink" then .copy.copiedBytes < 8 * 1024 * 1024
		else .copy.copiedBytes == .copy.dataBytes end' out
}

used_kib() {
	sync -f xfs
	df -k --output=used xfs | tail -n 1
}

it_clones_on_xfs() {
	local before after

	can_mount || skip "mounting needs root and a loop device"
	command -v mkfs.xfs >/dev/null || skip "there is no mkfs.xfs"
	truncate -s 4G disk
	mkfs.xfs -q -m reflink=1 disk
	mkdir xfs
	mount -o loop disk xfs || skip "this kernel has no XFS"
	expect 0 vmbake build --progress none --store xfs/store -o xfs/warm.ext4 \
		"oci:$layout_of_much:much"
	before=$(used_kib)
	expect 0 vmbake build --progress none --json --store xfs/store -o xfs/image.ext4 \
		"oci:$layout_of_much:much"
	after=$(used_kib)
	jq -e '.copy.method == "reflink"' out
	[ $((after - before)) -lt $((64 << 10)) ] || fail "it took $((after - before)) KiB"
	bake "oci:$layout_of_much:much"
	cmp image.ext4 xfs/image.ext4
	check_filesystem xfs/image.ext4
	umount xfs
}

# on_host FILE_SYSTEM: ./host is a fresh one, with the layers of "much" in its store.
on_host() {
	can_mount || skip "mounting needs root and a loop device"
	command -v "mkfs.$1" >/dev/null || skip "there is no mkfs.$1"
	truncate -s 4G disk
	"mkfs.$1" -q disk
	mkdir host
	mount -o loop disk host || skip "this kernel has no $1"
	expect 0 vmbake build --progress none --store host/store -o host/wanted.ext4 \
		"oci:$layout_of_much:much"
}

# refused METHOD INJECTION...: with those system calls refused, that method carries all, and the
# image is what it was; INJECTION as for strace -e inject=
refused() {
	local method=$1 injections=()

	shift
	injections=("${@/#/--inject=}")
	expect 0 strace -f -qq -o calls "${injections[@]}" vmbake build --progress none --json \
		--store host/store -o host/image.ext4 "oci:$layout_of_much:much"
	grep -q INJECTED calls || fail "nothing was refused"
	[ "$(jq -r .copy.method out)" = "$method" ] || fail "$(jq -c .copy out)"
	[ "$(jq .copy.copiedBytes out)" -eq "$(jq .copy.dataBytes out)" ]
	cmp host/image.ext4 host/wanted.ext4
}

it_copies_where_cloning_is_refused() {
	local code

	command -v strace >/dev/null || skip "there is no strace"
	on_host xfs
	for code in EXDEV EOPNOTSUPP EINVAL; do
		refused read_write "ioctl:error=$code"
	done
	umount host
}

# Not a file system on which vmbake prefers its own hands.
it_copies_in_the_kernel_and_by_hand_where_that_is_refused_too() {
	local code

	command -v strace >/dev/null || skip "there is no strace"
	on_host btrfs
	refused copy_file_range ioctl:error=EXDEV
	for code in EXDEV EOPNOTSUPP EINVAL; do
		refused read_write ioctl:error=EXDEV "copy_file_range:error=$code"
	done
	refused read_write ioctl:error=EXDEV copy_file_range:retval=0
	umount host
}

it_says_what_failed_when_the_host_does() {
	command -v strace >/dev/null || skip "there is no strace"
	on_host xfs
	refuses 12 'clone: Input/output error' strace -f -qq -o calls --inject=ioctl:error=EIO \
		vmbake build --progress none --store host/store -o host/image.ext4 \
		"oci:$layout_of_much:much"
	[ ! -e host/image.ext4 ]
	umount host
}

run_promises
