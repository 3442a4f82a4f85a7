#!/usr/bin/env bash
# A cold build of a 3.6 GB image from a registry on loopback, beside the limit of this machine and
# the usual tools, all in one run: only the ratios of such a run mean anything.
# usage: tests/bench/ml_bench.sh BUILD      root, 25 GB; the image is made once, in BENCH_FOLDER
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=3   PEERS=yes
set -euo pipefail

build=${1:?usage: ml_bench.sh BUILD}
folder=${BENCH_FOLDER:-/var/tmp/vmbake-bench}
here=$(cd "$(dirname "$0")" && pwd)
vmbake=$here/../../vmbake
# shellcheck source=tests/registry.sh
. "$here/../registry.sh"

finish() {
	[ -z "${registry_pid:-}" ] || kill "$registry_pid" 2>/dev/null || true
	rm -rf "$folder/registry" "$folder/store" "$folder/peers" "$folder"/ml.ext4
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p "$folder"
if [ ! -d "$folder/oci" ] || [ -d "$folder/bundle" ]; then # or half made
	"$here/make_ml.sh" "$folder"
fi
registry_start "$build" "$folder/registry"
registry_push "$folder/oci:ml" ml:1
image=127.0.0.1:$registry_port/ml

# Without reflink the contents are copied once into the image, which then is part of the limit.
copy=copy
: >"$folder/probe"
! cp --reflink=always "$folder/probe" "$folder/probe2" 2>/dev/null || copy=
rm -f "$folder/probe" "$folder/probe2"
"$here/limit.sh" "$folder/oci" "$image" "$registry_pid" $copy

cold_build() {
	"$vmbake" build --progress none --store "$folder/store" -o "$folder/ml.ext4" "$image:1" &&
		sync -d "$folder/ml.ext4"
}
export -f cold_build
export vmbake folder image

echo "vmbake, store empty, followed by sync -d:"
for _ in $(seq "${RUNS:-3}"); do
	rm -rf "$folder/store" "$folder/ml.ext4"
	"$here/settle.sh" "$folder"
	/usr/bin/time -f '  %e s wall, %U user, %S system, %M KiB' bash -c cold_build >/dev/null
done
e2fsck -fn "$folder/ml.ext4" >/dev/null 2>&1 || { echo "e2fsck finds faults" >&2; exit 1; }

echo "vmbake, store warm:"
rm -f "$folder/ml.ext4"
"$here/settle.sh" "$folder"
/usr/bin/time -f '  %e s wall, %U user, %S system, %M KiB' bash -c cold_build >/dev/null

rm -rf "$folder/store" "$folder/ml.ext4"
[ "${PEERS:-yes}" != yes ] || "$here/peers.sh" "$image:1" "$folder/peers" 5500M
