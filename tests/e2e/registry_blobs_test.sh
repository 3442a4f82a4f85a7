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
	start_server one "$images"
	bake --blob-connections 3 "$server/demo:large"
	[ "$(jq -s 'map(select(.range != "") | .connection) | unique | length' fake.one)" -eq 3 ]
	[ "$(asked one)" -eq "$size" ] || fail "asked for $(asked one) bytes of $size"
}

it_asks_for_the_whole_where_one_connection_is_allowed() {
	start_server one "$images"
	bake --blob-connections 1 "$server/demo:large"
	[ "$(requests one '.range != ""')" -eq 0 ]
}

it_offers_ranges_over_HTTP_1_where_the_server_speaks_both() {
	start_server one "$images"
	bake "$server/demo:large"
	[ "$(requests one '.range != "" and .version != "HTTP/1.1"')" -eq 0 ]
}

it_makes_the_most_of_a_line_that_is_slow_by_connection() {
	local start one four

	start_server one "$images" slow:blobs=8000000
	start=$(date +%s%N)
	bake --blob-connections 1 "$server/demo:large"
	one=$((($(date +%s%N) - start) / 1000000))
	rm -rf store image.ext4
	start=$(date +%s%N)
	bake --blob-connections 4 "$server/demo:large"
	four=$((($(date +%s%N) - start) / 1000000))
	[ "$one" -ge $((four * 2)) ] || fail "one: $one ms, four: $four ms"
}

it_fetches_next_to_nothing_twice_on_a_line_that_is_cut() {
	start_server one "$images" cut:blobs=6000000
	bake --blob-connections 1 --retry 2 "$server/demo:large"
	[ -e image.ext4 ]
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
