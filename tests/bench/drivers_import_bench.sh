#!/usr/bin/env bash
# Importing a driver root and its modules, beside cp of the same files; both with their sync, in
# turns, page cache warm. A driver of stand-ins as large as a real one is made for it: 40 libraries
# and 600 MB. Then the same driver packed, 110 MB of machine code, beside what unpacks it.
# usage: tests/bench/drivers_import_bench.sh BUILD      BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=5
set -euo pipefail

build=${1:?usage: drivers_import_bench.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/made_driver.sh
. "$here/../e2e/made_driver.sh"
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
begin import

# grow FILE MEGABYTES: bytes that do not compress, behind what its ELF head speaks of
grow() {
	head -c "$2M" /dev/urandom >>"$1"
}

make_driver() {
	local flat=$work/flat lib=$work/root/usr/lib/x86_64-linux-gnu/nvidia/current name

	made_flat "$flat"
	made_root "$work/root" "$flat"
	made_modules "$work/modules"
	for name in cudadebugger nvidia-opencl nvidia-ptxjitcompiler nvidia-eglcore \
		nvidia-glcore nvidia-glvkspirv nvidia-rtcore nvoptix nvcuvid nvidia-encode \
		nvidia-fbc nvidia-cfg; do
		made_library "$lib/lib$name.so.$made_version" "lib$name.so.1"
		grow "$lib/lib$name.so.$made_version" 20
	done
	grow "$lib/libcuda.so.$made_version" 30
	grow "$lib/libnvidia-nvvm.so.$made_version" 85
	grow "$work/root/lib/firmware/nvidia/$made_version/gsp_ga10x.bin" 38
	grow "$work/root/lib/firmware/nvidia/$made_version/gsp_tu10x.bin" 24
	grow "$work/modules/nvidia-current.ko" 75
	grow "$work/modules/nvidia-current-uvm.ko" 52
	rm -r "$flat"
}

# The same, but of this machine's own code, since what is packed should look like a driver.
make_packed() {
	local flat=$work/flat deb=$work/deb top=$work/made-$made_version-archive name

	made_flat "$flat"
	made_manifest "$flat/.manifest"
	head -c 100M >"$work/code" < <(cat /usr/lib/x86_64-linux-gnu/*.so.* 2>/dev/null)
	for name in cuda nvidia-nvvm nvidia-ml EGL_nvidia nvidia-tls; do
		head -c 20M >>"$flat/lib$name.so.$made_version"
	done <"$work/code"
	made_root "$deb" "$flat"
	mkdir -p "$deb/DEBIAN" "$top"
	printf '%s\n' Package:\ made "Version: $made_version-1" Architecture:\ amd64 \
		Maintainer:\ bench Description:\ made >"$deb/DEBIAN/control"
	dpkg-deb --root-owner-group -Zxz -z1 -b "$deb" "$work/made.deb" >/dev/null
	mkdir "$top/lib"
	cp "$flat"/lib*.so.* "$top/lib/"
	cp -r "$flat/firmware" "$flat/LICENSE" "$top/"
	cp "$flat/.manifest" "$top/MANIFEST"
	tar -C "$work" -cf - "${top##*/}" | xz -1 >"$work/made.tar.xz"
	made_nvidia_run "$work/made.run" "$flat" zstd -q -3
	rm -r "$work/code" "$deb" "$top"
}

# $packed by us, and by its own unpacker: ours syncs what it made, the other does not.
import_packed() {
	"$build/vmbake" driver import --progress none --store "$work/store" \
		--modules "$work/packed-modules" "$packed" >/dev/null 2>&1
}

unpack() {
	mkdir "$work/copy"
	case $packed in
	*.deb) dpkg-deb -x "$packed" "$work/copy" ;;
	*.run)
		tail -n +"$(sed -n '/^skip=/ { s/.*=//p; q }' "$packed")" "$packed" | zstd -qd |
			tar -C "$work/copy" -xf -
		;;
	*) tar -C "$work/copy" -xJf "$packed" ;;
	esac
}

# compare_packed FILE UNPACKER
compare_packed() {
	local packed=$1

	rm -f "$work/cp" "$work/vmbake"
	for _ in $(seq "${RUNS:-5}"); do
		timed "$work/cp" unpack
		rm -rf "$work/copy"
		timed "$work/vmbake" import_packed
		rm -rf "$work/store"
	done
	echo "driver import of ${packed##*/}, $(($(stat -c %s "$packed") >> 20)) MB, beside $2:"
	ratio vmbake "$work/vmbake" "$2" "$work/cp"
}

# Both count the sync of what they wrote.
copy() {
	cp -r "$work/root" "$work/copy"
	cp -r "$work/modules" "$work/copy/"
	sync -f "$work"
}

import() {
	"$build/vmbake" driver import --progress none --store "$work/store" \
		--modules "$work/modules" "$work/root" >/dev/null
	sync -f "$work"
}

make_driver
cat "$work"/root/usr/lib/x86_64-linux-gnu/nvidia/current/* "$work"/modules/* >/dev/null
for _ in $(seq "${RUNS:-5}"); do
	settle "$work"
	timed "$work/cp" copy
	rm -rf "$work/copy"
	settle "$work"
	timed "$work/vmbake" import
	rm -rf "$work/store"
done
size=$(du -sm --apparent-size "$work/root" "$work/modules" | awk '{ sum += $1 } END { print sum }')
echo "driver import of $size MB, beside cp of the same files, both with sync (at most 1.5 times):"
ratio vmbake "$work/vmbake" cp "$work/cp"

rm -rf "$work/root" "$work/modules"
make_packed
made_modules "$work/packed-modules"
compare_packed "$work/made.deb" 'dpkg-deb -x'
compare_packed "$work/made.tar.xz" 'tar -xJf'
compare_packed "$work/made.run" 'zstd -d and tar -x'
