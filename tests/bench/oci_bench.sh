#!/usr/bin/env bash
# Receiving one blob: over lines that are slow by the connection or break off, and without any limit
# beside `curl -o` of the same blob; only the ratios of such a run mean anything.
# usage: tests/bench/oci_bench.sh BUILD      6 GB in BENCH_FOLDER
#   BENCH_FOLDER=/var/tmp/vmbake-bench   RUNS=5   MEGABYTES=1024   SLOW_MEGABYTES=256
set -euo pipefail

build=${1:?usage: oci_bench.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/registry.sh
. "$here/../registry.sh"
# shellcheck source=tests/bench/figures.sh
. "$here/figures.sh"
begin oci

# publish TAG MEGABYTES: in the registry; sets digest and size of its layer
publish() {
	local manifest

	"$here/../e2e/registry_image.py" "$work/images" "$1" "$2"
	manifest=$(jq -r '.manifests[0].digest' "$work/images/index.json")
	digest=$(jq -r '.layers[0].digest' "$work/images/blobs/${manifest/://}")
	size=$(stat -c %s "$work/images/blobs/${digest/://}")
	registry_push "$work/images:$1" "demo:$1" --preserve-digests
	rm -r "$work/images"
}

# start_proxy OPTION...: sets proxy_port; what went through each connection to ./sent
start_proxy() {
	: >"$work/port"
	"$here/../e2e/registry_proxy.py" "$registry_port" "$@" >"$work/port" 2>"$work/sent" &
	until [ -s "$work/port" ]; do sleep 0.05; done
	proxy_port=$(cat "$work/port")
}

# Both read the blob from memory and write to memory that is hot: twice what they write is enough.
prepare() {
	rm -rf "$work/store" "$work/out"
	mkdir "$work/store"
	settle "$work" $((2 * size >> 20))
	cat "$work/registry/data/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data" \
		>/dev/null
}

# fetch TAG PORT [CONNECTIONS]: milliseconds; what it used of the processor is added to ./fetch.cpu
fetch() {
	prepare
	/usr/bin/time -a -o "$work/fetch.cpu" -f '%U %S' "$build/tests/tools/oci_fetch" \
		"127.0.0.1:$2/demo:$1" "$work/store" "${@:3}"
}

with_curl() {
	prepare
	timed "$work/curl" /usr/bin/time -a -o "$work/curl.cpu" -f '%U %S' curl -s -f \
		-o "$work/out" "http://127.0.0.1:$registry_port/v2/demo/blobs/$digest"
}

# of_cpu FILE: its seconds of user and system as milliseconds, to FILE.ms
of_cpu() {
	awk '{ printf "%d\n", ($1 + $2) * 1000 }' "$1" >"$1.ms"
}

registry_start "$build" "$work/registry"

publish slow "${SLOW_MEGABYTES:-256}"
echo "a blob of $size bytes, 30 MB/s a connection:"
start_proxy rate=30000000
one=$(fetch slow "$proxy_port" 1)
four=$(fetch slow "$proxy_port" 4)
awk -v one="$one" -v four="$four" 'BEGIN {
	printf "  one connection: %d ms, four: %d ms, %.2f times faster\n", one, four, one / four
}'

publish blob "${MEGABYTES:-1024}"
echo "a blob of $size bytes, each connection cut after 50 MB:"
start_proxy cut=50000000
took=$(fetch blob "$proxy_port")
sleep 0.5
awk -v took="$took" -v size="$size" '{ sent += $1 } END {
	printf "  %d ms, %d connections, %.2f %% of the bytes twice\n", took, NR,
		(sent / size - 1) * 100
}' "$work/sent"

echo "the same without a limit, ${RUNS:-5} runs of both in turn, medians:"
rm -f "$work"/*.cpu
for _ in $(seq "${RUNS:-5}"); do
	with_curl
	fetch blob "$registry_port" >>"$work/fetch"
done
of_cpu "$work/fetch.cpu"
of_cpu "$work/curl.cpu"
echo "  curl -o: $(tr '\n' ' ' <"$work/curl")ms"
echo "  vmbake: $(tr '\n' ' ' <"$work/fetch")ms"
ratio "vmbake, with SHA-256" "$work/fetch" "curl -o" "$work/curl"
ratio "processor time of vmbake" "$work/fetch.cpu.ms" "of curl" "$work/curl.cpu.ms"
