# shellcheck shell=bash
# Sourced after lib.sh by tests/e2e/registry_*_test.sh: registry_server.py and what it saw.

# start_server NAME LAYOUT [OPTION...]: sets $server to its address; it logs to NAME.log.
start_server() {
	local name=$1 port

	shift
	: >"fake.$name.port"
	"${root:?}/tests/e2e/registry_server.py" "$@" >"fake.$name.port" 2>"fake.$name" &
	server_pid=$!
	for _ in $(seq 100); do
		port=$(cat "fake.$name.port")
		[ -z "$port" ] || break
		sleep 0.05
	done
	export server=127.0.0.1:${port:?registry_server.py did not start} server_pid
}

# requests NAME FILTER: of the requests that server saw, those that jq's FILTER selects, counted.
requests() {
	jq -s "map(select($2)) | length" "fake.$1"
}

# large_image LAYOUT TAG MEGABYTES [EXTRA...]
large_image() {
	"$root/tests/e2e/registry_image.py" "$@"
}

# layer_file LAYOUT: where the layer of its first image is
layer_file() {
	local manifest

	manifest=$(jq -r '.manifests[0].digest' "$1/index.json")
	manifest=$1/blobs/${manifest/://}
	echo "$1/blobs/$(jq -r '.layers[0].digest' "$manifest" | tr : /)"
}

# Neither an output nor anything else is left, not even part of a blob.
expect_nothing() {
	local left

	expect_no_trace
	left=$(find store/blobs -type f 2>/dev/null || true)
	[ -z "$left" ] || fail "left in the store: $left"
}
