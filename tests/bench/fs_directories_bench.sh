#!/usr/bin/env bash
# Writing an image of many empty files from a stored layer, which is metadata only, in few large and
# in many small directories, beside mke2fs -d; medians, all in one run: only the ratios of such a
# run mean anything. The layers are made once, in BENCH_FOLDER (1.2 GB).
# usage: tests/bench/fs_directories_bench.sh BUILD
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=3
#   ONE_DIRECTORY=yes   mke2fs -d on 50,000 files in one directory too, once: that takes it 85 s
set -euo pipefail

build=${1:?usage: fs_directories_bench.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
vmbake=$build/vmbake
runs=${RUNS:-3}
begin directories

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

# build_image LAYOUT: to $work/result, and peak memory in KiB to $work/kib
build_image() {
	/usr/bin/time -o "$work/kib" -f %M "$vmbake" build --json --progress none \
		--store "$work/store" -o "$work/image.ext4" "oci:$1" >"$work/result"
}

bake() {
	rm -f "$work/image.ext4"
	settle "$work"
	timed "$work/whole" build_image "$1"
}

# ours FILES DIRECTORIES: the whole program to the file on the disk, and writing without the rest
ours() {
	local made

	made=$(layout "$1" "$2")
	bake "$made" # fills the store
	rm -f "$work"/{whole,write,bytes}
	for _ in $(seq "$runs"); do
		bake "$made"
		jq .milliseconds.write "$work/result" >>"$work/write"
		echo $((($(cat "$work/kib") - base_kib) * 1024 / $1)) >>"$work/bytes"
	done
	sound "$work/image.ext4"
	printf '  vmbake: writing %d ms, the whole program %d ms, %d bytes of memory a file\n' \
		"$(median <"$work/write")" "$(median <"$work/whole")" "$(median <"$work/bytes")"
}

# theirs FILES DIRECTORIES RUNS: mke2fs on the same tree, files in the page cache
theirs() {
	local size

	mkdir "$work/tree"
	tar -xf "$(find "$folder/many-$1-$2/blobs" -type f -size +2k)" -C "$work/tree"
	size=$(stat -c %s "$work/image.ext4")
	rm -f "$work/theirs"
	for _ in $(seq "$3"); do
		rm -f "$work/image.ext4"
		settle "$work"
		find "$work/tree" >/dev/null
		timed "$work/theirs" mke2fs -q -t ext4 -N $(($1 + $1 / 4)) -d "$work/tree" \
			"$work/image.ext4" $((size / 1024))k >/dev/null 2>&1
	done
	ratio vmbake "$work/whole" "mke2fs -d" "$work/theirs"
	rm -rf "$work/tree"
}

# The memory that an image of one file takes.
bake "$(layout 1 1)"
bake "$(layout 1 1)"
base_kib=$(cat "$work/kib")

echo "50,000 files in 500 directories, median of $runs:"
ours 50000 500
theirs 50000 500 "$runs"
echo "50,000 files in one directory, median of $runs:"
ours 50000 1
[ "${ONE_DIRECTORY:-no}" != yes ] || theirs 50000 1 1
echo "1,000,000 files in 10,000 directories, median of $runs:"
ours 1000000 10000
echo "1,000,000 files in one directory, median of $runs:"
ours 1000000 1
