#!/usr/bin/env bash
# Registries that lie, break off and crawl: the right exit code, one sentence, nothing in the store;
# and where a fault can be ridden out, it is.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images"
large_image "$images" small 1
large_image "$images" large 40
layer=sha256:$(basename "$(layer_file "$images")")
printf '{"a":%.0s' $(seq 100) >"$work/deep"
printf '{"schemaVersion":2,"schemaVersion":2}' >"$work/twice"

# refused CODE WORDS FAULT...: what a build says to a server with these faults.
refused() {
	local code=$1 words=$2

	shift 2
	start_server faulty "$images" "$@"
	refuses "$code" "$words" \
		vmbake build --progress none --retry 1 -o image.ext4 "$server/demo:small"
	expect_nothing
}

# rides_out TAG FAULT...: a build that ends well for all that.
rides_out() {
	local tag=$1

	shift
	start_server faulty "$images" "$@"
	bake "$server/demo:$tag"
}

it_refuses_a_blob_with_one_wrong_bit() { refused 6 "$layer" flip:blobs/"$layer="; }
it_refuses_a_blob_that_is_shorter() { refused 6 bytes short:blobs/"$layer=10"; }
it_refuses_a_blob_that_is_longer() { refused 6 bytes extra:blobs/"$layer=10"; }
it_refuses_a_redirect_loop() { refused 5 redirects loop:manifests=; }
it_refuses_an_endless_manifest() { refused 7 "over 4194304 bytes" endless:manifests=; }
it_refuses_an_endless_config() { refused 6 longer endless:blobs=; }
it_refuses_deeply_nested_json() { refused 8 nested "body:manifests=$work/deep"; }
it_refuses_duplicate_keys() { refused 8 duplicate "body:manifests=$work/twice"; }
it_refuses_a_digest_header_that_lies() {
	refused 6 "the registry says" "digest:manifests=sha256:$(printf '1%.0s' $(seq 64))"
}
it_gives_up_on_a_server_that_closes_at_once() { refused 5 127.0.0.1: close:manifests=; }
it_gives_up_on_a_manifest_that_trickles() {
	start_server faulty "$images" slow:manifests=5
	refuses 5 stalls vmbake build --progress none --retry 0 -o image.ext4 "$server/demo:small"
	expect_nothing
}
it_names_a_status_that_has_no_meaning_here() { refused 5 418 status:manifests=418; }

it_does_not_mind_a_content_type_that_lies() { rides_out small type:manifests=text/html; }
it_waits_as_long_as_a_busy_server_asks() {
	local start=$SECONDS

	rides_out small "retry:manifests*1=2"
	[ $((SECONDS - start)) -ge 2 ] || fail "it did not wait"
}
it_waits_until_the_time_a_busy_server_names() {
	local start=$SECONDS

	rides_out small "retry-date:manifests*1=3" # of whole seconds, the first may be over
	[ $((SECONDS - start)) -ge 2 ] || fail "it did not wait"
}
it_tries_again_after_a_server_error() {
	rides_out small "status:manifests*2=503"
	[ "$(grep -c 'trying again: .*503' err)" -eq 2 ] || fail "$(cat err)"
}
it_tries_again_when_a_name_is_unknown() {
	refuses 5 registry.invalid vmbake build --progress none --retry 1 -o image.ext4 \
		registry.invalid/demo:small
	[ "$(grep -c 'trying again: ' err)" -eq 1 ] || fail "$(cat err)"
}
it_uses_its_connection_again() {
	rides_out small
	[ "$(jq -s 'map(.connection) | unique | length' fake.faulty)" -eq 1 ]
}
it_tries_again_after_a_closed_connection() { rides_out small "close:blobs*2="; }
it_goes_on_where_a_connection_broke() {
	rides_out small "cut:blobs/$layer*3=300000"
	[ "$(requests faulty '.range | startswith("bytes=300000-")')" -eq 1 ]
}
it_takes_one_stream_from_a_server_without_ranges() {
	rides_out large no-range:blobs=
	[ "$(requests faulty '.range != "" and .status == 200')" -eq 1 ]
}
it_starts_over_when_a_range_is_not_the_one_asked_for() {
	rides_out large wrong-range:blobs=1000
}
it_goes_on_with_other_connections_when_one_is_cut() {
	rides_out large "cut:blobs*20=5000000"
}
it_leaves_a_connection_that_stalls() {
	rides_out small "stall:blobs/$layer*1=1000"
}

run_promises
