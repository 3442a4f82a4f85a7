#!/usr/bin/env bash
# A layer of a million small files beside `bsdtar -tf`, which only lists it; and merging.
# usage: tests/bench/layers_bench.sh BUILD      6 GB in BENCH_FOLDER
#   BENCH_FOLDER=/var/tmp/vmbake-bench   FILES=1000000   RUNS=3
set -euo pipefail

build=${1:?usage: layers_bench.sh BUILD}
files=${FILES:-1000000}
folder=${BENCH_FOLDER:-/var/tmp/vmbake-bench}/layers
here=$(cd "$(dirname "$0")" && pwd)
bench=$build/tests/tools/layers_bench
tar=$folder/small.tar

trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

median() {
	sort -n "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# The peer, then ourselves; both read the tar from memory.
run() {
	"$here/settle.sh" "$folder"
	cat "$tar" >/dev/null
	/usr/bin/time -o "$folder/time" -f '%e' bsdtar -tf "$tar" >/dev/null
	cat "$folder/time" >>"$folder/list"
	rm -rf "$folder/layer"
	mkdir "$folder/layer"
	"$bench" pack "$tar" "$folder/layer" | tee "$folder/said" | sed 's/^/  /'
	awk '$1 == "unpacking:" { print $5 }' "$folder/said" >>"$folder/unpack"
}

rm -rf "$folder"
mkdir -p "$folder"
"$bench" make "$files" >"$tar"

echo "a layer of $files small files:"
for _ in $(seq "${RUNS:-3}"); do
	run
done
"$bench" list "$tar" | sed 's/^/  /'
awk -v files="$files" -v list="$(median "$folder/list")" -v unpack="$(median "$folder/unpack")" \
	'BEGIN {
		printf "  bsdtar -tf, median: %.2f s, %.0f a second\n", list, files / list
		printf "  unpacking, median: %.2f s, %.0f a second, %.2f of bsdtar -tf\n", unpack,
			files / unpack, unpack / list
	}'
echo "50,000 entries over 5 layers:"
"$bench" merge | sed 's/^/  /'
