#!/usr/bin/env bash
# The largest images there are, and images that grow under a running machine.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images small grows
boot_prepare "$build" "$work/guest" >&2

block_count() {
	dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Block count: *//p'
}

# A file may be so long on XFS.
it_makes_16_tebibytes_on_xfs() {
	can_mount || skip "mounting needs root and a loop device"
	truncate -s 8G disk
	mkfs.xfs -q disk
	mkdir xfs point
	mount -o loop disk xfs || skip "this kernel has no XFS"
	expect 0 vmbake build --progress none --size 16T -o xfs/image.ext4 "oci:$layout:small"
	[ "$(block_count xfs/image.ext4)" -eq $((1 << 32)) ]
	mount -o loop xfs/image.ext4 point
	[ "$(cat point/etc/text)" = small ]
	echo new >point/etc/new
	umount point
	check_filesystem xfs/image.ext4
	refuses 7 'ext4 here ends at 16 TiB' vmbake build --progress none \
		--size $(((1 << 44) + 4096)) -o xfs/other.ext4 "oci:$layout:small"
	umount xfs
}

# resize2fs inside, the root mounted: the guest says how much it has then.
it_grows_while_it_is_mounted() {
	bake --free 64M "oci:$layout:grows"
	[ "$(block_count image.ext4)" -lt $((1 << 16)) ]
	truncate -s 40G image.ext4
	boot_command "$work/guest" image.ext4 | sed 's/,snapshot=on//' >qemu.sh
	timeout 300 bash qemu.sh </dev/null | tr -d '\r' >console
	cat console
	grep -qE '^The filesystem on /dev/vda is now 10485760 \(4k\) blocks long' console
	grep -qx 'vmbake: exited code=0' console
	[ "$(sed -n 's/^blocks: //p' console)" -gt $((9 << 20)) ]
	check_filesystem image.ext4
	[ "$(block_count image.ext4)" -eq $((10 << 20)) ]
}

run_promises
