#!/usr/bin/env bash
# The same image gives the same bytes, whatever the store holds and however many threads work.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo small epoch undated
start_registry
for tag in demo zoo; do
	push "$tag"
done

same() {
	cmp image.ext4 other.ext4 || fail "the images differ"
}

# again [OPTION...] IMAGE: a second image, with another store.
again() {
	expect 0 vmbake build --progress none --store other-store -o other.ext4 "$@"
}

it_does_not_depend_on_the_thread_count_or_the_store() {
	bake --jobs 1 "$registry/zoo:1"
	again --jobs 8 "$registry/zoo:1"
	same
}

it_does_not_depend_on_warm_or_cold() {
	bake "$registry/zoo:1"
	mv image.ext4 other.ext4
	bake "$registry/zoo:1"
	same
}

it_does_not_depend_on_where_the_image_came_from() {
	bake "$registry/demo:1"
	again "oci:$layout:demo"
	same
}

# tmpfs has no reflink, no fiemap, and other rules for temporary files.
it_does_not_depend_on_the_hosts_file_system() {
	[ -w /dev/shm ] || fail "/dev/shm is not writable"
	bake "oci:$layout:zoo"
	mkdir other-place
	elsewhere=$(mktemp -d /dev/shm/vmbake-e2e.XXXXXX)
	expect 0 vmbake build --progress none --store "$elsewhere/store" -o "$elsewhere/image" \
		"oci:$layout:zoo" || { rm -rf "$elsewhere"; exit 1; }
	mv "$elsewhere/image" other.ext4
	rm -rf "$elsewhere"
	same
}

it_does_not_depend_on_the_clock_or_the_environment() {
	bake "oci:$layout:zoo"
	export TZ=Asia/Tokyo LC_ALL=C LANG=tr_TR.UTF-8 HOME=/nonexistent
	umask 077
	sleep 1.1
	again "oci:$layout:zoo"
	same
}

time_of() {
	debugfs -R "stat /etc" "$1" 2>/dev/null | sed -n 's/^ *ctime: 0x\([0-9a-f]*\).*/\1/p'
}

it_takes_its_time_from_the_image() {
	bake "oci:$layout:small"
	[ "$(time_of image.ext4)" = "$(printf %x 1700000000)" ]
}

it_takes_source_date_epoch_before_the_images_time() {
	SOURCE_DATE_EPOCH=1000000000 bake "oci:$layout:small"
	[ "$(time_of image.ext4)" = "$(printf %x 1000000000)" ]
}

# libext2fs takes 0 for "now", so 1970 is where a clock would leak in.
it_keeps_1970() {
	bake "oci:$layout:epoch"
	sleep 1.1
	again "oci:$layout:epoch"
	same
	[ "$(time_of image.ext4)" = 00000001 ]
	check_filesystem image.ext4
}

it_is_fixed_without_any_time_given() {
	bake "oci:$layout:undated"
	sleep 1.1
	again "oci:$layout:undated"
	same
	SOURCE_DATE_EPOCH=0 again "oci:$layout:undated"
	same
}

run_promises
