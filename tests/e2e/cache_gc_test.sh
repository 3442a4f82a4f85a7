#!/usr/bin/env bash
# vmbake cache gc: what goes, in which order, and what never does.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo small
start_registry
for tag in demo zoo small; do
	push "$tag"
done

state() {
	find store -printf '%p %y %m %n %s %T@ %C@\n' | sort
}

# fill: three images in the store, of which the first was used first; zoo and demo share no layer
fill() {
	local tag

	for tag in zoo small demo; do
		expect 0 vmbake build --progress none "$registry/$tag:1"
	done
}

layers() {
	find store/layers/sha256 -mindepth 1 -maxdepth 1 -printf '%f\n' | sort
}

age() {
	find "$@" -exec touch -h -d '31 days ago' {} +
}

it_removes_what_was_not_used_for_a_month() {
	local kept

	fill
	age store/layers store/images
	bake "$registry/demo:1"
	kept=$(jq -rn '[inputs.layers[].digest] | length' <(
		skopeo inspect --raw "oci:$layout:demo" | jq '{ layers: .layers }'))
	expect 0 vmbake cache gc --json
	[ "$(layers | wc -l)" -eq "$kept" ] || fail "$(layers | wc -l) layers are left of $kept"
	[ -z "$(ls store/images)" ]
	jq -e '.removed | length > 3 and all(.why == "unused")' out
	jq -e '.inUse == [] and .failed == [] and .foreign == [] and .lackBytes == 0' out
	bake "$registry/demo:1"
	expect 0 vmbake cache gc --json
	jq -e '.removed == []' out
}

it_takes_another_age() {
	fill
	age store/layers store/images
	expect 0 vmbake cache gc --older-than 6w --json
	jq -e '.removed == []' out
	expect 0 vmbake cache gc --older-than 4w2d12h --json
	[ -z "$(layers)" ] && [ -z "$(ls store/images)" ]
	expect 0 vmbake build --progress none "$registry/demo:1"
	expect 0 vmbake cache gc --older-than 0s
	[ -z "$(layers)" ] && [ -z "$(ls store/images)" ]
	tail -n 1 out | grep -q ' removed, and locks that nobody holds, .*; 0 B left$'
}

# All of one age, so that only the limit decides.
it_removes_the_least_recently_used_until_it_fits() {
	local newest limit

	fill
	find store/images store/layers -name '*.ext4' -o -name data | sort | nl |
		while read -r number path; do
			touch -d "@$((1000000000 + number * 100))" "$path"
		done
	expect 0 vmbake cache list --json
	newest=$(jq -r '[.layers.items[], .images.items[]] | max_by(.lastUse).path' out)
	limit=$(jq '[.layers.items[], .images.items[]] | max_by(.lastUse).bytes' out)
	expect 0 vmbake cache gc --max-bytes "$limit" --json
	jq -e '.removed | all(.why == "room")' out
	jq -e '[.removed[].lastUse] | . == sort' out
	[ "$(find store/layers/sha256 store/images -mindepth 1 -maxdepth 1 -printf '%P\n')" = \
		"$(basename "$newest")" ]
	[ "$(jq .bytes out)" -le "$limit" ]
}

it_says_so_when_it_cannot_make_room() {
	fill
	refuses_with_result 9 'nothing else may go' vmbake cache gc --keep-free 1000T --json
	jq -e '.lackBytes > 0' out
	[ -z "$(layers)" ]
}

# refuses_with_result CODE WORDS COMMAND...: a result on stdout all the same
refuses_with_result() {
	expect "$1" "${@:3}"
	grep -qF "$2" err || fail "does not say '$2': $(cat err)"
	[ -s out ] || fail "no result"
}

it_removes_nothing_where_enough_is_free() {
	fill
	state >before
	expect 0 vmbake cache gc --keep-free 1M --json
	jq -e '.removed == []' out
	expect 0 vmbake cache gc --keep-free 0% --max-bytes 1T --json
	jq -e '.removed == []' out
	state | grep -v '^store/locks' | diff <(grep -v '^store/locks' before) - ||
		fail "the store has changed"
}

# On a file system of its own, whose blocks an image shares with its layers: what is free decides,
# not what was counted.
it_frees_until_enough_is_free() {
	local free number

	can_mount || skip "mounting needs root and a loop device"
	command -v mkfs.xfs >/dev/null || skip "there is no mkfs.xfs"
	truncate -s 1G disk
	mkfs.xfs -q -m reflink=1 disk
	mkdir store
	mount -o loop disk store || skip "this kernel has no XFS"
	fill
	for number in 1 2 3; do
		head -c 8M /dev/urandom >"store/kernels/$(printf "$number%.0s" {1..64})"
		touch -d "@$((1000000000 + number))" store/kernels/"$number"*
	done
	sync -f store
	free=$(df -B1 --output=avail store | tail -n 1)
	expect 0 vmbake cache gc --keep-free $((free + (12 << 20))) --json
	jq -e '[.removed[].name] == ["1", "2" | "sha256:" + . * 64]' out
	jq -e '.lackBytes == 0 and (.removed | all(.why == "room"))' out
	[ "$(df -B1 --output=avail store | tail -n 1)" -ge $((free + (12 << 20))) ]
	expect 9 vmbake cache gc --keep-free 100% --json
	jq -e '.lackBytes > 0 and .bytes < 65536' out
	umount store
}

it_changes_nothing_when_it_runs_dry() {
	fill
	mkdir store/tmp/0123456789abcdef
	echo >"store/blobs/sha256/$(printf 'a%.0s' {1..64}).part"
	rm store/locks/layer-* # none may be made either
	state >before
	expect 0 vmbake cache gc --max-bytes 0 --dry-run --json
	state | diff before - || fail "the store has changed"
	jq 'del(.dryRun, .removed[].lastUse)' out >would
	jq -e '.dryRun and .freedBytes > 0 and (.removed | length > 6)' out
	expect 0 vmbake cache gc --max-bytes 0 --dry-run
	grep -q ' would go ' out
	[ "$(grep -c ' removed ' out)" -eq 0 ]
	state | diff before - || fail "the store has changed"
	expect 0 vmbake cache gc --max-bytes 0 --json
	jq 'del(.dryRun, .removed[].lastUse)' out | diff would - || fail "it did something else"
}

it_clears_what_killed_processes_left() {
	local hex

	fill
	hex=$(printf 'b%.0s' {1..64})
	mkdir -p store/tmp/0123456789abcdef/removed
	echo >store/tmp/0123456789abcdef/removed/data
	echo >"store/blobs/sha256/$hex.part"
	echo >"store/images/.$hex.ext4.vmbake"
	echo >"store/kernels/.$hex.vmbake"
	expect 0 vmbake cache gc --json
	[ -e "store/blobs/sha256/$hex.part" ] # it may be fetched on, until tomorrow
	[ -z "$(find store/tmp store/kernels -mindepth 1)" ]
	[ ! -e "store/images/.$hex.ext4.vmbake" ]
	[ "$(jq '[.removed[] | select(.why == "leftover")] | length' out)" -eq 3 ]
	touch -d '25 hours ago' "store/blobs/sha256/$hex.part"
	expect 0 vmbake cache gc --json
	[ ! -e "store/blobs/sha256/$hex.part" ]
}

it_removes_lock_files_that_nobody_holds() {
	local held

	fill
	[ "$(find store/locks -type f | wc -l)" -gt 4 ]
	held=$(find store/locks -name 'layer-*' | head -n 1)
	exec 8<"$held"
	flock 8
	expect 0 vmbake cache gc --json
	jq -e '.removedLocks > 3 and .inUse == []' out
	[ "$(find store/locks -type f)" = "$held" ]
	exec 8<&-
	expect 0 vmbake cache gc
	[ -z "$(ls -A store/locks)" ]
	bake "$registry/demo:1"
}

it_leaves_what_is_in_use() {
	local image layer

	fill
	image=$(find store/images -name '*.ext4' | head -n 1)
	layer=$(find store/layers -name data | head -n 1)
	exec 7<"$image" 8<"$layer"
	refuses_with_result 9 'nothing else may go' vmbake cache gc --max-bytes 0 --json
	[ -e "$image" ] && [ -e "$layer" ]
	[ "$(layers | wc -l)" -eq 1 ] && [ "$(find store/images -type f | wc -l)" -eq 1 ]
	[ "$(jq -r '.inUse[].path' out | sort)" = \
		"$(printf '%s\n' "${image#store/}" "${layer#store/}" | sed 's,/data$,,' | sort)" ]
	exec 7<&- 8<&-
	expect 0 vmbake cache gc --max-bytes 0
	[ ! -e "$image" ] && [ ! -e "$layer" ]
}

it_leaves_what_is_not_ours() {
	local hex before

	fill
	hex=$(printf 'c%.0s' {1..64})
	mkdir -p store/layers/sha256/mine store/tmp/mine "store/layers/sha256/$hex" elsewhere
	echo diary >"store/layers/sha256/$hex/diary"
	echo mine | tee store/notes store/images/mine.ext4 elsewhere/file store/locks/mine
	ln -s "$PWD/elsewhere" "store/layers/sha256/$(printf 'd%.0s' {1..64})"
	ln -s "$PWD/elsewhere/file" "store/images/$hex.ext4"
	before=$(find store elsewhere \( -name mine\* -o -name notes -o -name diary -o -name file \
		-o -type l \) | sort)
	expect 0 vmbake cache gc --max-bytes 0 --json
	[ "$(jq '.foreign | length' out)" -eq 8 ]
	[ "$(find store elsewhere \( -name mine\* -o -name notes -o -name diary -o -name file \
		-o -type l \) | sort)" = "$before" ]
	[ "$(cat elsewhere/file)" = mine ]
}

it_goes_on_when_one_cannot_be_removed() {
	[ "$(id -u)" -eq 0 ] || skip "needs root to make a file immutable"
	fill
	image=$(find store/images -name '*.ext4' | head -n 1)
	chattr +i "$image" 2>/dev/null || skip "this file system has no immutable files"
	expect 12 vmbake cache gc --max-bytes 0 --json || { chattr -i "$image"; exit 1; }
	chattr -i "$image"
	[ "$(jq '.failed | length' out)" -eq 1 ]
	jq -e '.failed[0].message | contains("Operation not permitted")' out
	[ -z "$(layers)" ] && [ "$(find store/images -type f | wc -l)" -eq 1 ]
	grep -q 'could not be removed' err
}

# Killed at any of its steps: what has a name is whole, and the next build is none the worse.
it_leaves_nothing_half_removed_when_it_is_killed() {
	local call step status

	command -v strace >/dev/null || skip "there is no strace"
	for call in renameat unlinkat fsync mkdirat; do
		for step in 1 2 3; do
			rm -f store/images/*.ext4 # or its layers were not made again
			expect 0 vmbake build --progress none --keep-blobs "$registry/demo:1"
			strace -f -qq -o calls --inject="$call:signal=SIGKILL:when=$step" \
				vmbake cache gc --max-bytes 0 >out 2>err && status=0 || status=$?
			[ "$status" -eq 137 ] || fail "$call $step: it ended with $status"
			expect 0 vmbake cache check --json
			jq -e '.damaged == [] and .failed == []' out
		done
	done
	expect 0 vmbake cache gc --max-bytes 0
	[ -z "$(find store -mindepth 2 -not -path '*/sha256')" ]
}

it_refuses_wrong_words() {
	fill
	state >before
	refuses 2 '--older-than' vmbake cache gc --older-than 30
	refuses 2 '100%' vmbake cache gc --keep-free 101%
	refuses 2 'one word too many' vmbake cache gc all
	refuses 2 'list, gc or check' vmbake cache prune
	refuses 2 '--dry-run' vmbake cache check --dry-run
	state | diff before - || fail "the store has changed"
}

run_promises
