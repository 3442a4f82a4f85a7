#!/usr/bin/env bash
# Large blobs: in parallel ranges, never the same byte twice, and from where a killed build stopped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images"
large_image "$images" large 100
large_image "$images" second 40
size=$(stat -c %s "$(layer_file "$images")")

# asked NAME: how many bytes of blobs that server was asked for in ranges that were answered
asked() {
	jq -s '[.[] | select(.status == 206) | .range[6:] | split("-") | map(tonumber)
		| .[1] - .[0] + 1] | add // 0' "fake.$1"
}

it_opens_as_many_connections_as_it_may() {
	start_server one "$images" slow:blobs=50000000
	bake --blob-connections 3 "$server/demo:large"
	[ "$(jq -s 'map(select(.range != "") | .connection) | unique | length' fake.one)" -eq 3 ]
	[ "$(asked one)" -eq "$size" ] || fail "asked for $(asked one) bytes of $size"
}

it_asks_for_the_whole_where_one_connection_is_allowed() {
	start_server one "$images"
	bake --blob-connections 1 "$server/demo:large"
	[ "$(requests one '.range != ""')" -eq 0 ]
}

it_opens_a_connection_for_each_range_where_the_server_speaks_http2() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=test -addext subjectAltName=IP:127.0.0.1 \
		-keyout fake.key -out fake.certificate 2>/dev/null
	registry_start "$build" "$PWD/fake.registry" "$PWD/fake.certificate" "$PWD/fake.key"
	registry_push "$images:large" demo:large
	start_proxy line "$registry_port" rate=30000000
	SSL_CERT_FILE=$PWD/fake.certificate bake --blob-connections 3 "$proxy/demo:large"
	sleep 0.5
	[ "$(awk '$1 > 8000000' fake.line | wc -l)" -eq 3 ] || fail "$(cat fake.line)"
}

it_makes_the_most_of_a_line_that_is_slow_by_connection() {
	local start one four

	start_server one "$images"
	start_proxy line "${server#*:}" rate=10000000
	start=$(date +%s%N)
	bake --blob-connections 1 "$proxy/demo:large"
	one=$((($(date +%s%N) - start) / 1000000))
	rm -rf store image.ext4
	start=$(date +%s%N)
	bake --blob-connections 4 "$proxy/demo:large"
	four=$((($(date +%s%N) - start) / 1000000))
	[ "$one" -ge $((four * 2)) ] || fail "one: $one ms, four: $four ms"
}

it_fetches_next_to_nothing_twice_on_a_line_that_is_cut() {
	start_server one "$images"
	start_proxy line "${server#*:}" cut=7000000
	bake --retry 2 "$proxy/demo:large"
	sleep 0.5
	[ "$(awk '{ sum += $1 } END { print sum }' fake.line)" -lt $((size * 102 / 100)) ] ||
		fail "$(cat fake.line) of $size"
}

# killed_at_half TAG: a build that dies in the middle of the blob
killed_at_half() {
	local pid

	start_server one "$images" slow:blobs=8000000
	vmbake build --progress none --blob-connections 2 -o image.ext4 "$server/demo:large" \
		>out 2>err &
	pid=$!
	sleep 4
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	part=$(find store/blobs -name '*.part')
	[ -n "$part" ] || fail "no part of the blob is left"
}

it_goes_on_where_a_killed_build_stopped() {
	killed_at_half
	start_server two "$images"
	bake "$server/demo:large"
	[ "$(asked two)" -lt $((size * 7 / 10)) ] || fail "asked for $(asked two) bytes of $size"
}

it_takes_a_whole_part_without_asking_for_it() {
	local hex

	hex=$(basename "$(layer_file "$images")")
	mkdir -p store/blobs/sha256
	{ # the blob, and behind it the map of its chunks
		cat "$(layer_file "$images")"
		python3 -c 'import struct, sys
size, chunk = int(sys.argv[1]), 8 << 20
sys.stdout.buffer.write(b"vmbpart1" + struct.pack("<QQ", size, chunk))
for start in range(0, size, chunk):
    sys.stdout.buffer.write(struct.pack("<I", min(chunk, size - start)))' "$size"
	} >"store/blobs/sha256/$hex.part"
	start_server one "$images"
	bake "$server/demo:large"
	[ "$(requests one ".path | contains(\"$hex\")")" -eq 0 ]
}

it_fetches_afresh_when_what_was_left_is_damaged() {
	killed_at_half
	printf 'damaged' | dd of="$part" bs=1 seek=1000000 conv=notrunc status=none
	start_server two "$images"
	bake "$server/demo:large"
	[ "$(find store/blobs -type f | wc -l)" -eq 0 ]
}

it_fetches_afresh_when_the_map_is_damaged() {
	killed_at_half
	truncate -s -1 "$part"
	start_server two "$images"
	bake "$server/demo:large"
}

# foreign SCHEME: fake.foreign, an image whose layer is not in the registry but at SCHEME://$server,
# which is too slow for one connection
foreign() {
	make_certificate own IP:127.0.0.1
	start_server elsewhere "$images" "tls=fake.own.pem,fake.own.key" slow:blobs=30000000
	large_image fake.foreign foreign 100 "url=https://127.0.0.1:1/nothing" \
		"url=$1://$server/blobs/sha256:$(basename "$(layer_file "$images")")"
	rm "$(layer_file fake.foreign)"
	start_server one fake.foreign
}

it_fetches_a_foreign_layer_from_where_the_manifest_says() {
	foreign https
	SSL_CERT_FILE=$PWD/fake.own.pem bake "$server/demo:foreign"
	[ "$(requests elsewhere '.authorization != ""')" -eq 0 ]
	[ "$(jq -s 'map(.connection) | unique | length' fake.elsewhere)" -ge 4 ]
}

it_does_not_fetch_a_foreign_layer_without_tls() {
	foreign http
	refuses 5 127.0.0.1:1 vmbake build --progress none --retry 0 -o image.ext4 \
		"$server/demo:foreign"
	expect_nothing
	[ "$(requests elsewhere true)" -eq 0 ]
}

it_shares_one_download_between_two_builds() {
	start_server one "$images" slow:blobs=20000000
	vmbake build --progress none -o first.ext4 "$server/demo:large" >out1 2>err1 &
	sleep 1
	bake "$server/demo:large"
	wait $!
	cmp -s first.ext4 image.ext4
	rm -f first.ext4 out1 err1
}

run_promises
