#!/usr/bin/env bash
# An initrd holds what the kernel needs to reach its root, and nothing that changes from run to run.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2
modules=$(echo "$build"/debian/linux-image/lib/modules/*)

it_is_an_archive_that_cpio_reads() {
	expect 0 vmbake initrd --modules "$modules" -o initrd.img
	cpio --quiet -t <initrd.img >names
	grep -qx init names
	grep -q '/virtio_blk\.ko$' names
	grep -q '/virtio_pci\.ko$' names
}

it_has_the_same_bytes_each_time() {
	vmbake initrd --modules "$modules" -o first.img
	cp -r "$modules" elsewhere
	sleep 1.1
	vmbake initrd --modules elsewhere -o second.img
	cmp first.img second.img
}

it_takes_compressed_modules() {
	mkdir folder
	cp -r "$modules/kernel" folder/
	find folder -name '*.ko' -path '*virtio*' -exec xz {} +
	expect 0 vmbake initrd --modules folder -o initrd.img
	cpio --quiet -t <initrd.img | grep -q '/virtio_blk\.ko$'
}

it_packs_a_module_on_request() {
	expect 0 vmbake initrd --modules "$modules" --load fuse -o initrd.img
	cpio --quiet -t <initrd.img | grep -q '/fuse\.ko$'
}

it_names_a_module_that_is_not_there() {
	refuses 3 no_such_module vmbake initrd --modules "$modules" --load no_such_module \
		-o initrd.img
	[ ! -e initrd.img ]
}

it_names_a_folder_that_is_not_there() {
	refuses 3 no-folder vmbake initrd --modules no-folder -o initrd.img
	[ ! -e initrd.img ]
}

it_names_a_module_that_is_broken() {
	mkdir folder
	cp -r "$modules/kernel" folder/
	find folder -name virtio_blk.ko -exec truncate -s 5000 {} +
	refuses 8 virtio_blk vmbake initrd --modules folder -o initrd.img
	[ ! -e initrd.img ]
}

run_promises
