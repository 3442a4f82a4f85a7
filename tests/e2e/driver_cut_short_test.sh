#!/usr/bin/env bash
# Files that end too early: before they are opened, and while vmbake has them mapped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/made_driver.sh
. "$root/tests/e2e/made_driver.sh"

kernel=$build/debian/linux-image
"$root/mk/fetch.sh" linux-image-cloud-amd64 "$kernel"
vmlinuz=$(echo "$kernel"/boot/vmlinuz-*)

prepare() {
	made_flat "$work/flat"
	made_modules "$work/modules"
	made_root "$work/driver" "$work/flat"
	head -c 3M /dev/urandom >>"$work/modules/nvidia-current.ko"
	head -c 3M /dev/urandom >>"$work/flat/nvidia.icd"
	made_manifest "$work/flat/.manifest"
	made_nvidia_run "$work/made.run" "$work/flat" cat
	gcc -shared -fPIC -o "$work/cut.so" "$root/tests/e2e/cut_when_mapped.c" -ldl
	"$root/fixtures/debian-root" "$build" "$work/debian"
	"$root/fixtures/folder-image" "$layout" gpu "$work/debian" \
		'{ "Env": ["NVIDIA_VISIBLE_DEVICES=all"], "Entrypoint": ["/bin/sh"] }'
	vmbake driver import --store "$work/store" --modules "$work/modules" "$work/driver"
	vmbake build --store "$work/store" --kernel-release "$made_release" \
		-o "$work/image.ext4" "oci:$layout:gpu"
}
mkdir -p "$logs"
(prepare) >"$logs/e2e-driver_cut_short-prepare.log" 2>&1 ||
	{ tail "$logs/e2e-driver_cut_short-prepare.log" >&2; exit 1; }

# cut_short FILE BYTES COMMAND...: it must say that the file was cut, and print nothing.
cut_short() {
	refuses 12 "/$1 was cut short" env LD_PRELOAD="$work/cut.so" CUT_FILE="$1" \
		CUT_BYTES="$2" "${@:3}"
	[ "$(stat -c %s "$1")" = "$2" ] || fail "$1 was not mapped"
	[ ! -s out ] || fail "it printed: $(cat out)"
}

expect_nothing_kept() {
	[ -z "$(find store/tmp store/drivers -mindepth 1 | head -n 1)" ] ||
		fail "left in the store: $(find store/tmp store/drivers)"
}

it_survives_a_module_cut_while_it_is_mapped() {
	local bytes

	for bytes in 0 6000 1000000; do
		rm -rf own
		cp -r "$work/modules" own
		cut_short own/nvidia-current.ko "$bytes" vmbake driver import --modules own \
			"$work/driver"
		expect_nothing_kept
	done
}

it_survives_a_run_cut_while_it_is_mapped() {
	local bytes

	for bytes in 100 200000 3000000; do
		cp "$work/made.run" own.run
		cut_short own.run "$bytes" vmbake driver import --modules "$work/modules" own.run
		expect_nothing_kept
	done
}

it_survives_an_image_cut_while_it_is_mapped() {
	cp --sparse=always "$work/image.ext4" own.ext4
	cut_short own.ext4 4096 vmbake verify own.ext4
}

it_survives_a_kernel_cut_while_it_is_mapped() {
	cp "$vmlinuz" kernel
	cut_short kernel 100000 vmbake verify --kernel kernel "$work/image.ext4"
}

it_survives_a_stored_index_cut_while_it_is_mapped() {
	local index

	cp -r "$work/store" own
	index=$(find own/layers -name index | head -n 1)
	expect 12 env LD_PRELOAD="$work/cut.so" CUT_FILE="$index" CUT_BYTES=4096 \
		vmbake build --store own --kernel-release "$made_release" --free 10M \
		-o own.ext4 "oci:$layout:gpu"
	tail -n 1 err | grep -q 'index was cut short'
	[ ! -e own.ext4 ] || fail "an image was made of it"
	expect 0 vmbake build --store own --kernel-release "$made_release" \
		-o own.ext4 "oci:$layout:gpu"
	cmp own.ext4 "$work/image.ext4"
}

it_refuses_files_that_are_short_already() {
	head -c 1M "$work/image.ext4" >own.ext4
	refuses 8 own.ext4 vmbake verify own.ext4
	refuses 8 own.ext4 vmbake inspect own.ext4
	: >empty.ext4
	refuses 8 empty.ext4 vmbake verify empty.ext4
	head -c 100000 "$vmlinuz" >kernel
	refuses 8 kernel vmbake verify --kernel kernel "$work/image.ext4"
	: >nothing
	refuses 8 nothing vmbake verify --kernel nothing "$work/image.ext4"
}

run_promises
