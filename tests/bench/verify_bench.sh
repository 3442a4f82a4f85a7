#!/usr/bin/env bash
# How long vmbake verify takes on an image of 50,000 files with a driver in it: the first time, when
# the kernel is unpacked, and then, beside what reading the driver's files alone takes.
# usage: tests/bench/verify_bench.sh BUILD IMAGE KERNEL      IMAGE: an ext4 file with a driver
#        without IMAGE and KERNEL: passed over, since `make bench` has no driver of its own
set -euo pipefail

build=${1:?usage: verify_bench.sh BUILD IMAGE KERNEL}
image=${2:-${BENCH_DRIVER_IMAGE:-}} kernel=${3:-${BENCH_DRIVER_KERNEL:-}}
vmbake=$(cd "$(dirname "$0")/../.." && pwd)/vmbake
if [ -z "$image" ] || [ -z "$kernel" ]; then
	echo "verify: no image with a driver given (BENCH_DRIVER_IMAGE, BENCH_DRIVER_KERNEL)"
	exit 0
fi
store=$(mktemp -d "$build/verify-bench.XXXXXX")
trap 'rm -rf "$store"' EXIT

# once COMMAND...: seconds of wall time; 10 is a verdict as good as 0
once() {
	local start=$EPOCHREALTIME status=0

	"$@" >/dev/null 2>&1 || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 10 ] || {
		echo "exit code $status: $*" >&2
		return 1
	}
	echo "$start $EPOCHREALTIME" | awk '{ printf "%.3f", $2 - $1 }'
}

# median COMMAND...: of five
median() {
	for _ in 1 2 3 4 5; do
		once "$@"
		echo
	done | sort -n | sed -n 3p
}

cat "$image" >/dev/null # from memory, as it is right after a build
echo "vmbake verify, kernel unpacked for it: $(once "$vmbake" verify --store "$store" \
	--kernel "$kernel" "$image") s"
echo "vmbake verify, the kernel's facts stored: $(median "$vmbake" verify --store "$store" \
	--kernel "$kernel" "$image") s (promised: at most 0.3 s)"
echo "sha256sum of the kernel alone: $(median sha256sum "$kernel") s"
