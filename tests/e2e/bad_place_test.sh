#!/usr/bin/env bash
# Whatever is wrong with the machine or the command line: the right exit code, one sentence, no
# output, and the next build works. Killing vmbake is no harm either.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

make_images demo zoo small
manifest=$(jq -r '.manifests[] | select(.annotations[] == "zoo") | .digest' "$layout/index.json")
blob=$(jq -r '.layers[0].digest' "$layout/blobs/${manifest/://}")
config=$(jq -r '.config.digest' "$layout/blobs/${manifest/://}")
content=$(jq -r '.rootfs.diff_ids[0]' "$layout/blobs/${config/://}")

# A file system of its own for one command, without root inside a user namespace.
namespaces=(--mount)
[ "$(id -u)" -eq 0 ] || namespaces+=(--map-root-user)

needs_disk() {
	unshare "${namespaces[@]}" mount -t tmpfs tmpfs . || skip "no right to mount a tmpfs"
}

# in_disk MOUNT_OPTIONS COMMAND...: with ./disk, gone afterwards; ./left lists the files left there.
in_disk() {
	unshare "${namespaces[@]}" "$root/tests/e2e/in_disk.sh" "$@"
}

works_afterwards() {
	bake "oci:$layout:small"
	check_filesystem image.ext4
	[ "$(inside image.ext4 /etc/text)" = small ]
}

it_says_when_the_outputs_disk_is_full() {
	needs_disk
	refuses 9 disk/image.ext4 in_disk size=2m \
		vmbake build --progress none -o disk/image.ext4 "oci:$layout:zoo"
	[ ! -s left ] || fail "left on the disk: $(cat left)"
	works_afterwards
}

it_says_when_the_stores_disk_is_full() {
	needs_disk
	refuses 9 "No space left" in_disk size=2m \
		vmbake build --progress none --store disk/store -o image.ext4 "oci:$layout:zoo"
	[ ! -e image.ext4 ]
	! grep -E "^disk/store/(layers/${content/://}|tmp|images)/" left ||
		fail "left in the store"
	works_afterwards
}

it_says_how_much_an_image_that_is_too_small_needs() {
	refuses 9 "needs" vmbake build --progress none --size 2M -o image.ext4 "oci:$layout:zoo"
	expect_no_trace
	works_afterwards
}

it_names_an_output_that_cannot_be_written() {
	needs_disk
	refuses 12 disk/image.ext4 in_disk ro \
		vmbake build --progress none -o disk/image.ext4 "oci:$layout:small"
	works_afterwards
}

it_names_a_store_that_cannot_be_written() {
	needs_disk
	refuses 12 disk/store in_disk ro \
		vmbake build --progress none --store disk/store -o image.ext4 "oci:$layout:small"
	[ ! -e image.ext4 ]
	works_afterwards
}

it_names_an_output_folder_that_is_missing() {
	refuses 3 no-folder/image.ext4 \
		vmbake build --progress none -o no-folder/image.ext4 "oci:$layout:small"
	expect_no_trace
	works_afterwards
}

it_refuses_a_folder_as_output() {
	mkdir folder
	refuses 2 folder vmbake build --progress none -o folder "oci:$layout:small"
	rmdir folder
	expect_no_trace
}

it_keeps_the_old_output_when_a_build_fails() {
	bake "oci:$layout:small"
	cp image.ext4 before
	expect 3 vmbake build --progress none -o image.ext4 "oci:$layout:no-such-tag"
	cmp image.ext4 before
}

it_refuses_a_command_line_that_is_off() {
	refuses 2 vmbake vmbake
	refuses 2 bakee vmbake bakee
	refuses 2 IMAGE vmbake build
	refuses 2 second vmbake build "oci:$layout:small" second
	refuses 2 --no-such-option vmbake build --no-such-option x
	refuses 2 --output vmbake build "oci:$layout:small" --output
	refuses 2 --size vmbake build --size 3X "oci:$layout:small"
	refuses 2 --jobs vmbake build --jobs 0 "oci:$layout:small"
	refuses 2 --progress vmbake build --progress loud "oci:$layout:small"
	refuses 2 --free vmbake build --free -1 "oci:$layout:small"
	refuses 2 windows-like vmbake build --platform windows-like/a/b/c/d "oci:$layout:small"
	refuses 2 'UPPER CASE' vmbake build 'host/UPPER CASE:1'
	refuses 2 sha256:12 vmbake build host/name@sha256:12
}

it_says_errors_in_json_when_asked() {
	expect 3 vmbake build --json -o image.ext4 "oci:$layout:no-such-tag"
	jq -e '.error.kind == "not-found" and (.error.message | contains("no-such-tag"))' err
	[ "$(wc -l <err)" -eq 1 ]
	expect 2 vmbake build --json --no-such-option
	jq -e '.error.kind == "usage"' err
}

it_explains_itself() {
	expect 0 vmbake --help
	grep -qE '^  build +IMAGE' out
	expect 0 vmbake build --help
	grep -q -- '--platform' out
	expect 0 vmbake --version
	grep -qE '^vmbake [0-9]+\.[0-9]+' out
}

# Starts a build that hangs in the middle of its first layer, and waits until it must be there.
start_hanging_build() {
	local half

	half=$(($(stat -c %s "$layout/blobs/${blob/://}") / 2))
	start_server faulty "$layout" "stall:blobs/$blob=$half"
	vmbake build --progress none -o image.ext4 "$server/zoo:zoo" &
	hanging=$!
	for _ in $(seq 100); do
		if grep -qF "$blob" fake.faulty; then
			sleep 0.5
			return
		fi
		sleep 0.05
	done
	fail "the build did not ask for its blob: $(cat fake.faulty)"
}

# What is whole has a name in the store, and nothing else has; the next run clears the rest.
has_nothing_half_done() {
	[ ! -e "store/layers/${content/://}" ] || fail "half a layer has its name"
	[ -z "$(ls store/images)" ] || fail "half an image has its name"
	bake "oci:$layout:small"
	[ -z "$(ls -A store/tmp)" ] || fail "left in the store: $(ls -A store/tmp)"
	rm image.ext4
}

it_loses_nothing_but_its_work_when_killed() {
	start_hanging_build
	kill -KILL "$hanging"
	wait "$hanging" || true
	[ ! -e image.ext4 ]
	has_nothing_half_done
	bake --json "oci:$layout:zoo"
	check_filesystem image.ext4
	mv image.ext4 other.ext4
	bake --store other-store "oci:$layout:zoo"
	cmp image.ext4 other.ext4
}

it_goes_on_with_the_blob_of_a_killed_build() {
	start_hanging_build
	kill -KILL "$hanging"
	wait "$hanging" || true
	start_server sound "$layout"
	bake "$server/zoo:zoo"
	check_filesystem image.ext4
	[ "$(requests sound '.range | test("^bytes=[1-9]")')" -gt 0 ] ||
		fail "fetched all of it again: $(cat fake.sound)"
}

ends_by_signal() {
	local status=0

	start_hanging_build
	kill "-$1" "$hanging"
	wait "$hanging" || status=$?
	[ "$status" -eq "$2" ]
	[ ! -e image.ext4 ]
	has_nothing_half_done
}

it_ends_by_the_signals_code() {
	ends_by_signal TERM 143
}

# Not of a shell's background job, for which SIGINT is ignored.
it_ends_by_the_interrupts_code() {
	set -m
	ends_by_signal INT 130
}

run_promises
