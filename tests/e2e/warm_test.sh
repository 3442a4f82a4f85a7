#!/usr/bin/env bash
# What is warmed is there for build; a list is read as a whole before anything is made of it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

make_images demo small exit7 truncated-gzip
start_registry
push small
push demo

# warms CODE SUMMARY [OPTION...]: in silence but for the results
warms() {
	local code=$1 summary=$2

	shift 2
	expect "$code" vmbake warm --progress none "$@"
	if [ "$code" -eq 0 ]; then
		[ "$(tail -n 1 out)" = "$summary" ] || fail "says $(tail -n 1 out)"
	else
		[ "$(tail -n 1 err)" = "vmbake: $summary" ] || fail "says $(tail -n 1 err)"
	fi
}

# has IMAGE [OPTION...]: build finds it made
has() {
	expect 0 vmbake build --json "$@"
	jq -e .cached out || fail "build had to make it"
}

lacks() {
	expect 0 vmbake build --json "$@"
	jq -e '.cached | not' out || fail "build found it made"
}

it_makes_what_build_then_finds() {
	printf '%s\r\n' '# of this host' '' "$registry/small:1" \
		"  $registry/demo:1 --label 'two words' # and a note" >list
	warms 0 "2 images: 0 warm already, 2 made" -f list
	[ ! -s err ]
	has "$registry/small:1"
	has "$registry/demo:1" --label 'two words'
	check_filesystem "$(jq -r .file out)"
	lacks "$registry/demo:1"
}

it_finds_what_is_made_already() {
	warms 0 "1 image: 0 warm already, 1 made" "$registry/small:1"
	grep -qE "^$registry/small:1: made, $PWD/store/images/[0-9a-f]{64}.ext4$" out
	warms 0 "1 image: 1 warm already, 0 made" "$registry/small:1"
	grep -qE "^$registry/small:1: warm already, $PWD/store/images/[0-9a-f]{64}.ext4$" out
}

it_takes_images_and_several_lists_and_standard_input() {
	echo "$registry/demo:1" >list
	expect 0 vmbake warm --json "$registry/small:1" -f list -f - \
		<<<"oci:$layout:exit7 --read-only-fs"
	jq -es '.[:3] | map([.list, .line]) | sort ==
		[[null, null], ["list", 1], ["standard input", 1]]' out
	has "$registry/small:1"
	has "$registry/demo:1"
	has "oci:$layout:exit7" --read-only-fs
}

it_takes_options_for_all_and_for_one() {
	printf '%s\n' "$registry/small:1" "$registry/demo:1 --label own" >list
	warms 0 "2 images: 0 warm already, 2 made" -f list --label all --read-only-fs
	has "$registry/small:1" --label all --read-only-fs
	has "$registry/demo:1" --label own --read-only-fs
}

it_stops_at_the_layers_where_asked() {
	warms 0 "1 image: 0 warm already, 1 made" --layers-only "$registry/demo:1"
	grep -qxF "$registry/demo:1: made, 3 of 3 layers fetched" out
	[ -z "$(ls store/images)" ] || fail "made an image"
	warms 0 "1 image: 1 warm already, 0 made" -f - <<<"$registry/demo:1 --layers-only"
	expect 0 vmbake build --json -o image.ext4 "$registry/demo:1"
	jq -e '.fetchedLayers == 0' out
	expect 0 vmbake warm --layers-only --json "$registry/demo:1"
	jq -es '.[0] | .status == "warm" and .layers.fetchedLayers == 0
		and (.layers.image.layers | length) == 3' out
}

it_makes_anew_what_a_tag_moved_to() {
	push small moving:1
	warms 0 "1 image: 0 warm already, 1 made" "$registry/moving:1"
	push demo moving:1
	warms 0 "1 image: 0 warm already, 1 made" "$registry/moving:1"
	has "$registry/moving:1"
	[ "$(find store/images -name '*.ext4' | wc -l)" -eq 2 ]
}

it_has_nothing_to_do_for_an_empty_list() {
	printf '# nothing yet\n\n' >list
	warms 0 "0 images: 0 warm already, 0 made" -f list
}

# refused WORDS LINE: as a list's third line, before the registry is asked for the first
refused() {
	printf '%s\n\n%s\n' "$server/small:small" "$2" >list
	refuses 2 "list line 3: $1" vmbake warm --progress none -f list
}

it_names_a_wrong_line_before_anything_is_fetched() {
	start_server one "$layout"
	refused "unknown option --drivr" "$server/demo:demo --drivr none"
	refused "one image too many" "$server/demo:demo $server/small:small"
	refused "there is no image" "--verity"
	refused "a ' is not closed" "$server/demo:demo --label 'a"
	refused "a backslash" "$server/demo:demo --label a\\ b"
	refused "image '$server/UPPER:demo'" "$server/UPPER:demo"
	refused "--label" "$server/demo:demo --label of-seventeen-byte"
	refused "--read-only-fs" "$server/demo:demo --read-only-fs --free 1G"
	refused "platform 'a/b/c/d'" "$server/demo:demo --platform a/b/c/d"
	refused "--gpu-class" "$server/demo:demo --gpu-class fast"
	refused "--store is for all images" "$server/demo:demo --store other"
	printf '%s\n\n\0\n' "$server/small:small" >list
	refuses 2 "list line 3: a NUL byte" vmbake warm --progress none -f list
	refuses 2 UPPER vmbake warm --progress none "$server/small:small" "$server/UPPER:1"
	refuses 3 no-such-list vmbake warm --progress none "$server/small:small" -f no-such-list
	refuses 2 "IMAGE... or -f LIST" vmbake warm
	[ "$(requests one true)" -eq 0 ] || fail "asked the registry: $(cat fake.one)"
	[ ! -e store ] || fail "made a store"
}

it_goes_on_after_an_image_that_fails() {
	printf '%s\n' "$registry/small:1" "$registry/small:no-such-tag" "$registry/demo:1" >list
	warms 3 "3 images: 0 warm already, 2 made, 1 failed" -f list
	[ "$(wc -l <out)" -eq 2 ]
	[ "$(wc -l <err)" -eq 2 ]
	grep -q "^vmbake: $registry/small:no-such-tag (list line 2): .*no-such-tag" err
	has "$registry/small:1"
	has "$registry/demo:1"
}

it_ends_with_the_code_of_the_first_failure() {
	warms 8 "3 images: 0 warm already, 1 made, 2 failed" "oci:$layout:truncated-gzip" \
		"$registry/small:no-such-tag" "$registry/small:1"
	warms 3 "3 images: 1 warm already, 0 made, 2 failed" "$registry/small:no-such-tag" \
		"oci:$layout:truncated-gzip" "$registry/small:1"
}

it_prints_a_json_object_a_line() {
	printf '\n%s\n' "$registry/small:no-such-tag" >list
	vmbake build --progress none "$registry/small:1"
	expect 3 vmbake warm --json "$registry/small:1" "$registry/demo:1" -f list
	[ "$(wc -l <out)" -eq 4 ]
	jq -es '.[3] == {summary: {images: 3, warm: 1, made: 1, failed: 1}}' out
	jq -s '.[:3] | sort_by(.status)[]' out >sorted
	jq -es 'map(.status) == ["failed", "made", "warm"]' sorted
	jq -es --arg image "$registry/demo:1" '.[1] | .reference == $image and
		(.build.file | endswith(".ext4")) and (.build.cached | not)' sorted
	jq -es '.[0] | .list == "list" and .line == 2 and .error.kind == "not-found" and
		(.error.message | contains("no-such-tag"))' sorted
	[ "$(wc -l <err)" -eq 1 ]
	jq -e '.error.kind == "not-found"' err
	expect 2 vmbake warm --json -f - <<<"a b"
	jq -e '.error.kind == "usage"' err
	jq -e '.error.message | startswith("standard input line 1: ")' err
}

it_says_nothing_when_quiet_and_all_is_well() {
	start_server one "$layout" 'status:manifests/*1=503'
	expect 0 vmbake warm --quiet "$server/small:small"
	[ ! -s out ]
	[ ! -s err ] || fail "says $(cat err)"
	start_server one "$layout" 'status:manifests/*1=503'
	expect 0 vmbake warm --progress none --label noted "$server/small:small"
	grep -q 'trying again' err
}

it_says_what_failed_when_quiet() {
	expect 3 vmbake warm -q "$registry/small:1" "$registry/small:no-such-tag"
	[ ! -s out ]
	[ "$(wc -l <err)" -eq 2 ]
	grep -q "^vmbake: $registry/small:no-such-tag: " err
	[ "$(tail -n 1 err)" = "vmbake: 2 images: 0 warm already, 1 made, 1 failed" ]
}

run_promises
