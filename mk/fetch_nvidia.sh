#!/usr/bin/env bash
# Downloads NVIDIA's driver of Debian's non-free components and builds its modules for the kernel
# that mk/fetch.sh fetches, without root and without installing anything. apt's configuration is a
# private one: the machine's sources keep their components.
#
# BUILD/nvidia/debs/PACKAGE_*.deb        section nvidia of mk/packages, or those that are named
# BUILD/nvidia/modules/RELEASE/*.ko      NVIDIA's, and the fake GPU's (fixtures/fake-gpu)
#
# usage: mk/fetch_nvidia.sh BUILD                 all of it; does nothing when it is there
#        mk/fetch_nvidia.sh BUILD PACKAGE...      only these packages
set -euo pipefail

build=${1:?usage: mk/fetch_nvidia.sh BUILD [PACKAGE...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
nvidia=$build/nvidia
# shellcheck source=mk/private_apt.sh
. "$here/private_apt.sh"

mkdir -p "$nvidia/debs"
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
	[ -n "$(find "$nvidia/debs" -name "${1}_*.deb")" ]
}

fetch_debs() {
	local package wanted=()

	for package in "$@"; do
		has_deb "$package" || wanted+=("$package")
	done
	[ ${#wanted[@]} -gt 0 ] || return 0
	sources >"$temp/sources.list"
	[ -s "$temp/sources.list" ] || {
		echo "apt knows no Debian mirror; as root: apt-get update" >&2
		return 1
	}
	private_apt_make "$temp/apt" amd64 "$temp/sources.list"
	mkdir "$temp/debs"
	apt-get -qq "${private_apt[@]}" update
	(cd "$temp/debs" && apt-get -qq "${private_apt[@]}" download "${wanted[@]}")
	mv "$temp"/debs/*.deb "$nvidia/debs/"
}

# build FOLDER MAKE_ARGUMENT...: what can go wrong is in the log.
build() {
	make -j"$(nproc)" -C "$@" modules >"$nvidia/build.log" 2>&1 || {
		tail -n 20 "$nvidia/build.log" >&2
		return 1
	}
}

build_driver() {
	[ ! -e "$built/nvidia.ko" ] || return 0
	dpkg-deb -x "$nvidia"/debs/nvidia-kernel-source_*.deb "$temp/source"
	tar -C "$temp" -xf "$temp/source/usr/src/nvidia-kernel.tar.xz"
	build "$temp/modules/nvidia-kernel" KERNEL_UNAME="$release" SYSOUT="$headers" \
		SYSSRC="$(realpath "$headers/../linux-headers-${release%%-cloud*}-common")"
	mkdir -p "$nvidia/modules"
	mkdir "$temp/built"
	mv "$temp"/modules/nvidia-kernel/*.ko "$temp/built/"
	mv "$temp/built" "$built"
}

build_fake_gpu() {
	local source=$here/../fixtures/fake-gpu

	[ ! "$built/fakegpu.ko" -nt "$source/fakegpu.c" ] || return 0
	cp -r "$source" "$temp/"
	build "$headers" M="$temp/fake-gpu"
	mv "$temp/fake-gpu/fakegpu.ko" "$built/"
}

if [ $# -gt 0 ]; then
	fetch_debs "$@"
	exit
fi
mapfile -t packages < <(awk '$1 == "nvidia" { print $2 }' "$here/packages")
fetch_debs "${packages[@]}"
"$here/fetch_headers.sh" "$build"
headers=$(realpath "$build/debian/linux-headers/build")
release=$(basename "$build"/debian/linux-image/lib/modules/*)
built=$nvidia/modules/$release
build_driver
build_fake_gpu
