#!/usr/bin/env bash
# Layers that are many, empty, the same, sparse or made to burst: all the way into an image, and how
# much memory that takes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

for image in deep sparse bomb wide wide-zstd windows folders many; do
	"$root/tests/e2e/layers_image.py" "$layout" "$image"
done

# size_and_blocks PATH: bytes, and what they take in blocks of 512
size_and_blocks() {
	debugfs -R "stat $1" image.ext4 2>/dev/null |
		sed -nE 's/^User:.* Size: ([0-9]+)$/\1/p; s/.*Blockcount: ([0-9]+)$/\1/p' |
		tr '\n' ' '
}

# More than 127, which is all that overlay can stack; most of them empty or one and the same.
it_bakes_two_hundred_and_ten_layers() {
	bake --json "oci:$layout:deep"
	jq -e '.image.layers | length == 210' out
	jq -e '.fetchedLayers == 72' out
	check_filesystem image.ext4
	compare_with_umoci image.ext4 deep
}

it_bakes_a_sparse_file_of_150_gib() {
	bake "oci:$layout:sparse"
	check_filesystem image.ext4
	[ "$(size_and_blocks /large)" = "161061273600 16 " ]
	[ "$(inside image.ext4 /large | head -c 5)" = start ]
	[ "$(debugfs -R "ex /large" image.ext4 2>/dev/null | awk '$1 ~ /^0/' | wc -l)" -eq 2 ]
}

# It is legal, and nothing but a hole in the end: neither in the store nor in the image.
it_bakes_a_bomb_of_zeros_without_writing_them() {
	bake "oci:$layout:bomb"
	check_filesystem image.ext4
	[ "$(size_and_blocks /zeros)" = "2147483648 0 " ]
	[ "$(find store/layers -name data -size +0 | wc -l)" -eq 0 ]
}

it_refuses_a_bomb_past_the_cap() {
	refuses 7 'over 1073741824 bytes' vmbake build --progress none -o image.ext4 \
		--max-bytes 1G "oci:$layout:bomb"
	expect_no_trace
}

it_refuses_a_bomb_past_the_ratio() {
	refuses 7 'over 100 times its size' vmbake build --progress none -o image.ext4 \
		--max-ratio 100 "oci:$layout:bomb"
	expect_no_trace
}

it_refuses_an_image_whose_layers_are_past_a_cap_together() {
	refuses 7 'the image has over 999 entries' vmbake build --progress none -o image.ext4 \
		--max-entries 999 "oci:$layout:many"
	refuses 7 "the image's files are over 4000000 bytes" vmbake build --progress none \
		-o image.ext4 --max-bytes 4000000 "oci:$layout:many"
	[ "$(find store/layers -name data | wc -l)" -lt 10 ] # and not first when all are unpacked
	vmbake build --progress none -o image.ext4 --max-entries 1010 "oci:$layout:many"
}

it_counts_folders_that_no_entry_describes() {
	refuses 7 'over 1000 names' vmbake build --progress none -o image.ext4 \
		--max-entries 1000 "oci:$layout:folders"
	vmbake build --progress none -o image.ext4 --max-entries 1001 "oci:$layout:folders"
	check_filesystem image.ext4
}

# stays_within MIB COMMAND...: its peak of memory
stays_within() {
	local most=$1

	shift
	expect 0 env time -o peak -f %M "$@"
	[ "$(cat peak)" -le $((most << 10)) ] || fail "$(cat peak) KiB, the most is $most MiB"
}

# 64 MiB and 250 bytes an entry, of which there are forty; layers of 6 MiB fill every buffer.
it_takes_no_more_memory_for_more_layers_at_a_time() {
	local jobs image

	for jobs in 16 32 200; do
		for image in wide wide-zstd; do
			stays_within 64 vmbake build --progress none --jobs "$jobs" --store store \
				-o image.ext4 "oci:$layout:$image"
			rm -rf store
		done
	done
	check_filesystem image.ext4
}

# A window is as large as its blob says: one is allowed beyond, two of them take turns.
it_unpacks_layers_with_large_windows_one_by_one() {
	stays_within 96 vmbake build --progress none --jobs 2 --store store -o image.ext4 \
		"oci:$layout:windows"
	check_filesystem image.ext4
}

run_promises
