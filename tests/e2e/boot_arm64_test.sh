#!/usr/bin/env bash
# The guest's init for arm64 boots Debian's arm64 cloud kernel, in an emulated machine.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

for package in linux-image-cloud-arm64 busybox-static; do
	"$root/mk/fetch_foreign.sh" arm64 "$package" "$build/debian/$package-arm64" >&2
done
kernel=$build/debian/linux-image-cloud-arm64-arm64
vmbake initrd --modules "$(echo "$kernel"/lib/modules/*)" -o "$work/initrd.img" >&2

it_brings_the_exit_code_through() {
	mkdir -p root/{.vmbake,bin,dev,proc,run,sys,tmp}
	cp "$build/guest/aarch64/init" root/.vmbake/
	cp "$build/debian/busybox-static-arm64/bin/busybox" root/bin/
	cat >root/.vmbake/boot.json <<-'JSON'
		{ "format": 2, "entrypoint": ["/bin/busybox", "sh", "-c"],
		  "cmd": ["busybox uname -m; exit 7"], "env": ["PATH=/bin"],
		  "working_dir": "/", "user": { "uid": 1, "gid": 1, "home": "/" },
		  "stop_signal": 15, "gpu": { "policy": "none" } }
	JSON
	truncate -s 32M root.img
	mke2fs -q -F -t ext4 -d root root.img
	timeout --kill-after=5 300 qemu-system-aarch64 -M virt -accel tcg -cpu max -m 512 \
		-nodefaults -display none -serial stdio -no-reboot \
		-drive file=root.img,format=raw,if=virtio \
		-kernel "$kernel"/boot/vmlinuz-* -initrd "$work/initrd.img" \
		-append 'console=ttyAMA0 root=/dev/vda rw quiet' </dev/null |
		tr -d '\r' >console
	cat console
	grep -qx aarch64 console
	grep -qx 'vmbake: exited code=7' console
}

run_promises
