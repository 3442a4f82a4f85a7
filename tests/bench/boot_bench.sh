#!/usr/bin/env bash
# From the kernel's start of /init to the entrypoint's first instruction, against a bare program
# that makes the same mounts and loads the same modules (reference_init.c): medians of 10 boots
# each, taken in turns. QEMU counts instructions (-icount), so that a busy host blurs no more than
# the waiting for the disk. That waiting takes its own time: with sleep=off the clock would jump to
# the guest's next timer, milliseconds or seconds away, for each of some 40 reads.
# usage: tests/bench/boot_bench.sh BUILD
set -euo pipefail

build=${1:?usage: tests/bench/boot_bench.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/boot.sh
. "$here/../boot.sh"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/vmbake-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
boots=${BOOTS:-10}

static() {
	gcc -std=gnu17 -D_GNU_SOURCE -Os -static -o "$2" "$here/$1.c"
}

# make_root IMAGE ENTRYPOINT...: a root with our init, the reference and the probe.
make_root() {
	local image=$1 entrypoint

	shift
	entrypoint=$(printf '"%s",' "$@")
	cat >"$work/root/.vmbake/boot.json" <<-JSON
		{ "format": 2, "entrypoint": [${entrypoint%,}], "working_dir": "/",
		  "user": { "uid": 0, "gid": 0, "home": "/" }, "stop_signal": 15,
		  "gpu": { "policy": "none" } }
	JSON
	truncate -s 32M "$image"
	mke2fs -q -F -t ext4 -d "$work/root" "$image"
}

# boot INITRD IMAGE: the console.
boot() {
	timeout 120 qemu-system-x86_64 -M q35 -accel tcg -icount shift=1,sleep=on -cpu max \
		-m 512 -nodefaults -display none -serial stdio -no-reboot \
		-drive "file=$2,format=raw,if=virtio,snapshot=on" -kernel "$work/guest/vmlinuz" \
		-initrd "$1" -append 'console=ttyS0 root=/dev/vda rw quiet' </dev/null |
		tr -d '\r'
}

time_of() {
	boot "$1" "$work/root.img" | sed -n 's/.*init-to-entrypoint-us=//p'
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

boot_prepare "$build" "$work/guest" >&2
mkdir -p "$work"/root/{.vmbake,bin,dev,proc,run,sys,tmp} "$work"/reference/{dev,proc,root,sys}
static reference_init "$work/reference/init"
static boot_probe "$work/root/bin/entrypoint"
cp "$work/reference/init" "$work/root/.vmbake/reference"
cp "$build/guest/x86_64/init" "$work/root/.vmbake/init"
cp "$(command -v busybox)" "$work/root/bin/cat"

# What ours loads on this machine is what the reference loads.
make_root "$work/modules.img" /bin/cat /proc/modules
(cd "$work/reference" && cpio -idm --quiet 'lib/modules/*' <"$work/guest/initrd.img")
boot "$work/guest/initrd.img" "$work/modules.img" |
	sed -n 's|^\([a-z0-9_]*\) [0-9]* .* Live .*|/lib/modules/\1.ko|p' | tac \
	>"$work/reference/modules"
[ -s "$work/reference/modules" ]
(cd "$work/reference" && find . | sort | cpio -o -H newc --quiet) >"$work/reference.img"

make_root "$work/root.img" /bin/entrypoint
for _ in $(seq "$boots"); do
	time_of "$work/guest/initrd.img" >>"$work/ours"
	time_of "$work/reference.img" >>"$work/theirs"
done
ours=$(median <"$work/ours")
theirs=$(median <"$work/theirs")
awk -v ours="$ours" -v theirs="$theirs" -v boots="$boots" 'BEGIN {
	printf "init to entrypoint, median of %d: %.1f ms, bare reference %.1f ms, %.2f times\n",
		boots, ours / 1000, theirs / 1000, ours / theirs }'
