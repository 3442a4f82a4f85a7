#!/usr/bin/env bash
# A layer of a million small files beside `bsdtar -tf`, which only lists it; and merging.
# usage: tests/bench/layers_bench.sh BUILD      6 GB in BENCH_FOLDER
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

# The peer, then ourselves; both read the tar from memory.
run() {
	rm -rf "$work/layer"
	mkdir "$work/layer"
	settle "$work"
	cat "$tar" >/dev/null
	/usr/bin/time -o "$work/time" -f '%e' bsdtar -tf "$tar" >/dev/null
	cat "$work/time" >>"$work/list"
	"$bench" pack "$tar" "$work/layer" | tee "$work/said" | sed 's/^/  /'
	awk '$1 == "unpacking:" { print $5 }' "$work/said" >>"$work/unpack"
}

"$bench" make "$files" >"$tar"

echo "a layer of $files small files:"
for _ in $(seq "${RUNS:-3}"); do
	run
done
"$bench" list "$tar" | sed 's/^/  /'
awk -v files="$files" -v list="$(median <"$work/list")" -v unpack="$(median <"$work/unpack")" \
	'BEGIN {
		printf "  bsdtar -tf, median: %.2f s, %.0f a second\n", list, files / list
		printf "  unpacking, median: %.2f s, %.0f a second, %.2f of bsdtar -tf\n", unpack,
			files / unpack, unpack / list
	}'
echo "50,000 entries over 5 layers:"
"$bench" merge | sed 's/^/  /'
