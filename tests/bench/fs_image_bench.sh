#!/usr/bin/env bash
# The image `ml` (4.7 GB, 50,000 entries) from stored layers: on XFS with reflink, where no content
# moves, and on the file system here beside `cp` of the finished image, both to the disk; in turns,
# medians and their ratio. All in one run: only the ratios of such a run mean anything.
# usage: tests/bench/fs_image_bench.sh BUILD [reflink|copy]      root, 25 GB; by default both
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=5
set -euo pipefail

build=${1:?usage: fs_image_bench.sh BUILD [reflink|copy]} part=${2:-both}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
vmbake=$build/vmbake
runs=${RUNS:-5}
begin image
need_ml

# bake STORE IMAGE
bake() {
	"$vmbake" build --driver none --json --progress none --store "$1" -o "$2" \
		"oci:$layout:ml" >"$work/result"
}

bake_to_disk() {
	bake "$@" && sync -d "$2"
}

copy_to_disk() {
	cp "$@" && sync -d "$2"
}

used_kib() {
	sync -f "$work/xfs"
	df -k --output=used "$work/xfs" | tail -n 1
}

on_xfs() {
	local before

	mount_xfs
	bake "$work/xfs/store" "$work/xfs/first.ext4"
	for _ in $(seq "$runs"); do
		rm -f "$work/xfs/image.ext4"
		settle "$work"
		before=$(used_kib)
		timed "$work/reflink" bake "$work/xfs/store" "$work/xfs/image.ext4"
		echo $((($(used_kib) - before) / 1024)) >>"$work/grown"
		jq .milliseconds.merge "$work/result" >>"$work/merge"
		jq .milliseconds.write "$work/result" >>"$work/write"
		jq .milliseconds.commit "$work/result" >>"$work/commit"
	done
	[ "$(jq -r .copy.method "$work/result")" = reflink ]
	sound "$work/xfs/image.ext4"
	printf '  vmbake: %d ms (merging %d, writing %d, fsync %d), df grows by %d MiB\n' \
		"$(median <"$work/reflink")" "$(median <"$work/merge")" \
		"$(median <"$work/write")" "$(median <"$work/commit")" "$(median <"$work/grown")"
	umount "$work/xfs"
	rm "$work/disk"
}

beside_cp() {
	bake "$work/store" "$work/image.ext4"
	for _ in $(seq "$runs"); do
		rm -f "$work/ours.ext4"
		settle "$work"
		timed "$work/ours" bake_to_disk "$work/store" "$work/ours.ext4"
		rm -f "$work/copy.ext4"
		settle "$work"
		timed "$work/theirs" copy_to_disk "$work/image.ext4" "$work/copy.ext4"
	done
	sound "$work/ours.ext4"
	ratio "vmbake" "$work/ours" "cp" "$work/theirs"
}

if [ "$part" != copy ]; then
	echo "ml from stored layers, XFS with reflink, median of $runs:"
	on_xfs
fi
if [ "$part" != reflink ]; then
	echo "ml from stored layers, then sync -d, beside cp of the image, then sync -d," \
		"on $(findmnt -n -o FSTYPE -T "$work"), median of $runs:"
	beside_cp
fi
