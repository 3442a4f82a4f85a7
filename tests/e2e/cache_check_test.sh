#!/usr/bin/env bash
# vmbake cache check: what is stored is read and held against its checksums; what is damaged is
# named, removed when told to, and made anew by the next build.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/made_driver.sh
. "$root/tests/e2e/made_driver.sh"

make_images demo zoo
start_registry
push demo
push zoo
made_flat "$work/flat"
made_modules "$work/modules"
made_root "$work/driver" "$work/flat"

# turn FILE OFFSET: one bit of it
turn() {
	python3 -c 'import os, sys
file = os.open(sys.argv[1], os.O_RDWR)
at = int(sys.argv[2])
os.pwrite(file, bytes([os.pread(file, 1, at)[0] ^ 4]), at)' "$1" "$2"
}

# One image of each kind: plain and with a hash tree; its layers and blobs.
fill() {
	expect 0 vmbake build --progress none --keep-blobs "$registry/zoo:1"
	expect 0 vmbake build --progress none --keep-blobs --verity "$registry/demo:1"
}

import() {
	expect 0 vmbake driver import --modules "$work/modules" --json "$work/driver"
}

# finds KIND PATH WORDS: that one thing and no other is damaged
finds() {
	expect 6 vmbake cache check --json
	[ "$(jq -c '[.damaged[] | [.kind, .path]]' out)" = "[[\"$1\",\"$2\"]]" ] ||
		fail "$(jq -c .damaged out)"
	jq -e --arg words "$3" '.damaged[0] | .removed == false and (.message | contains($words))' \
		out || fail "$(jq -c .damaged out)"
	jq -e '.error.kind == "integrity"' err
	expect 6 vmbake cache check --progress none
	grep -q "^$1 .* is damaged: .*$3" out
	grep -q -- '1 of .* are damaged (--repair removes what is)' err
}

# The first byte of any block of data belongs to a body.
middle_of() {
	echo $(($(stat -c %s "$1") >> 13 << 12))
}

some_layer() {
	find store/layers/sha256 -name data -size +0 -printf '%s %h\n' | sort -n | tail -n 1 |
		cut -d ' ' -f 2
}

# The image without a hash tree behind the file system, and the one with.
plain_image() {
	local image

	for image in store/images/*.ext4; do
		veritysetup dump --hash-offset "$(size_of "$image")" "$image" >/dev/null 2>&1 ||
			echo "$image"
	done
}

size_of() {
	dumpe2fs -h "$1" 2>/dev/null | awk '/^Block count:/ { print $3 * 4096 }'
}

it_finds_nothing_in_a_sound_store() {
	fill
	import
	expect 0 vmbake cache check --json
	jq -e '.damaged == [] and .failed == [] and .foreign == []' out
	jq -e '.checked | .images == 2 and .drivers == 1 and .layers > 3 and .blobs > 3' out
	[ "$(jq .readBytes out)" -gt "$(find store/layers -name data -printf '%s\n' |
		awk '{ sum += $1 } END { print sum }')" ]
	[ ! -s err ]
	expect 0 vmbake cache check --jobs 1 --progress none
	[ ! -s err ]
	tail -n 1 out | grep -Eq 'store: [0-9]+ checked, .* read, 0 damaged$'
}

it_finds_a_damaged_body_and_names_its_file() {
	local layer

	fill
	layer=$(some_layer)
	turn "$layer/data" "$(middle_of "$layer/data")"
	finds layer "${layer#store/}" 'the body of '
	bake "$registry/zoo:1" # which does not look, and says nothing
}

it_finds_damage_in_each_kind_of_thing() {
	local layer image blob driver

	fill
	import
	layer=$(some_layer)
	cp -a store whole
	restore() {
		rm -rf store
		cp -a whole store
	}

	turn "$layer/index" 200
	finds layer "${layer#store/}" 'damaged'
	restore
	truncate -s -4096 "$layer/data"
	finds layer "${layer#store/}" 'does not fit its index'
	restore
	rm "$layer/data"
	finds layer "${layer#store/}" 'No such file'
	restore
	mv "$layer" "store/layers/sha256/$(printf 'a%.0s' {1..64})"
	finds layer "layers/sha256/$(printf 'a%.0s' {1..64})" 'does not fit its index'
	restore

	blob=$(find store/blobs -type f | sort | head -n 1)
	turn "$blob" 20
	finds blob "${blob#store/}" 'another digest'
	restore

	driver=$(find store/drivers -name data)
	turn "$driver" 4096
	finds driver "$(dirname "${driver#store/}")" 'the body of '
	restore
	turn "$(dirname "$driver")/vmbake-driver.json" 30
	finds driver "$(dirname "${driver#store/}")" ''
	restore

	for image in store/images/*.ext4; do
		chmod u+w "$image"
		turn "$image" $((1024 + 100))
		finds image "${image#store/}" ''
		restore
	done
	mv store/images/*.ext4 .
	image=store/images/$(printf 'a%.0s' {1..64}).ext4
	mv "$(printf '%s\n' ./*.ext4 | head -n 1)" "$image"
	finds image "${image#store/}" 'of another key'
}

# An inode's own checksum, or a file's bytes by the hash tree.
it_finds_damage_inside_of_images() {
	local image

	command -v veritysetup >/dev/null || skip "there is no veritysetup"
	fill
	image=$(plain_image)
	[ "$(wc -w <<<"$image")" -eq 1 ]
	cp -a store whole
	chmod u+w "$image"
	turn "$image" "$(inode_at "$image" /etc)"
	finds image "${image#store/}" ''
	rm -rf store
	cp -a whole store
	image=$(find store/images -name '*.ext4' ! -path "$image")
	chmod u+w "$image"
	turn "$image" "$(body_at "$image" /usr/bin/busybox)"
	finds image "${image#store/}" 'dm-verity'
}

# inode_at IMAGE PATH: where its inode lies
inode_at() {
	debugfs -R "imap $2" "$1" 2>/dev/null | python3 -c 'import re, sys
where = r"located at block (\d+), offset 0x([0-9a-f]+)"
block, offset = re.search(where, sys.stdin.read()).groups()
print(int(block) * 4096 + int(offset, 16) + 4)'
}

body_at() {
	debugfs -R "bmap $2 3" "$1" 2>/dev/null | awk '{ print $1 * 4096 + 77 }'
}

it_removes_what_is_damaged_and_the_next_build_makes_it_anew() {
	local layer blob wanted

	fill
	bake "$registry/zoo:1"
	mv image.ext4 wanted.ext4
	layer=$(some_layer)
	blob=$(find store/blobs -type f | sort | head -n 1)
	wanted=$(find store/layers -type f | sort)
	turn "$layer/data" "$(middle_of "$layer/data")"
	turn "$blob" 20
	expect 6 vmbake cache check --repair --json
	jq -e '.damaged | length == 2 and all(.removed)' out
	[ ! -e "$layer" ] && [ ! -e "$blob" ]
	[ -z "$(ls store/tmp)" ] && [ -z "$(find store/locks -newer out)" ]
	expect 0 vmbake cache check --json
	bake "$registry/zoo:1"
	cmp image.ext4 wanted.ext4
	rm store/images/*
	expect 0 vmbake build --progress none --verity "$registry/demo:1"
	[ "$(find store/layers -type f | sort)" = "$wanted" ]
	expect 0 vmbake cache check --json
}

it_leaves_what_is_being_made() {
	local layer

	fill
	layer=$(some_layer)
	turn "$layer/data" "$(middle_of "$layer/data")"
	exec 8>"store/locks/layer-$(basename "$layer")"
	flock 8
	expect 6 vmbake cache check --repair --json
	jq -e '.damaged[0].removed == false' out
	[ -e "$layer/data" ]
	expect 6 vmbake cache check --repair --progress none
	grep -q 'in use, so it stays' out
	exec 8<&-
	expect 6 vmbake cache check --repair --json
	[ ! -e "$layer" ]
}

it_says_how_far_it_is() {
	fill
	head -c 200M /dev/zero | tr '\0' x >blob
	mv blob "store/blobs/sha256/$(sha256sum blob | cut -c 1-64)"
	expect 0 vmbake cache check --progress json
	! grep -v '^{"progress":{.*"check":{"done":[0-9]*,"expected":[0-9]*}}}$' err ||
		fail "said something else"
}

it_says_what_it_did_not_look_at() {
	fill
	echo mine >store/layers/sha256/mine
	expect 0 vmbake cache check --json
	jq -e '.foreign == ["layers/sha256/mine"]' out
	refuses 3 nowhere vmbake cache check --store nowhere
}

run_promises
