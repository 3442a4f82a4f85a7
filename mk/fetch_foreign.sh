#!/usr/bin/env bash
# Downloads a Debian package of another architecture and unpacks it into FOLDER, with an apt
# configuration of its own: the machine's list of architectures stays as it is. Does nothing when
# FOLDER is there.
# usage: mk/fetch_foreign.sh ARCHITECTURE PACKAGE FOLDER      "arm64 libjansson-dev build/x"
set -euo pipefail

usage='usage: mk/fetch_foreign.sh ARCHITECTURE PACKAGE FOLDER'
architecture=${1:?$usage}
package=${2:?$usage}
folder=${3:?$usage}
[ ! -d "$folder" ] || exit 0
# shellcheck source=mk/private_apt.sh
. "$(dirname "$0")/private_apt.sh"

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
[ ! -d "$folder" ] || exit 0

temp=$(mktemp -d "$(dirname "$(realpath -m "$folder")")/.fetch.XXXXXX")
trap 'rm -rf "$temp"' EXIT
mkdir -p "$temp/deb"
private_apt_make "$temp" "$architecture"

real_name() {
	case $package in
	linux-image-*)
		apt-cache "${private_apt[@]}" depends "$package" |
			awk '$1 == "Depends:" { print $2; exit }'
		;;
	*) echo "$package" ;;
	esac
}

{
	apt-get -qq "${private_apt[@]}" update
	(cd "$temp/deb" && apt-get -qq "${private_apt[@]}" download "$(real_name)")
} 2>"$temp/why" || {
	cat "$temp/why" >&2
	echo "cannot download $package for $architecture" >&2
	exit 1
}
echo "unpacking $(basename "$temp"/deb/*.deb)"
dpkg-deb -x "$temp"/deb/*.deb "$temp/root"
mv "$temp/root" "$folder"
