#!/usr/bin/env bash
# The ways to a root and to more drives: how the kernel command line may name it, what file system
# it has, and dm-verity under it.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo
boot_prepare "$build" "$work/guest" >&2
image=$work/image.ext4
(cd "$work" && VMBAKE_STORE=$work/store bake "oci:$layout:demo")

# boots ROOT_ARGUMENTS COMMAND [QEMU_ARGUMENT...]: ./console. $disk: instead of the image. Of two
# root= the last one counts.
boots() {
	local command

	command=$(boot_command "$work/guest" "${disk:-$image}" \
		"$1 vmbake.user=root vmbake.entrypoint=[\"/bin/sh\",\"-c\",\"${2// /\\u0020}\"]")
	eval "timeout --kill-after=5 120 $command ${*:3}" </dev/null | tr -d '\r' >console ||
		fail "QEMU: $(tail console)"
	cat console
}

uuid_of() {
	dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Filesystem UUID: *//p'
}

it_finds_the_root_by_uuid_and_label() {
	boots "root=UUID=$(uuid_of "$image")" 'echo by uuid'
	grep -qx 'by uuid' console
	cp --sparse=always "$image" labelled.ext4
	tune2fs -L system labelled.ext4
	disk=labelled.ext4 boots root=LABEL=system 'echo by label'
	grep -qx 'by label' console
}

it_finds_the_root_by_serial() {
	boots root=SERIAL=the-root 'cat /sys/block/vdb/serial' \
		-drive "file=$image,format=raw,if=none,id=r,snapshot=on" \
		-device virtio-blk-pci,drive=r,serial=the-root,addr=0x10
	grep -q '^the-root' console
	grep -qx 'vmbake: exited code=0' console
}

# partitioned IMAGE: ./parts.img, a disk with signature 12345678 and one partition, from 1 MiB on.
partitioned() {
	local mib

	mib=$(($(stat -c %s "$1") / 1048576 + 1))
	python3 -c 'import struct, sys
entry = struct.pack("<B3xB3xII", 0, 0x83, 2048, int(sys.argv[1]) * 2048)
sys.stdout.buffer.write(bytes(440) + struct.pack("<I2x", 0x12345678) + entry + bytes(48) +
                        b"\x55\xaa")' "$mib" >parts.img
	dd if="$1" of=parts.img bs=1M seek=1 conv=sparse,notrunc status=none
	truncate -s $((mib + 1))M parts.img
}

it_finds_the_root_on_a_partition() {
	partitioned "$image"
	disk=parts.img boots root=PARTUUID=12345678-01 'mount'
	grep -q '^/dev/vda1 on / type ext4 (rw' console
}

it_says_which_root_is_not_there() {
	boots root=LABEL=nowhere true
	grep -q '^vmbake: failed: .*no device LABEL=nowhere after 10 s' console
	grep -qx 'vmbake: exited code=125' console
	[ "$(grep -c 'Kernel panic' console)" -eq 0 ]
	boots init=/no/such true
	grep -q '^vmbake: failed: .*init=/no/such' console
	grep -qx 'vmbake: exited code=125' console
}

# plug_in: puts the drive `late` into the machine once it has waited longer than it would of itself.
plug_in() {
	python3 -c 'import socket, time
time.sleep(18)
with socket.socket(socket.AF_UNIX) as monitor:
    monitor.connect("monitor")
    monitor.sendall(b"device_add virtio-blk-pci,drive=late,bus=socket,serial=late\n")
    time.sleep(1)'
}

it_waits_for_a_root_that_comes_late() {
	plug_in &
	boots 'root=SERIAL=late rootwait' 'cat /sys/block/vdb/serial' \
		-monitor unix:monitor,server=on,wait=off -device pcie-root-port,id=socket \
		-drive "file=$image,format=raw,if=none,id=late,snapshot=on"
	wait "$!"
	grep -q '^late' console
	grep -qx 'vmbake: exited code=0' console
}

it_mounts_the_root_as_the_command_line_says() {
	boots 'ro rootfstype=ext4 rootflags=commit=7,noatime rootdelay=1' mount
	grep -q '^/dev/[a-z]* on / type ext4 (ro,.*noatime.*commit=7' console
}

# writable: ./data.img, and in ${over[@]} what brings it to the machine for vmbake.overlay=.
over=(vmbake.overlay=LABEL=data -drive "file=data.img,format=raw,if=virtio")
writable() {
	truncate -s 16M data.img
	mke2fs -q -F -L data data.img
}

it_mounts_a_root_of_erofs() {
	mkdir tree
	debugfs -R 'rdump / tree' "$image"
	mkfs.erofs root.erofs tree
	truncate -s %1M root.erofs
	disk=root.erofs boots ro mount
	grep -q '^/dev/[a-z]* on / type erofs (ro' console
	disk=root.erofs boots 'ro vmbake.overlay=tmpfs' 'echo written>/new;cat /new'
	grep -qx written console
	writable
	disk=root.erofs boots "ro ${over[0]}" 'echo kept>/new' "${over[@]:1}"
	disk=root.erofs boots "ro ${over[0]}" 'cat /new' "${over[@]:1}"
	grep -qx kept console
}

it_loads_only_what_this_machine_needs() {
	boots '' 'cat /proc/modules'
	grep -q '^virtio_blk ' console
	[ "$(grep -cE '^(virtio_net|xfs|erofs|overlay|dm_verity) ' console)" -eq 0 ]
}

it_mounts_more_drives_of_each_kind() {
	truncate -s 320M xfs.img
	mkfs.xfs -q -L data xfs.img
	mkdir models
	echo weights >models/model
	mkfs.erofs models.erofs models
	truncate -s %1M models.erofs
	local uuid=9b7e6c1a-0000-4000-8000-123456789abc
	truncate -s 8M more.img
	mke2fs -q -F -U "$uuid" more.img

	boots 'vmbake.mounts=[{"source":"LABEL=data","target":"/data"},'\
'{"source":"SERIAL=models","target":"/models","read-only":true},'\
'{"source":"UUID='$uuid'","target":"/more","options":"noatime,errors=remount-ro"},'\
'{"source":"tmpfs","target":"/scratch","options":"size=1M"}]' 'mount;cat /models/model' \
		-drive file=xfs.img,format=raw,if=virtio \
		-drive file=models.erofs,format=raw,if=none,id=m \
		-device virtio-blk-pci,drive=m,serial=models,addr=0x10 \
		-drive file=more.img,format=raw,if=virtio
	grep -q ' on /data type xfs (rw' console
	grep -q ' on /models type erofs (ro' console
	grep -q ' on /more type ext4 (rw,.*noatime.*errors=remount-ro' console
	grep -q ' on /scratch type tmpfs (rw.*size=1024k' console
	grep -qx weights console
}

it_boots_a_verified_root_and_no_other() {
	local argument hash other=0

	vmbake build --progress none --json --verity --read-only-fs -o verified.ext4 \
		"oci:$layout:demo" >result
	argument=$(jq -r .verity.kernelArgument result)
	hash=$(jq -r .verity.rootHash result)
	disk=verified.ext4
	boots "ro root=/dev/dm-0 $argument" 'mount;cat /sys/block/dm-0/dm/name;echo runs'
	grep -q '^/dev/[a-z0-9-]* on / type ext4 (ro' console
	grep -qx vmbake console
	grep -qx runs console

	writable
	boots "ro root=/dev/dm-0 $argument ${over[0]}" 'echo written>/new;cat /new;mount' \
		"${over[@]:1}"
	grep -qx written console
	grep -q '^overlay on / type overlay' console

	[ "${hash:0:1}" != 0 ] || other=1
	boots "ro root=/dev/dm-0 ${argument/$hash/$other${hash:1}}" 'echo runs'
	grep -q '^vmbake: failed: ' console
	[ "$(grep -c '^runs' console)" -eq 0 ]
}

run_promises
