#!/usr/bin/env bash
# Writing an image of many empty files from a stored layer, which is metadata only, in few large and
# in many small directories, beside mke2fs -d; all in one run: only the ratios of such a run mean
# anything. The layers are made once, in BENCH_FOLDER (1.2 GB).
# usage: tests/bench/fs_directories_bench.sh BUILD
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=3
#   ONE_DIRECTORY=yes   mke2fs -d on 50,000 files in one directory too, which takes it 85 s
set -euo pipefail

build=${1:?usage: fs_directories_bench.sh BUILD}
folder=${BENCH_FOLDER:-/var/tmp/vmbake-bench}
here=$(cd "$(dirname "$0")" && pwd)
vmbake=$build/vmbake
mkdir -p "$folder"
work=$(mktemp -d "$folder/directories.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# layout FILES DIRECTORIES: its folder
layout() {
	local made=$folder/many-$1-$2

	if [ ! -d "$made" ]; then
		rm -rf "$made.part"
		"$here/make_many.py" "$made.part" "$1" "$2"
		mv "$made.part" "$made"
	fi
	echo "$made"
}

# bake LAYOUT: milliseconds of writing and peak memory in KiB
bake() {
	rm -f "$work/image.ext4"
	"$here/settle.sh" "$work"
	rm -f "$work/settle.sparse"
	/usr/bin/time -o "$work/memory" -f %M "$vmbake" build --json --progress none \
		--store "$work/store" -o "$work/image.ext4" "oci:$1" >"$work/result"
	echo "$(jq .milliseconds.write "$work/result") $(cat "$work/memory")"
}

# The memory that an image of one file takes.
bake "$(layout 1 1)" >"$work/base"
read -r _ base_kib <"$work/base"

# ours FILES DIRECTORIES
ours() {
	local made ms kib

	made=$(layout "$1" "$2")
	bake "$made" >/dev/null # fills the store
	for _ in $(seq "${RUNS:-3}"); do
		bake "$made" >"$work/figures"
		read -r ms kib <"$work/figures"
		echo "  vmbake: $ms ms, $(((kib - base_kib) * 1024 / $1)) bytes of memory a file"
	done
	e2fsck -fn "$work/image.ext4" >/dev/null 2>&1 || { echo "e2fsck finds faults" >&2; exit 1; }
}

# theirs FILES DIRECTORIES: mke2fs on the same tree, files in the page cache
theirs() {
	local start size

	mkdir "$work/tree"
	tar -xf "$(find "$folder/many-$1-$2/blobs" -type f -size +2k)" -C "$work/tree"
	size=$(stat -c %s "$work/image.ext4")
	rm -f "$work/image.ext4"
	"$here/settle.sh" "$work"
	rm -f "$work/settle.sparse"
	find "$work/tree" >/dev/null
	start=$EPOCHREALTIME
	mke2fs -q -t ext4 -N $(($1 + $1 / 4)) -d "$work/tree" "$work/image.ext4" $((size / 1024))k \
		>/dev/null
	echo "  mke2fs -d: $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
	rm -rf "$work/tree"
}

echo "50,000 files in 500 directories:"
ours 50000 500
theirs 50000 500
echo "50,000 files in one directory:"
ours 50000 1
[ "${ONE_DIRECTORY:-no}" != yes ] || theirs 50000 1
echo "1,000,000 files in 10,000 directories:"
ours 1000000 10000
echo "1,000,000 files in one directory:"
ours 1000000 1
