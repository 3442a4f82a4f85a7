# shellcheck shell=bash
# Sourced: boots an image in QEMU, with the stock Debian cloud kernel and vmbake's initrd for it.

# boot_prepare BUILD FOLDER: leaves FOLDER/vmlinuz and FOLDER/initrd.img. The kernel's package is
# downloaded and unpacked once, into BUILD, and not installed.
boot_prepare() {
	local build=$1 folder=$2 here kernel modules

	here=$(dirname "${BASH_SOURCE[0]}")
	kernel=$build/debian/linux-image
	"$here/../mk/fetch.sh" linux-image-cloud-amd64 "$kernel"
	mkdir -p "$folder"
	cp "$kernel"/boot/vmlinuz-* "$folder/vmlinuz"
	modules=$(echo "$kernel"/lib/modules/*)
	"$here/../vmbake" initrd --modules "$modules" -o "$folder/initrd.img"
}

# The guest's whole machine: one disk, one serial port. A /dev/kvm that opens may still hang inside
# a nested machine, so emulation is the default; on a busy host the kernel may find its timer there
# broken and panic if it looks. The image is not changed.
boot_command() {
	local folder=$1 image=$2 cpu=max

	[ "${VMBAKE_ACCEL:-tcg}" != kvm ] || cpu=host
	echo qemu-system-x86_64 -M q35 -accel "${VMBAKE_ACCEL:-tcg}" -cpu "$cpu" -m 512 \
		-nodefaults -display none -serial stdio -no-reboot \
		-drive "file=$image,format=raw,if=virtio,snapshot=on" \
		-kernel "$folder/vmlinuz" -initrd "$folder/initrd.img" \
		-append "'console=ttyS0 root=/dev/vda rw quiet no_timer_check${3:+ $3}'"
}

# boot_run FOLDER IMAGE [KERNEL ARGUMENT...]: the guest's console on stdout; ends with the guest,
# or fails after two minutes.
boot_run() {
	local command

	command=$(boot_command "$1" "$2" "${*:3}")
	eval "timeout --kill-after=5 120 $command" </dev/null
}
