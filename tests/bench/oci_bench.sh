#!/usr/bin/env bash
# Receiving one blob of a gigabyte: over lines that are slow by the connection or break off, and
# without any limit beside `curl -o` of the same blob; only the ratios of such a run mean anything.
# usage: tests/bench/oci_bench.sh BUILD      6 GB in BENCH_FOLDER
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=5   MEGABYTES=1024
set -euo pipefail

build=${1:?usage: oci_bench.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${BENCH_FOLDER:-/var/tmp/vmbake-bench}"
work=$(mktemp -d "${BENCH_FOLDER:-/var/tmp/vmbake-bench}/oci.XXXXXX")
# shellcheck source=tests/registry.sh
. "$here/../registry.sh"

finish() {
	local pid

	for pid in $(jobs -p); do
		kill "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$here/../e2e/registry_image.py" "$work/images" blob "${MEGABYTES:-1024}"
digest=$(jq -r '.manifests[0].digest' "$work/images/index.json")
digest=$(jq -r '.layers[0].digest' "$work/images/blobs/${digest/://}")
size=$(stat -c %s "$work/images/blobs/${digest/://}")
registry_start "$build" "$work/registry"
registry_push "$work/images:blob" demo:blob --preserve-digests
rm -r "$work/images"

# start_proxy OPTION...: sets proxy_port; what went through each connection to ./sent
start_proxy() {
	: >"$work/port"
	"$here/../e2e/registry_proxy.py" "$registry_port" "$@" >"$work/port" 2>"$work/sent" &
	until [ -s "$work/port" ]; do sleep 0.05; done
	proxy_port=$(cat "$work/port")
}

# Both read the blob from memory and write to memory that is hot.
settle() {
	rm -rf "$work/store" "$work/out"
	mkdir "$work/store"
	"$here/settle.sh" "$work"
	rm -f "$work/settle.sparse"
	cat "$work/registry/data/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data" \
		>/dev/null
}

# fetch PORT [CONNECTIONS]: milliseconds
fetch() {
	settle
	"$build/tests/tools/oci_fetch" "127.0.0.1:$1/demo:blob" "$work/store" "${@:2}"
}

with_curl() {
	local start

	settle
	start=$EPOCHREALTIME
	curl -s -f -o "$work/out" "http://127.0.0.1:$registry_port/v2/demo/blobs/$digest"
	echo $(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

ratio() {
	awk "BEGIN { printf \"%.2f\", $1 / $2 }"
}

echo "a blob of $size bytes, 30 MB/s a connection:"
start_proxy rate=30000000
one=$(fetch "$proxy_port" 1)
four=$(fetch "$proxy_port" 4)
echo "  one connection $one ms, four $four ms: $(ratio "$one" "$four") times as fast"

echo "each connection cut after 50 MB:"
start_proxy cut=50000000
took=$(fetch "$proxy_port")
sleep 0.5
sent=$(awk '{ sum += $1 } END { print sum }' "$work/sent")
echo "  $took ms, $(wc -l <"$work/sent") connections," \
	"$(awk "BEGIN { printf \"%.2f\", ($sent / $size - 1) * 100 }") % of the bytes twice"

echo "no limit, ${RUNS:-5} runs of both in turn:"
for _ in $(seq "${RUNS:-5}"); do
	with_curl >>"$work/curl"
	fetch "$registry_port" >>"$work/fetch"
done
curl_ms=$(median <"$work/curl")
fetch_ms=$(median <"$work/fetch")
echo "  curl -o: $(tr '\n' ' ' <"$work/curl")ms"
echo "  vmbake, with SHA-256: $(tr '\n' ' ' <"$work/fetch")ms"
echo "  medians $curl_ms and $fetch_ms ms: $(ratio "$fetch_ms" "$curl_ms") times as long"
