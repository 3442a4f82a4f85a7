#!/usr/bin/env bash
# A bundle is there whole or not at all: imports that are killed, run out of room, meet each other
# or a removal.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/made_driver.sh
. "$root/tests/e2e/made_driver.sh"

made_flat "$work/flat"
made_modules "$work/modules"
made_root "$work/driver" "$work/flat"
libdir=$work/driver/usr/lib/x86_64-linux-gnu/nvidia/current
head -c 9M /dev/urandom >>"$libdir/libcuda.so.$made_version"

import() {
	vmbake driver import --modules "$work/modules" --json "$work/driver"
}

# What a store may hold: nothing, or the bundle. Never a draft once somebody else was there.
expect_whole_or_nothing() {
	expect 0 vmbake driver list --json
	jq -e '.drivers | length <= 1 and all(has("damage") | not)' out
	[ -z "$(find store/tmp -mindepth 1)" ] || fail "a draft is left: $(find store/tmp)"
}

# Syscalls at each of whose calls an import is killed; on which of them, strace counts a thread.
points='
mkdirat
pwritev
fsync
renameat
unlinkat
'

# killed_at SYSCALL NUMBER: false when there is no such call any more
killed_at() {
	local status=0

	strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2" \
		vmbake driver import --modules "$work/modules" "$work/driver" >out 2>err ||
		status=$?
	[ "$status" -ne 0 ] || return 1
	[ "$status" -eq 137 ] || fail "exit code $status at $1 $2: $(cat err)"
}

it_leaves_nothing_when_it_is_killed() {
	local call number killed=0

	command -v strace >/dev/null || skip "there is no strace"
	for call in $points; do
		for number in $(seq 20); do
			rm -rf store
			killed_at "$call" "$number" || break
			expect_whole_or_nothing
			killed=$((killed + 1))
		done
	done
	[ "$killed" -ge 20 ] || fail "killed at $killed points only"
	expect 0 import
	jq -e '.name' out >first
	rm -rf store
	expect 0 import
	jq -e '.name' out | diff first -
}

it_mends_what_a_killed_one_left() {
	command -v strace >/dev/null || skip "there is no strace"
	killed_at pwritev 1
	[ -n "$(find store/tmp -mindepth 1)" ] || fail "it was killed too early"
	expect 0 import
	[ "$(jq .wasThere out)" = false ]
	expect_whole_or_nothing
}

it_says_when_a_disk_is_full() {
	local call number

	command -v strace >/dev/null || skip "there is no strace"
	for call in pwritev write fsync; do
		for number in 1 2; do # the third write is the result's, when all is done
			rm -rf store
			expect 9 strace -f -qq -o /dev/null -e trace="$call" \
				-e inject="$call:error=ENOSPC:when=$number" vmbake driver import \
				--modules "$work/modules" "$work/driver"
			grep -q 'No space left' err
			expect_whole_or_nothing
			[ -z "$(ls store/drivers)" ]
		done
	done
}

namespaces=(--mount)
[ "$(id -u)" -eq 0 ] || namespaces=(--user --map-root-user --mount)

# In a namespace whose ./disk is too small; ./kept lists what the store holds then.
cat >"$work/import_to_disk" <<-'END'
	#!/bin/sh
	status=0
	vmbake driver import --store disk --modules "$1" "$2" || status=$?
	find disk/tmp disk/drivers -mindepth 1 >kept
	exit "$status"
END
chmod +x "$work/import_to_disk"

it_fits_into_no_disk_that_is_too_small() {
	local size

	unshare "${namespaces[@]}" true || skip "no namespaces here"
	for size in 64k 1m 5m 9m; do
		refuses 9 "No space left" unshare "${namespaces[@]}" \
			"$root/tests/e2e/in_disk.sh" "size=$size" "$work/import_to_disk" \
			"$work/modules" "$work/driver"
		[ ! -s kept ] || fail "left: $(cat kept)"
	done
}

it_is_done_once_by_many() {
	local number

	for number in 1 2 3 4; do
		import >"out.$number" &
	done
	for number in $(jobs -p); do
		wait "$number"
	done
	[ "$(cat out.? | jq -r .name | sort -u | wc -l)" = 1 ]
	[ "$(cat out.? | jq .wasThere | grep -c false)" = 1 ]
	expect_whole_or_nothing
	[ "$(jq '.drivers | length' out)" = 1 ]
}

it_meets_a_removal() {
	local number name

	expect 0 import
	name=$(jq -r .name out)
	for number in $(seq 8); do
		import >"out.$number" &
		vmbake driver rm "$name" >/dev/null 2>err || grep -q 'no driver' err
		wait $!
		[ "$(jq -r .name "out.$number")" = "$name" ]
		expect_whole_or_nothing
	done
	expect 0 import
	expect 0 vmbake driver inspect "$name"
}

run_promises
