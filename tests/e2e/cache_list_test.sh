#!/usr/bin/env bash
# vmbake cache list: what the store holds, what it takes, when it was used; and that looking changes
# nothing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo
start_registry
push demo
push zoo

# A store with some of each kind but drivers.
fill() {
	expect 0 vmbake build --progress none --keep-blobs "$registry/demo:1"
	bake "$registry/zoo:1"
	rm image.ext4
}

# state: every name in the store, with what a change would show; access times aside
state() {
	find store -printf '%p %y %m %n %s %T@ %C@\n' | sort
}

layer_ids() {
	(cd store/layers/sha256 && printf 'sha256:%s\n' *) | sort
}

it_names_all_that_is_stored() {
	fill
	expect 0 vmbake cache list --json
	[ "$(jq -r .store out)" = "$PWD/store" ]
	[ "$(jq -r '.layers.items[].name' out | sort)" = "$(layer_ids)" ]
	[ "$(jq '.layers.count' out)" -eq "$(find store/layers/sha256 -mindepth 1 -maxdepth 1 |
		wc -l)" ]
	[ "$(jq '.images.count' out)" -eq 1 ]
	[ "$(jq '.blobs.count' out)" -eq "$(find store/blobs -type f | wc -l)" ]
	[ "$(jq '.locks.count' out)" -eq "$(find store/locks -type f | wc -l)" ]
	jq -e '.blobs.count > 0 and (.blobs.items | all(.isPart == false))' out
	jq -e '[.layers, .images, .blobs | .items[] | .path] | all(startswith("/") | not)' out
	jq -r '[.layers, .images, .blobs | .items[] | .path][]' out | while read -r path; do
		[ -e "store/$path" ] || fail "there is no $path"
	done
	jq -e '.foreign == [] and .drafts.count == 0 and .drivers.count == 0' out
}

it_joins_with_what_build_says() {
	expect 0 vmbake build --progress none --json "$registry/demo:1"
	mv out built
	expect 0 vmbake cache list --json
	[ "$(jq -c '[.image.layers[].diffId] | unique' built)" = \
		"$(jq -c '[.layers.items[].name] | sort' out)" ]
	[ "$(jq -r .key built)" = "$(jq -r '.images.items[0].name' out)" ]
	[ "$(jq -r .file built)" = "$PWD/store/$(jq -r '.images.items[0].path' out)" ]
}

it_counts_blocks_on_the_disk() {
	fill
	sync store/images/*
	expect 0 vmbake cache list --json
	[ "$(jq '[.layers, .images, .blobs, .kernels, .drivers, .drafts, .locks
		| .items[].bytes] | add' out)" -eq "$(jq '[.layers, .images, .blobs, .kernels,
		.drivers, .drafts, .locks | .bytes] | add' out)" ]
	[ "$(jq .images.bytes out)" -eq "$(du -B1 store/images/*.ext4 | cut -f1)" ]
	[ "$(jq .layers.bytes out)" -eq \
		"$(du -scB1 store/layers/sha256/* | tail -n 1 | cut -f1)" ]
	jq -e '.fileSystem.size > .fileSystem.free and .fileSystem.free > 0' out
}

it_tells_when_a_build_last_used_each() {
	fill
	find store -type f -exec touch -d @1000000000 {} +
	bake --keep-blobs "$registry/demo:1"
	expect 0 vmbake cache list --json
	jq -e '[.layers.items[] | .lastUse > 1000000000] | any and (all | not)' out
	jq -e '.images.items[0].lastUse == 1000000000' out
	expect 0 vmbake build --progress none "$registry/demo:1"
	expect 0 vmbake cache list --json
	jq -e '.images.items[0].lastUse > 1000000000' out
}

it_prints_a_table_for_people() {
	fill
	expect 0 vmbake cache list
	[ ! -s err ]
	head -n 1 out | grep -Eq '^KIND +NAME +SIZE +ENTRIES +LAST USE$'
	[ "$(grep -c '^layer ' out)" -eq "$(find store/layers/sha256 -mindepth 1 -maxdepth 1 |
		wc -l)" ]
	grep -Eq "^image +$(basename store/images/*.ext4 | cut -c 1-12) .* $(date +%Y-)" out
	tail -n 1 out | grep -Eq "^$PWD/store: .* layers of .*, 1 image of "
}

it_changes_nothing_and_needs_no_right_to_write() {
	fill
	mkdir store/tmp/0123456789abcdef # as a killed process leaves it
	state >before
	expect 0 vmbake cache list
	expect 0 vmbake cache list --json
	jq -e '.drafts.count == 1' out
	state | diff before - || fail "the store has changed"
	[ "$(id -u)" -eq 0 ] || return 0
	chmod a+rx "$work"
	chmod -R a+rX .
	expect 0 setpriv --reuid 65534 --clear-groups "$root/vmbake" cache list --store "$PWD/store"
}

it_says_what_is_not_ours() {
	fill
	echo mine >store/notes
	mkdir store/layers/sha256/backup
	ln -s /etc/passwd "store/images/$(printf 'a%.0s' {1..64}).ext4"
	touch "store/locks/$(printf 'evil\033[2Jname')"
	expect 0 vmbake cache list --json
	jq -e '.foreign | length == 4 and contains(["notes", "layers/sha256/backup"])' out
	expect 0 vmbake cache list
	[ "$(grep -c "not vmbake's, left alone" out)" -eq 4 ]
	! grep -q "$(printf '\033')" out || fail "an escape sequence got through"
}

it_tells_apart_no_store_and_an_empty_one() {
	refuses 3 nowhere vmbake cache list --store nowhere
	[ ! -e nowhere ]
	mkdir empty
	expect 0 vmbake cache list --json --store empty
	jq -e '.bytes == 0 and .layers.count == 0 and .layers.items == []' out
	[ -z "$(ls -A empty)" ]
}

it_says_what_an_image_shares_on_xfs() {
	can_mount || skip "mounting needs root and a loop device"
	command -v mkfs.xfs >/dev/null || skip "there is no mkfs.xfs"
	truncate -s 1G disk
	mkfs.xfs -q -m reflink=1 disk
	mkdir xfs
	mount -o loop disk xfs || skip "this kernel has no XFS"
	expect 0 vmbake build --progress none --store xfs/store "$registry/zoo:1"
	sync -f xfs
	expect 0 vmbake cache list --json --store xfs/store
	umount xfs
	jq -e '.images.items[0] | .sharedBytes > 0 and .sharedBytes < .bytes' out
	jq -e '.bytes == ([.layers, .images, .locks | .bytes] | add) - .images.sharedBytes' out
}

run_promises
