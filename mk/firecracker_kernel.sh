#!/usr/bin/env bash
# Builds Debian's linux-source-6.1 with the configuration of Firecracker's guests, everything built
# in: BUILD/firecracker-kernel/{bzImage,vmlinux}. 10 minutes on two cores; does nothing when it is
# there.
# usage: mk/firecracker_kernel.sh BUILD
set -euo pipefail

build=${1:?usage: mk/firecracker_kernel.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
folder=$build/firecracker-kernel
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
[ ! -e "$folder/bzImage" ] || exit 0

"$here/fetch.sh" linux-source-6.1 "$build/debian/linux-source"
# A build that was cut off goes on where it was.
if [ ! -d "$folder/source" ]; then
	rm -rf "$folder/.source"
	mkdir "$folder/.source"
	tar -C "$folder/.source" --strip-components=1 \
		-xf "$build"/debian/linux-source/usr/src/linux-source-6.1.tar.xz
	cp "$here/../fixtures/firecracker-guest.config" "$folder/.source/.config"
	make -s -C "$folder/.source" olddefconfig
	mv "$folder/.source" "$folder/source"
fi
make -s -j"$(nproc)" -C "$folder/source" bzImage vmlinux
mv "$folder/source/vmlinux" "$folder/vmlinux"
mv "$folder/source/arch/x86/boot/bzImage" "$folder/bzImage"
rm -rf "$folder/source"
