#!/usr/bin/env bash
# Whatever is wrong with the image: the right exit code, one sentence that names the thing, no
# output, nothing half-done in the store, and the next build works.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

make_images demo small platforms truncated-gzip gzip-crc truncated-tar tar-checksum bad-whiteout \
	missing-link-target wrong-diff-id unknown-user
start_registry
push small
push platforms platforms:1 --all
manifest=$(jq -r '.manifests[] | select(.annotations[] == "demo") | .digest' "$layout/index.json")
blob=$(jq -r '.layers[0].digest' "$layout/blobs/${manifest/://}")
echo '<html>no registry</html>' >"$work/page"
printf 'not the blob' >"$work/other"

# fails CODE WORDS IMAGE [OPTION...]: and afterwards the same store bakes a sound image.
fails() {
	local code=$1 words=$2

	shift 2
	refuses "$code" "$words" vmbake build --progress none --retry 1 -o image.ext4 "$@"
	expect_no_trace
	bake "oci:$layout:demo"
	check_filesystem image.ext4
	[ "$(inside image.ext4 /opt/again)" = hello ]
}

it_names_an_unknown_image() {
	fails 3 nothing-here "$registry/nothing-here:1"
}

it_names_an_unknown_tag() {
	fails 3 no-such-tag "$registry/small:no-such-tag"
}

it_names_an_unknown_digest() {
	fails 3 "sha256:1111" "$registry/small@sha256:$(printf '1%.0s' $(seq 64))"
}

it_names_a_registry_that_is_not_there() {
	local port

	port=$(free_port)
	fails 5 "127.0.0.1:$port" "127.0.0.1:$port/small:1"
}

it_names_a_host_that_does_not_exist() {
	fails 5 registry.invalid registry.invalid/small:1
}

it_names_a_layout_that_is_not_there() {
	fails 3 no-folder oci:no-folder:small
}

it_names_a_tag_that_the_layout_lacks() {
	fails 3 no-such-tag "oci:$layout:no-such-tag"
}

it_lists_the_platforms_there_are() {
	fails 3 linux/amd64 --platform linux/riscv64 "$registry/platforms:1"
}

it_refuses_a_manifest_that_is_no_json() {
	start_server faulty "$layout" "body:manifests/=$work/page"
	fails 8 JSON "$server/demo:demo"
}

it_refuses_a_manifest_with_another_digest() {
	start_server faulty "$layout" flip:manifests/=
	fails 6 "$manifest" "$server/demo@$manifest"
}

it_refuses_a_config_with_another_digest() {
	local config

	config=$(jq -r .config.digest "$layout/blobs/${manifest/://}")
	start_server faulty "$layout" "flip:blobs/$config="
	fails 6 "$config" "$server/demo:demo"
}

it_refuses_a_blob_with_another_digest() {
	start_server faulty "$layout" "flip:blobs/$blob="
	fails 6 "$blob" "$server/demo:demo"
}

it_refuses_a_blob_of_another_size() {
	start_server faulty "$layout" "body:blobs/$blob=$work/other"
	fails 6 "$blob" "$server/demo:demo"
}

it_names_a_blob_that_is_missing() {
	start_server faulty "$layout" "status:blobs/$blob=404"
	fails 3 "$blob" "$server/demo:demo"
}

it_gives_up_on_a_connection_that_always_breaks() {
	start_server faulty "$layout" "cut-at:blobs/$blob=1000"
	fails 5 "$server" "$server/demo:demo"
}

it_gives_up_on_a_server_that_always_fails() {
	start_server faulty "$layout" status:manifests/=503
	fails 5 503 "$server/demo:demo"
}

it_names_a_registry_that_wants_credentials() {
	start_server faulty "$layout" status:manifests/=401
	fails 4 "$server" "$server/demo:demo"
}

it_refuses_a_truncated_gzip() {
	fails 8 "layer 2" "oci:$layout:truncated-gzip"
}

it_refuses_a_gzip_with_a_wrong_checksum() {
	fails 8 "layer 2" "oci:$layout:gzip-crc"
}

it_refuses_a_truncated_tar() {
	fails 8 "layer 2" "oci:$layout:truncated-tar"
}

it_refuses_a_tar_header_with_a_wrong_checksum() {
	fails 8 "layer 2" "oci:$layout:tar-checksum"
}

it_names_the_malformed_whiteout() {
	fails 8 etc/.wh. "oci:$layout:bad-whiteout"
}

it_names_the_missing_target_of_a_hard_link() {
	fails 8 no/such/target "oci:$layout:missing-link-target"
}

it_refuses_a_layer_with_another_diff_id() {
	fails 6 "sha256:0000" "oci:$layout:wrong-diff-id"
}

it_names_a_user_that_the_image_does_not_have() {
	fails 8 nobody-here "oci:$layout:unknown-user"
}

run_promises
