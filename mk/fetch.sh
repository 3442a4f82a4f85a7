#!/usr/bin/env bash
# Downloads a Debian package with apt-get and unpacks it into FOLDER, without installing it and
# without root. Does nothing when FOLDER is there.
# usage: mk/fetch.sh PACKAGE FOLDER      PACKAGE: from section fetch of mk/packages
#                                        linux-image-cloud-ARCH: the kernel it depends on
set -euo pipefail

package=${1:?usage: mk/fetch.sh PACKAGE FOLDER}
folder=${2:?usage: mk/fetch.sh PACKAGE FOLDER}
[ ! -d "$folder" ] || exit 0

awk -v package="$package" '$1 == "fetch" && $2 == package { found = 1 } END { exit !found }' \
	"$(dirname "$0")/packages" || { echo "$package is not in mk/packages" >&2; exit 2; }

# The meta package names the kernel of the day, whatever the mirror holds.
real_name() {
	case $package in
	linux-image-*) apt-cache depends "$package" | awk '$1 == "Depends:" { print $2; exit }' ;;
	*) apt-cache show "$package" >/dev/null && echo "$package" ;;
	esac
}

refresh() {
	local as_root=(env)

	if [ "$(id -u)" -ne 0 ]; then
		sudo -n true 2>/dev/null || return 1
		as_root=(sudo env)
	fi
	"${as_root[@]}" apt-get update -qq
}

download() {
	real=$(real_name 2>/dev/null) && [ -n "$real" ] &&
		(cd "$temp" && apt-get download -qq "$real")
}

# Tests that run side by side want the same package: the second waits and finds it there.
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
[ ! -d "$folder" ] || exit 0

temp=$(mktemp -d "$(dirname "$folder")/.fetch.XXXXXX")
trap 'rm -rf "$temp"' EXIT

# The lists may be absent (a fresh container) or name versions that the mirror has dropped.
if ! download 2>"$temp/why" && ! { refresh && download 2>"$temp/why"; }; then
	cat "$temp/why" >&2
	echo "cannot download $package; as root: apt-get update" >&2
	exit 1
fi
echo "unpacking $(basename "$temp"/*.deb)"
dpkg-deb -x "$temp"/*.deb "$temp/root"
mv "$temp/root" "$folder"
