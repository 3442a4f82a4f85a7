#!/usr/bin/env bash
# A mirror that gives something else than what was asked for costs time, not the build: the next
# host is asked, and it is said once.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images"
large_image "$images" small 1
large_image "$images" large 40
layer=sha256:$(basename "$(layer_file "$images")")
large=$(jq -r '.manifests[1].digest' "$images/index.json" | tr : /)
large=$(jq -r '.layers[0].digest' "$images/blobs/$large")
size=$(stat -c %s "$(layer_file "$images")")
head -c "$size" /dev/urandom >"$work/noise"
echo '<html>sign in to the network</html>' >"$work/page"

build() {
	vmbake build --progress none --retry 1 -o image.ext4 --hosts-dir fake.hosts \
		"registry.invalid/demo:$1"
}

# notes WORDS COUNT: how many sentences on stderr have these words
notes() {
	[ "$(grep -c "$1" err)" -eq "$2" ] || fail "not $2 times '$1': $(cat err)"
}

# mended TAG FAULT...: the build ends well, with bytes of the registry, and its store is clean
mended() {
	local tag=$1

	shift
	mirrored "$@"
	expect 0 build "$tag"
	[ "$(requests real '.path | contains("/blobs/")')" -gt 0 ] || fail "it was not asked"
	[ -z "$(find store/blobs -type f)" ]
	cp image.ext4 fake.image
	rm -rf store
	expect 0 vmbake build --progress none -o image.ext4 "oci:$images:$tag"
	cmp fake.image image.ext4
}

it_fetches_afresh_what_a_mirror_gave_with_a_wrong_bit() {
	mended small "flip:blobs/$layer="
	[ "$(requests real '.path | contains("/blobs/")')" -eq 1 ] # the config came from the mirror
}

it_says_once_that_it_fetches_afresh() {
	mirrored "flip:blobs/$layer="
	expect 0 build small
	notes "afresh from the next host" 1
	notes "$mirror" 1
}

it_fetches_afresh_what_makes_no_sense_from_its_first_byte() {
	mended small "body:blobs/$layer=$work/noise"
}

it_fetches_afresh_what_came_in_ranges() {
	mended large "flip:blobs/$large="
}

it_goes_on_from_a_mirror_whose_blob_is_shorter() { mended small "short:blobs/$layer=10"; }
it_goes_on_from_a_mirror_whose_blob_is_longer() { mended small "extra:blobs/$layer=10"; }
it_goes_on_from_a_mirror_whose_blob_ends_early_without_a_length() {
	mended small "chunked:blobs/$layer=1000"
}
it_goes_on_from_a_mirror_that_goes_on_without_end() {
	mended small "chunked:blobs/$layer=$((size + 100000))"
}
it_goes_on_from_a_mirror_that_compresses_what_is_not_to_be() { mended small "gzip:blobs/$layer="; }
it_goes_on_from_a_mirror_that_answers_in_html() {
	mirrored "body:manifests/=$work/page"
	expect 0 build small
	notes "asking the next host: manifest:" 1
}
it_goes_on_from_a_mirror_that_lies_about_its_digest() {
	mirrored "digest:manifests/=sha256:$(printf '1%.0s' $(seq 64))"
	expect 0 build small
	notes "asking the next host: .*the registry says" 1
}

it_goes_from_mirror_to_mirror_until_one_is_right() {
	local second

	start_server second "$images" "flip:blobs/$layer="
	second=$server
	mirrored "flip:blobs/$layer="
	printf '[host."http://%s"]\n' "$second" >>fake.hosts/registry.invalid/hosts.toml
	expect 0 build small
	notes "afresh from the next host" 2
	[ "$(requests real ".path | contains(\"$layer\")")" -eq 1 ]
}

it_fails_when_all_hosts_are_wrong() {
	mirrored "flip:blobs/$layer="
	kill "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	start_server real "$images" "flip:blobs/$layer=" "port=${server#*:}"
	expect 6 build small
	notes "^vmbake: layer 1 of 1 .* its content has digest" 1
	notes "afresh from the next host" 1
	expect_nothing
}

it_takes_a_part_that_was_left_and_a_mirror_that_lies() {
	start_server cutting "$images" "cut:blobs/$large=5000000"
	expect 5 vmbake build --progress none --retry 0 -o image.ext4 "$server/demo:large"
	part=$(find store/blobs -name '*.part')
	printf 'damaged' | dd of="$part" bs=1 seek=1000 conv=notrunc status=none
	mirrored "flip:blobs/$large="
	expect 0 build large
	notes "a part from an earlier run does not hold" 1
	notes "afresh from the next host" 1
}

it_replaces_a_blob_that_was_kept_and_is_damaged() {
	start_server one "$images"
	bake --keep-blobs "$server/demo:small"
	rm -r store/layers store/images image.ext4
	printf 'damaged' | dd of="store/blobs/sha256/${layer#*:}" bs=1 seek=1000 conv=notrunc \
		status=none
	bake "$server/demo:small"
	notes "a blob in the store is damaged" 1
}

it_says_once_that_a_mirror_is_out_of_order() {
	mirrored status:/=500
	expect 0 build large
	notes "asking the next host" 1
}

it_says_nothing_of_a_mirror_that_does_not_have_it() {
	mirrored status:/=404
	expect 0 build small
	[ ! -s err ] || fail "$(cat err)"
}

run_promises
