#!/usr/bin/env bash
# Layers that are many, empty, the same, sparse or made to burst: all the way into an image.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

for image in deep sparse bomb; do
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

run_promises
