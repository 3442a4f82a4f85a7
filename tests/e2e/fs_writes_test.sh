#!/usr/bin/env bash
# Metadata goes to the image sorted, in one write for each stretch without a gap.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# writes_of FOLDER: "OFFSET BYTES" for each write to the image before the first body
writes_of() {
	strace -f -qq -s 0 -e trace=ftruncate,pwrite64,pwritev,pwritev2,write,ioctl -o calls \
		vmbake build --progress none -o image.ext4 "oci:$1" >out
	"$root/tests/e2e/image_writes.py" calls
}

is_sorted_without_neighbours() {
	command -v strace >/dev/null || skip "there is no strace"
	writes_of "$1" >writes
	cat writes
	[ "$(wc -l <writes)" -ge 5 ]
	awk 'NR > 1 && $1 <= end { exit 1 } { end = $1 + $2 }' writes ||
		fail "not one write a stretch"
	check_filesystem image.ext4
}

it_writes_each_stretch_of_a_large_directory_s_image_once() {
	"$root/tests/bench/make_many.py" layout 50000 1
	is_sorted_without_neighbours layout
}

it_writes_each_stretch_of_many_directories_image_once() {
	"$root/tests/bench/make_many.py" layout 20000 4000
	is_sorted_without_neighbours layout
}

run_promises
