#!/usr/bin/env bash
# A layer of a million small files beside `bsdtar -tf`, which only lists it: in memory, and on the
# disk, where each file takes a block, beside what the disk takes for that many bytes; and merging.
# usage: tests/bench/layers_bench.sh BUILD      root, 10 GB in BENCH_FOLDER, 4 GB of memory
#   BENCH_FOLDER=/var/tmp/vmbake-bench   FILES=1000000   RUNS=3
set -euo pipefail

build=${1:?usage: layers_bench.sh BUILD}
files=${FILES:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
bench=$build/tests/tools/layers_bench
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
begin layers
tar=$work/small.tar

# pack FOLDER FILE: seconds to FILE
pack() {
	"$bench" pack "$tar" "$1" >"$work/said"
	awk '$1 == "unpacking:" { print $5 * 1000 }' "$work/said" >>"$2"
	grep '^peak' "$work/said" >"$work/peak"
}

list() {
	bsdtar -tf "$tar" >/dev/null
}

# As many bytes as the layer has, to the disk.
write() {
	dd if=/dev/zero of="$work/same" bs=1M count="$1" conv=fsync status=none
}

# The peers and ourselves in turns; all read the tar from memory.
run() {
	local mib

	rm -rf "$work/same" "$work/disk"
	mkdir "$work/disk"
	cat "$tar" >/dev/null
	timed "$work/list" list
	settle "$work"
	cat "$tar" >/dev/null
	mount -t tmpfs tmpfs "$work/xfs"
	pack "$work/xfs" "$work/memory"
	umount "$work/xfs"
	settle "$work"
	cat "$tar" >/dev/null
	pack "$work/disk" "$work/unpack"
	mib=$(du -sm "$work/disk" | cut -f 1)
	rm -rf "$work/disk"
	settle "$work"
	timed "$work/write" write "$mib"
}

# rate WHAT FILE
rate() {
	awk -v what="$1" -v ms="$(median <"$2")" -v files="$files" \
		'BEGIN { printf "  %s: %.0f entries a second\n", what, files * 1000 / ms }'
}

"$bench" make "$files" >"$tar"
mkdir "$work/xfs"
echo "a layer of $files small files, median of ${RUNS:-3}:"
for _ in $(seq "${RUNS:-3}"); do
	run
done
"$bench" list "$tar" | sed 's/^/  /'
ratio "in memory" "$work/memory" "bsdtar -tf" "$work/list"
ratio "on the disk" "$work/unpack" "bsdtar -tf" "$work/list"
ratio "on the disk" "$work/unpack" "dd of as much, then fsync" "$work/write"
rate "in memory" "$work/memory"
rate "on the disk" "$work/unpack"
sed 's/^/  /' "$work/peak"
echo "a layer's blob and its content:"
"$bench" hash | sed 's/^/  /'
echo "50,000 entries over 5 layers:"
"$bench" merge | sed 's/^/  /'
