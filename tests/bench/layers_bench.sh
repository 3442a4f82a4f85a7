#!/usr/bin/env bash
# A layer of a million small files beside `bsdtar -tf`, which only lists it; and merging.
# usage: tests/bench/layers_bench.sh BUILD      6 GB in BENCH_FOLDER
#   BENCH_FOLDER=/var/tmp/vmbake-bench   FILES=1000000
set -euo pipefail

build=${1:?usage: layers_bench.sh BUILD}
folder=${BENCH_FOLDER:-/var/tmp/vmbake-bench}/layers
here=$(cd "$(dirname "$0")" && pwd)
bench=$build/tests/tools/layers_bench
tar=$folder/small.tar

trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -rf "$folder"
mkdir -p "$folder/layer"
"$bench" make "${FILES:-1000000}" >"$tar"
cat "$tar" >/dev/null # both read it from memory

echo "a layer of ${FILES:-1000000} small files:"
/usr/bin/time -f '  bsdtar -tf: %e s wall, %U user, %S system, %M KiB' bsdtar -tf "$tar" >/dev/null
"$bench" list "$tar" | sed 's/^/  /'
"$here/settle.sh" "$folder"
cat "$tar" >/dev/null
"$bench" pack "$tar" "$folder/layer" | sed 's/^/  /'
echo "50,000 entries over 5 layers:"
"$bench" merge | sed 's/^/  /'
