#!/usr/bin/env bash
# On a file system with reflink an image takes no room for its files, and has the same bytes.
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

run_promises
