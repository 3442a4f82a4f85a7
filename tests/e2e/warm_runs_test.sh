#!/usr/bin/env bash
# Warming several times at once and after being stopped: nothing is fetched twice.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images"
large_image "$images" large 64
large_image "$images" second 16
make_images demo exit7 small zoo

# layers LAYOUT TAG...: the hex digits of each layer of these images, once
layers() {
	local manifest tag

	for tag in "${@:2}"; do
		manifest=$(jq -r --arg tag "$tag" '.manifests[]
			| select(.annotations[] == $tag) | .digest' "$1/index.json")
		jq -r '.layers[].digest' "$1/blobs/${manifest/://}"
	done | sort -u | cut -d : -f 2
}

# fetched_once NAME LAYOUT TAG...: by all who asked that server
fetched_once() {
	local hex count

	for hex in $(layers "${@:2}"); do
		count=$(requests "$1" ".path | contains(\"$hex\")")
		[ "$count" -eq 1 ] || fail "$hex was asked for $count times"
	done
}

# list_of TAG...: ./list, of images at the server
list_of() {
	local tag

	for tag in "$@"; do
		echo "$server/demo:$tag"
	done >list
}

it_fetches_once_what_two_images_share() {
	start_server one "$layout"
	list_of demo exit7
	expect 0 vmbake warm --quiet --blob-connections 1 -f list
	[ "$(layers "$layout" demo exit7 | wc -l)" -eq 3 ]
	fetched_once one "$layout" demo exit7
}

it_fetches_once_what_two_runs_want_at_once() {
	start_server one "$images" slow:blobs=40000000
	list_of large second
	vmbake warm --json --blob-connections 1 -f list >first 2>first.err &
	sleep 0.5
	expect 0 vmbake warm --json --blob-connections 1 -f list
	wait $!
	fetched_once one "$images" large second
	jq -es '(.[-1].summary | .made + .warm) == 2' out
	jq -es 'map(.summary.made // 0) | add == 2' first out
	rm first first.err
}

it_makes_the_same_bytes_side_by_side() {
	local tag

	expect 0 vmbake warm --progress none -j 4 "oci:$layout:"{demo,exit7,small,zoo}
	mv out made
	for tag in demo exit7 small zoo; do
		bake "oci:$layout:$tag"
		cmp image.ext4 "$(sed -n "s/^oci:.*:$tag: made, //p" made)"
	done
}

# What another image of the same run makes is no other vmbake's work.
it_waits_for_its_own_work_however_long() {
	start_server one "$layout" slow:blobs=400000
	list_of demo exit7
	expect 0 vmbake warm --progress none -j 2 --lock-timeout 0 --blob-connections 1 -f list
	[ "$(tail -n 1 out)" = "2 images: 0 warm already, 2 made" ]
	fetched_once one "$layout" demo exit7
}

it_does_not_wait_longer_than_it_may() {
	start_server one "$images" slow:blobs=20000000
	list_of large second
	vmbake warm --quiet --blob-connections 1 -f list &
	sleep 1
	expect 11 vmbake warm --json --blob-connections 1 --lock-timeout 0 -f list
	jq -es 'map(.error.kind) | index("busy")' out
	wait $!
	fetched_once one "$images" large second
}

# By the signal that services are stopped with, when one image is made and the other is fetched.
terminate() {
	local pid status=0

	start_server one "$images" "slow:$(basename "$(layer_file "$images")")=3000000"
	list_of large second
	vmbake warm --progress none -j 2 -f list >out 2>err &
	pid=$!
	for _ in $(seq 200); do
		[ ! -s out ] || break
		sleep 0.05
	done
	sleep 1
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 143 ] || fail "ended with $status: $(cat err)"
}

it_goes_on_where_it_was_stopped() {
	local size asked

	terminate
	grep -q "demo:second: made" out
	[ "$(find store/images -name '*.ext4' | wc -l)" -eq 1 ] || fail "half an image has its name"
	[ -n "$(find store/blobs -name '*.part')" ] || fail "nothing is left to go on with"
	start_server two "$images"
	list_of large second
	expect 0 vmbake warm --progress none -f list
	[ "$(tail -n 1 out)" = "2 images: 1 warm already, 1 made" ] || fail "$(cat out)"
	[ -z "$(ls -A store/tmp)" ] || fail "left in the store: $(ls -A store/tmp)"
	size=$(stat -c %s "$(layer_file "$images")")
	asked=$(jq -s '[.[] | select(.status == 206) | .range[6:] | split("-") | map(tonumber)
		| .[1] - .[0] + 1] | add // 0' fake.two)
	if [ "$asked" -eq 0 ] || [ "$asked" -ge "$size" ]; then
		fail "asked for $asked of $size bytes"
	fi
	bake "$server/demo:large"
	check_filesystem image.ext4
}

run_promises
