#!/usr/bin/env bash
# What a driver costs: the image `ml` from stored layers on XFS with reflink, without NVIDIA's 535
# and with it, in turns; and how long `vmbake verify` takes for the result.
# usage: tests/bench/drivers_build_bench.sh BUILD      root, 25 GB; medians of RUNS
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=5
set -euo pipefail

build=${1:?usage: drivers_build_bench.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
vmbake=$build/vmbake
runs=${RUNS:-5}
begin drivers

"$here/../../mk/fetch_nvidia.sh" "$build"
"$here/../../mk/fetch.sh" linux-image-cloud-amd64 "$build/debian/linux-image"
need_ml
kernel=$(echo "$build"/debian/linux-image/boot/vmlinuz-*)

mount_xfs
mkdir "$work/modules"
store=$work/xfs/store
cp "$build"/nvidia/modules/*/nvidia*.ko "$work/modules/"
mapfile -t debs < <(find "$build/nvidia/debs" -name '*.deb' ! -name 'nvidia-kernel-source_*' \
	! -name 'nvidia-persistenced_*') # one is no userspace, one is of another version
"$vmbake" driver import --store "$store" --modules "$work/modules" --kernel "$kernel" \
	"${debs[@]}" >/dev/null 2>&1

# bake DRIVER IMAGE
bake() {
	rm -f "$2"
	"$vmbake" build --json --progress none --store "$store" --driver "$1" --kernel "$kernel" \
		-o "$2" "oci:$layout:ml" >"$work/result"
}

verify() {
	"$vmbake" verify --store "$store" --kernel "$kernel" "$work/xfs/with.ext4" >"$work/verdict"
}

bake none "$work/xfs/without.ext4"
bake 535 "$work/xfs/with.ext4"
verify
settle "$work"
for _ in $(seq "$runs"); do
	timed "$work/without" bake none "$work/xfs/without.ext4"
	timed "$work/with" bake 535 "$work/xfs/with.ext4"
	timed "$work/verify" verify
done
[ "$(jq -r .copy.method "$work/result")" = reflink ]
sound "$work/xfs/with.ext4"
without=$(median <"$work/without") with=$(median <"$work/with")
echo "ml from stored layers, XFS with reflink, without and with driver 535, median of $runs:"
echo "  without: $without ms, with: $with ms: the driver costs $((with - without)) ms"
echo "  vmbake verify: $(median <"$work/verify") ms"
