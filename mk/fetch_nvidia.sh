#!/usr/bin/env bash
# Downloads NVIDIA's driver of Debian's non-free components and builds its modules for the kernel
# that mk/fetch.sh fetches, without root and without installing anything. apt's configuration is a
# private one: the machine's sources keep their components.
#
# BUILD/nvidia/debs/PACKAGE_*.deb        section nvidia of mk/packages
# BUILD/nvidia/modules/RELEASE/*.ko      NVIDIA's, and the fake GPU's (fixtures/fake-gpu)
# BUILD/nvidia-NAME/debs/PACKAGE_*.deb   section nvidia-NAME: a driver of another version
# BUILD/nvidia-NAME/modules/nvidia.ko    without debug sections; its other modules are not made
#
# usage: mk/fetch_nvidia.sh BUILD [NAME...]      does nothing when all is there
set -euo pipefail

build=${1:?usage: mk/fetch_nvidia.sh BUILD [NAME...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
nvidia=$build/nvidia
# shellcheck source=mk/private_apt.sh
. "$here/private_apt.sh"

mkdir -p "$nvidia"
nvidia=$(realpath "$nvidia")
exec 9>"$nvidia/lock"
flock 9
temp=$(mktemp -d "$nvidia/.fetch.XXXXXX")
trap 'rm -rf "$temp"' EXIT

# The machine's own Debian mirrors with more components.
sources() {
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg

	[ -r "$keys" ] && keys="[signed-by=$keys] " || keys=
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk -v keys="$keys" '$1 == "Debian" {
			print "deb " keys $2 " " $3 " main contrib non-free non-free-firmware"
		}' | sort -u
}

has_deb() {
	[ -n "$(find "$1" -name "${2}_*.deb")" ]
}

# fetch_section SECTION FOLDER: its packages
fetch_section() {
	local folder=$2 package packages wanted=()

	mapfile -t packages < <(awk -v section="$1" '$1 == section { print $2 }' "$here/packages")
	[ ${#packages[@]} -gt 0 ] || {
		echo "mk/packages has no section $1" >&2
		return 2
	}
	mkdir -p "$folder"
	for package in "${packages[@]}"; do
		has_deb "$folder" "$package" || wanted+=("$package")
	done
	[ ${#wanted[@]} -gt 0 ] || return 0
	if [ ! -d "$temp/apt" ]; then
		sources >"$temp/sources.list"
		[ -s "$temp/sources.list" ] || {
			echo "apt knows no Debian mirror; as root: apt-get update" >&2
			return 1
		}
		private_apt_make "$temp/apt" amd64 "$temp/sources.list"
		apt-get -qq "${private_apt[@]}" update
	fi
	mkdir "$temp/debs"
	(cd "$temp/debs" && apt-get -qq "${private_apt[@]}" download "${wanted[@]}")
	mv "$temp"/debs/*.deb "$folder/"
	rmdir "$temp/debs"
}

# build FOLDER MAKE_ARGUMENT...: what can go wrong is in the log.
build() {
	make -j"$(nproc)" -C "$@" modules >"$nvidia/build.log" 2>&1 || {
		tail -n 20 "$nvidia/build.log" >&2
		return 1
	}
}

# unpack_source DEBS: sets $source, a folder with the source of a driver's modules.
unpack_source() {
	local package=$temp/source

	dpkg-deb -x "$1"/*-kernel-source_*.deb "$package"
	mkdir "$package/unpacked"
	tar -C "$package/unpacked" -xf "$package"/usr/src/*.tar.xz
	source=$(echo "$package"/unpacked/modules/*)
}

# build_modules TARGET [MAKE_ARGUMENT...]: of $source, to the folder TARGET.
build_modules() {
	build "$source" KERNEL_UNAME="$release" SYSOUT="$headers" SYSSRC="$common" "${@:2}"
	mkdir -p "$(dirname "$1")"
	mkdir "$temp/built"
	mv "$source"/*.ko "$temp/built/"
	mv "$temp/built" "$1"
	rm -r "$temp/source"
}

build_driver() {
	local source

	[ ! -e "$built/nvidia.ko" ] || return 0
	unpack_source "$nvidia/debs"
	build_modules "$built"
}

# nvidia.ko alone is little more than NVIDIA's own object file.
build_other() {
	local source other=$build/nvidia-$1

	fetch_section "nvidia-$1" "$other/debs"
	[ ! -e "$other/modules/nvidia.ko" ] || return 0
	unpack_source "$other/debs"
	# Linux 6.1 got one more argument in a later update than that source knows of.
	if grep -q 'int exclude_bars);' "$common/include/linux/pci.h" &&
		! grep -q exclude_bars "$source/conftest.sh"; then
		sed -i 's/pci_resize_resource(\([^;]*\));/pci_resize_resource(\1, 0);/' \
			"$source/nvidia/nv-pci.c"
	fi
	rm -rf "$other/modules"
	build_modules "$other/modules" NV_KERNEL_MODULES=nvidia
	strip --strip-debug "$other/modules/nvidia.ko"
}

build_fake_gpu() {
	local source=$here/../fixtures/fake-gpu

	[ ! "$built/fakegpu.ko" -nt "$source/fakegpu.c" ] || return 0
	cp -r "$source" "$temp/"
	build "$headers" M="$temp/fake-gpu"
	mv "$temp/fake-gpu/fakegpu.ko" "$built/"
}

fetch_section nvidia "$nvidia/debs"
"$here/fetch_headers.sh" "$build"
headers=$(realpath "$build/debian/linux-headers/build")
release=$(basename "$build"/debian/linux-image/lib/modules/*)
common=$(realpath "$headers/../linux-headers-${release%%-cloud*}-common")
built=$nvidia/modules/$release
build_driver
build_fake_gpu
for name in "$@"; do
	build_other "$name"
done
