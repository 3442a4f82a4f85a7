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

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
[ ! -d "$folder" ] || exit 0

temp=$(mktemp -d "$(dirname "$(realpath -m "$folder")")/.fetch.XXXXXX")
trap 'rm -rf "$temp"' EXIT
mkdir -p "$temp"/{lists/partial,cache/archives/partial,deb}
touch "$temp/status"

private_apt_get() {
	apt-get -qq -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" \
		-o "Dir::State=$temp" -o "Dir::State::lists=$temp/lists" \
		-o "Dir::State::status=$temp/status" -o "Dir::Cache=$temp/cache" \
		-o "APT::Sandbox::User=$(id -un)" "$@"
}

real_name() {
	case $package in
	linux-image-*)
		apt-cache -o "APT::Architecture=$architecture" \
			-o "APT::Architectures=$architecture" -o "Dir::State::lists=$temp/lists" \
			-o "Dir::State::status=$temp/status" -o "Dir::Cache=$temp/cache" \
			depends "$package" | awk '$1 == "Depends:" { print $2; exit }'
		;;
	*) echo "$package" ;;
	esac
}

{
	private_apt_get update
	(cd "$temp/deb" && private_apt_get download "$(real_name)")
} 2>"$temp/why" || {
	cat "$temp/why" >&2
	echo "cannot download $package for $architecture" >&2
	exit 1
}
echo "unpacking $(basename "$temp"/deb/*.deb)"
dpkg-deb -x "$temp"/deb/*.deb "$temp/root"
mv "$temp/root" "$folder"
