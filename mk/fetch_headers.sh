#!/usr/bin/env bash
# Downloads the kernel in BUILD/debian/linux-image and its headers and unpacks both there, without
# installing them. BUILD/debian/linux-headers/build is then what /lib/modules/RELEASE/build would
# be: modules are made with `make -C BUILD/debian/linux-headers/build M=FOLDER modules`.
# usage: mk/fetch_headers.sh BUILD
set -euo pipefail

build=${1:?usage: mk/fetch_headers.sh BUILD}
here=$(dirname "$0")
folder=$build/debian/linux-headers
"$here/fetch.sh" linux-image-cloud-amd64 "$build/debian/linux-image"
release=$(basename "$build"/debian/linux-image/lib/modules/*)

exec 9>"$folder.lock"
flock 9
[ ! -d "$folder/usr/src/linux-headers-$release" ] || exit 0

temp=$(mktemp -d "$build/debian/.fetch.XXXXXX")
trap 'rm -rf "$temp"' EXIT
common=linux-headers-${release%%-cloud*}-common
mkdir "$temp/root"
for package in "linux-headers-$release" "$common" "linux-kbuild-$(echo "$release" | cut -d. -f1,2)"
do
	"$here/fetch_foreign.sh" amd64 "$package" "$temp/$package" || {
		echo "kernel $release may be gone from the mirror: rm -r $build/debian" >&2
		exit 1
	}
	cp -a "$temp/$package/." "$temp/root/"
done

# The one absolute path there is; kbuild is content with one from where make reads the file.
# shellcheck disable=SC2016 # it is make that expands it
echo 'include $(dir $(lastword $(MAKEFILE_LIST)))../'"$common/Makefile" \
	>"$temp/root/usr/src/linux-headers-$release/Makefile"
ln -s "usr/src/linux-headers-$release" "$temp/root/build"
rm -rf "$folder"
mv "$temp/root" "$folder"
