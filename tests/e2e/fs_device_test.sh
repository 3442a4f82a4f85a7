#!/usr/bin/env bash
# The image may go straight to a block device: never over a mounted one, nor over content unasked.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images zoo small

# attach SIZE: a loop device over ./disk; sets $device.
attach() {
	can_mount || skip "loop devices need root"
	truncate -s "$1" disk
	device=$(losetup --find --show disk)
	trap 'set +x; clean_up "$PWD"; losetup -d "$device"' EXIT
}

# to_device TAG [OPTION...]
to_device() {
	expect 0 vmbake build --progress none -o "$device" "oci:$layout:$1" "${@:2}"
}

it_writes_the_same_bytes_as_to_a_file() {
	attach 2G
	to_device zoo
	bake "oci:$layout:zoo"
	cmp -n "$(stat -c %s image.ext4)" disk image.ext4
	check_filesystem "$device"
}

# Old content must not shine through where the image has holes.
it_overwrites_when_forced() {
	attach 2G
	head -c 1500M /dev/zero | tr '\0' x >disk
	truncate -s 2G disk
	refuses 2 'not empty' vmbake build --progress none -o "$device" "oci:$layout:zoo"
	to_device zoo --force
	bake "oci:$layout:zoo"
	cmp -n "$(stat -c %s image.ext4)" disk image.ext4
}

it_refuses_a_device_that_holds_a_file_system() {
	attach 2G
	mke2fs -q -t ext4 "$device"
	refuses 2 'not empty' vmbake build --progress none -o "$device" "oci:$layout:small"
	check_filesystem "$device"
}

it_refuses_a_mounted_device() {
	attach 2G
	mke2fs -q -t ext4 "$device"
	mkdir point
	mount "$device" point
	refuses 11 'in use' vmbake build --progress none -o "$device" --force "oci:$layout:small"
	touch point/still-works
	umount point
}

it_says_how_large_the_device_must_be() {
	attach 100M
	refuses 9 'too small' vmbake build --progress none -o "$device" "oci:$layout:small"
	cmp -n "$((100 << 20))" disk /dev/zero
}

it_puts_a_hash_tree_behind_it() {
	attach 3G
	to_device small --verity --json
	veritysetup verify "$device" "$device" "$(jq -r .verity.rootHash out)" \
		"--hash-offset=$(jq .verity.hashOffset out)"
}

run_promises
