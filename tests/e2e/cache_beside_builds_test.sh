#!/usr/bin/env bash
# cache gc and cache check beside builds that use the same store, over and over: no build may fail,
# and each gives the bytes that it always gives.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo
start_registry
push demo
push zoo
seconds=${VMBAKE_CACHE_SECONDS:-5}

# over_and_over NAME COMMAND...: until the time is over or it fails; counts in ./fake.NAME.count
over_and_over() {
	local name=$1 until=$((SECONDS + seconds)) count=0

	shift
	while [ $SECONDS -lt $until ]; do
		"$@" >"fake.$name.out" 2>"fake.$name.err" || {
			echo "$name: $*: $(tail -n 5 "fake.$name.err")" >>fake.failures
			return
		}
		count=$((count + 1))
		echo "$count" >"fake.$name.count"
	done
}

# Small ones, so that the loops are about the store.
build() {
	vmbake build --progress none --free 4M "$@"
}

# build_and_compare WANTED FILE OPTION...
build_and_compare() {
	build -o "$2" "${@:3}" && cmp "$1" "$2"
}

# What is in use may be in the way of a limit.
collect() {
	local status=0

	vmbake cache gc "$@" || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 9 ]
}

expect_no_failure() {
	[ ! -e fake.failures ] || fail "$(cat fake.failures)"
	for name in "$@"; do
		[ "$(cat "fake.$name.count")" -ge 2 ] || fail "$name did not run twice"
	done
	expect 0 vmbake cache check --json
	jq -e '.damaged == [] and .failed == []' out
	expect 0 vmbake cache gc --max-bytes 0
	[ -z "$(find store -mindepth 2 -not -path '*/sha256')" ]
}

wanted() {
	expect 0 build -o demo.ext4 "$registry/demo:1"
	expect 0 build -o zoo.ext4 "$registry/zoo:1"
	rm -rf store/*
}

it_takes_away_nothing_that_a_build_needs() {
	wanted
	over_and_over demo build_and_compare demo.ext4 a.ext4 "$registry/demo:1" &
	over_and_over kept build_and_compare demo.ext4 b.ext4 --keep-blobs "$registry/demo:1" &
	over_and_over zoo build_and_compare zoo.ext4 c.ext4 "oci:$layout:zoo" &
	over_and_over store build "$registry/zoo:1" &
	over_and_over same build "$registry/zoo:1" &
	over_and_over all collect --max-bytes 0 &
	over_and_over old collect --older-than 0s --json &
	wait
	expect_no_failure demo kept zoo store same all old
}

it_finds_nothing_damaged_that_is_only_being_made() {
	wanted
	over_and_over demo build_and_compare demo.ext4 a.ext4 --keep-blobs "$registry/demo:1" &
	over_and_over store build "$registry/zoo:1" &
	over_and_over all collect --max-bytes 0 &
	over_and_over check vmbake cache check --repair --json &
	over_and_over list vmbake cache list --json &
	wait
	expect_no_failure demo store all check list
}

run_promises
