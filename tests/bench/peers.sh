#!/usr/bin/env bash
# The same image by the usual recipe: skopeo copy, umoci unpack, mke2fs -d.
# usage: tests/bench/peers.sh REGISTRY/NAME:TAG FOLDER SIZE      root; e.g. SIZE 5500M
set -euo pipefail

image=${1:?usage: peers.sh REGISTRY/NAME:TAG FOLDER SIZE} folder=${2:?} size=${3:?}
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

step() {
	local name=$1

	shift
	"$here/settle.sh" .
	/usr/bin/time -f "  $name: %e s wall, %U user, %S system, %M KiB" "$@"
}

echo "peers:"
step "skopeo copy" skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$image" \
	oci:layout:x
step "umoci unpack" umoci --log error unpack --image layout:x bundle
step "mke2fs -d" mke2fs -q -t ext4 -d bundle/rootfs root.ext4 "$size"
