#!/usr/bin/env bash
# A cold build of a 3.6 GB image from a registry on loopback, and its layers unpacked from local
# blobs, beside the limits of this machine and the usual tools, all in one run: only the ratios of
# such a run mean anything.
# usage: tests/bench/ml_bench.sh BUILD      root, 25 GB; the image is made once, in BENCH_FOLDER
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=3   PEERS=yes
set -euo pipefail

build=${1:?usage: ml_bench.sh BUILD}
runs=${RUNS:-3}
here=$(cd "$(dirname "$0")" && pwd)
vmbake=$here/../../vmbake
# shellcheck source=tests/registry.sh
. "$here/../registry.sh"
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
begin ml
need_ml
registry_start "$build" "$work/registry"
registry_push "$folder/oci:ml" ml:1
image=127.0.0.1:$registry_port/ml

# Without reflink the contents are copied once into the image, which then is part of the limit.
copy=copy
: >"$work/probe"
! cp --reflink=always "$work/probe" "$work/probe2" 2>/dev/null || copy=
"$here/limit.sh" "$folder/oci" "$image" "$registry_pid" $copy | tee "$work/limit"

limit_of() {
	awk -v what="$1" '$1 == what { print $2 }' "$work/limit"
}

# vmbake's build followed by sync -d, in $work/time; what it says itself, in $work/result.
timed_build() {
	"$here/settle.sh" "$work"
	# Whoever reads the blobs finds them in memory.
	case $1 in
	oci:*) cat "$folder"/oci/blobs/sha256/* >/dev/null ;;
	*) find "$work/registry/data" -type f -exec cat {} + >/dev/null ;;
	esac
	# shellcheck disable=SC2016 # the inner shell's arguments
	/usr/bin/time -o "$work/time" -f '%e %U %S %M' \
		bash -c '"$@" && sync -d "$0"' "$work/ml.ext4" "$vmbake" build --json \
		--driver none --progress none --store "$work/store" -o "$work/ml.ext4" "$1" \
		>"$work/result"
}

# show WHAT SECONDS LIMIT
show() {
	local user system kib

	read -r _ user system kib <"$work/time"
	awk -v what="$1" -v seconds="$2" -v limit="$3" -v kib="$kib" -v user="$user" \
		-v sys="$system" 'BEGIN {
			printf "  %s: %.2f s, %.2f of the limit", what, seconds, seconds / limit
			printf " (all %.2f user, %.2f system, %d MiB)\n", user, sys, kib / 1024
		}'
}

# bench WHAT IMAGE LIMIT SECONDS...: SECONDS prints them from what a build left behind.
bench() {
	local what=$1 from=$2 limit=$3

	shift 3
	: >"$work/seconds"
	for _ in $(seq "$runs"); do
		rm -rf "$work/store" "$work/ml.ext4"
		timed_build "$from"
		"$@" >>"$work/seconds"
		show "$what" "$(tail -n 1 "$work/seconds")" "$limit"
	done
	show "$what, median" "$(median <"$work/seconds")" "$limit"
}

wall_seconds() {
	cut -d ' ' -f 1 "$work/time"
}

unpack_seconds() {
	jq '.milliseconds.unpack / 1000' "$work/result"
}

echo "vmbake:"
bench "unpacking local blobs" "oci:$folder/oci:ml" "$(limit_of unpack)" unpack_seconds
bench "cold build, sync -d" "$image:1" "$(limit_of build)" wall_seconds
e2fsck -fn "$work/ml.ext4" >/dev/null 2>&1 || { echo "e2fsck finds faults" >&2; exit 1; }
rm -f "$work/ml.ext4"
timed_build "$image:1"
show "warm build, sync -d" "$(wall_seconds)" "$(limit_of build)"

rm -rf "$work/store" "$work/ml.ext4"
[ "${PEERS:-yes}" != yes ] || "$here/peers.sh" "$image:1" "$work/peers" 5500M
