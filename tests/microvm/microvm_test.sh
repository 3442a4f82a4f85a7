#!/usr/bin/env bash
# A machine as Firecracker makes it: no PCI, no initrd, a kernel with everything built in
# (mk/firecracker_kernel.sh), virtio-mmio named by ACPI, drives without serials. Run by
# `make check-microvm`.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

kernel=$build/firecracker-kernel/bzImage
make_images demo
(cd "$work" && VMBAKE_STORE=$work/store bake "oci:$layout:demo")

# Emulated, instructions are the clock. By the host's time the kernel cannot calibrate its own when
# the host is busy: the PIT is all there is to compare with, and without it the kernel hangs before
# it starts init.
accel=(-accel tcg -icount "shift=1,sleep=off")
[ "${VMBAKE_ACCEL:-tcg}" != kvm ] || accel=(-accel kvm)

# boots KERNEL_ARGUMENTS [DRIVE...]: ./console and $status. Firecracker has no S5: a guest that
# powered off would hang there, one that reboots ends (-no-reboot). This machine has S5, and says
# in the same words that it is Firecracker.
boots() {
	local drives=() drive number=0

	for drive in "$work/image.ext4" "${@:2}"; do
		drives+=(-drive "id=d$number,file=$drive,format=raw,if=none,snapshot=on"
			-device "virtio-blk-device,drive=d$number")
		number=$((number + 1))
	done
	status=0
	timeout --kill-after=5 120 qemu-system-x86_64 \
		-M microvm,acpi=on,rtc=on,x-oem-id=FIRECK "${accel[@]}" -cpu max -m 512 \
		-nodefaults -no-user-config -display none -serial stdio -no-reboot \
		"${drives[@]}" -kernel "$kernel" -append \
		"console=ttyS0 reboot=t root=/dev/vda rw init=/.vmbake/init quiet $1" \
		</dev/null >raw || status=$?
	tr -d '\r' <raw >console
	cat console
}

it_runs_the_image_and_ends_by_itself() {
	boots ''
	[ "$status" -eq 0 ]
	grep -q '^hello from a microVM, guest at Linux 6.1' console
	grep -qx 'vmbake: exited code=0' console
	grep -q 'reboot: Restarting system' console
}

it_takes_settings_from_a_disk_by_its_content() {
	local json='{"hostname":"fromdisk","entrypoint":["/bin/sh","-c","hostname;exit 7"]}'

	{
		printf 'vmbake-run/1\0\0\0\0'
		# shellcheck disable=SC2059 # the format is the four bytes of the length
		printf "$(printf '\\%03o\\0\\0\\0' ${#json})"
		printf %s "$json"
	} >settings.img
	truncate -s %512 settings.img
	boots '' settings.img
	grep -qx fromdisk console
	grep -qx 'vmbake: exited code=7' console
}

it_reports_and_ends_when_it_cannot_begin() {
	boots vmbake.grow=perhaps
	[ "$status" -eq 0 ]
	grep -qx 'vmbake: exited code=125' console
	[ "$(grep -c 'Kernel panic' console)" -eq 0 ]
}

run_promises
