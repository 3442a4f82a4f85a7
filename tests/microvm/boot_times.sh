#!/usr/bin/env bash
# From the kernel's start of init to the entrypoint's first instruction without an initrd, beside a
# program that mounts /proc and execs (tests/bench/reference_init.c): medians of 10 boots each,
# taken in turns; why the clock is as it is: tests/bench/boot_bench.sh. Fails when ours is more than
# 10 ms above it.
# usage: tests/microvm/boot_times.sh BUILD
set -euo pipefail

build=${1:?usage: tests/microvm/boot_times.sh BUILD}
bench=$(cd "$(dirname "$0")/../bench" && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/vmbake-microvm.XXXXXX")
trap 'rm -rf "$work"' EXIT

static() {
	gcc -std=gnu17 -D_GNU_SOURCE -Os -static -o "$2" "$bench/$1.c"
}

# time_of INIT: microseconds
time_of() {
	timeout 120 qemu-system-x86_64 -M microvm,acpi=on,rtc=on -accel tcg \
		-icount shift=1,sleep=on -cpu max -m 512 -nodefaults -no-user-config \
		-display none -serial stdio -no-reboot \
		-drive "id=d,file=$work/root.img,format=raw,if=none,snapshot=on" \
		-device virtio-blk-device,drive=d -kernel "$build/firecracker-kernel/bzImage" \
		-append "console=ttyS0 reboot=t root=/dev/vda rw init=$1 quiet" </dev/null |
		tr -d '\r' | sed -n 's/.*init-to-entrypoint-us=//p'
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

mkdir -p "$work"/root/{.vmbake,bin,dev,proc,run,sys,tmp}
static reference_init "$work/root/.vmbake/bare"
static boot_probe "$work/root/bin/entrypoint"
cp "$build/guest/x86_64/init" "$work/root/.vmbake/init"
cat >"$work/root/.vmbake/boot.json" <<-'JSON'
	{ "format": 2, "entrypoint": ["/bin/entrypoint"], "working_dir": "/",
	  "user": { "uid": 0, "gid": 0, "home": "/" }, "stop_signal": 15,
	  "gpu": { "policy": "none" } }
JSON
truncate -s 32M "$work/root.img"
mke2fs -q -F -t ext4 -d "$work/root" "$work/root.img"
for _ in $(seq "${BOOTS:-10}"); do
	time_of /.vmbake/init >>"$work/ours"
	time_of /.vmbake/bare >>"$work/theirs"
done
awk -v ours="$(median <"$work/ours")" -v theirs="$(median <"$work/theirs")" \
	-v boots="${BOOTS:-10}" 'BEGIN {
	printf "init to entrypoint without an initrd, median of %d: ", boots
	printf "%.1f ms, /proc and exec %.1f ms\n", ours / 1000, theirs / 1000
	exit ours - theirs > 10000 }'
