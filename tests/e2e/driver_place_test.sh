#!/usr/bin/env bash
# A driver goes into images by vmbake build: which images, which parts of it, where they end up,
# what gives way to it, and what is refused. The driver is made up, the Debian is not.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/made_driver.sh
. "$root/tests/e2e/made_driver.sh"

libdir=/usr/lib/x86_64-linux-gnu
gpu='NVIDIA_VISIBLE_DEVICES=all'

# image TAG FOLDER [ENV...]: a folder as an image whose config has that environment
image() {
	local tag=$1 folder=$2 config

	shift 2
	config=$(jq -cn '{ Env: $ARGS.positional, Entrypoint: ["/bin/sh"] }' --args "$@")
	"$root/fixtures/folder-image" "$layout" "$tag" "$folder" "$config"
}

prepare() {
	made_flat "$work/flat"
	made_modules "$work/modules"
	made_root "$work/driver" "$work/flat"
	vmbake driver import --store "$work/store" --modules "$work/modules" "$work/driver"
	"$root/fixtures/debian-root" "$build" "$work/debian"
	image plain "$work/debian"
	image cuda "$work/debian" "$gpu"
	image graphics "$work/debian" "$gpu" NVIDIA_DRIVER_CAPABILITIES=graphics,utility,compat32
}
mkdir -p "$logs"
(prepare) >"$logs/e2e-driver_place-prepare.log" 2>&1 ||
	{ tail "$logs/e2e-driver_place-prepare.log" >&2; exit 1; }

# bake_gpu TAG [OPTION...]: to ./image.ext4, with the driver at hand
bake_gpu() {
	bake --store "$work/store" --json "${@:2}" "oci:$layout:$1"
}

refuses_gpu() {
	refuses "$1" "$2" vmbake build --store "$work/store" --progress none -o other.ext4 \
		--kernel-release "$made_release" "${@:4}" "oci:$layout:$3"
	[ ! -e other.ext4 ]
}

# is_there PATH...: in ./image.ext4
is_there() {
	local path

	for path in "$@"; do
		debugfs -R "stat \"$path\"" image.ext4 2>/dev/null | grep -q '^Inode' ||
			fail "no $path"
	done
}

is_absent() {
	local path

	for path in "$@"; do
		! debugfs -R "stat \"$path\"" image.ext4 2>/dev/null | grep -q '^Inode' ||
			fail "there is $path"
	done
}

it_gives_a_driver_to_images_that_ask() {
	bake_gpu plain
	jq -e '.driver == null' out
	is_absent /.vmbake/driver.json "$libdir/libcuda.so.1"
	bake_gpu cuda
	check_filesystem image.ext4
	jq -e --arg v "$made_version" --arg r "$made_release" '.driver.version == $v and
		.driver.kernelRelease == $r and .driver.libraries == "/usr/lib/x86_64-linux-gnu" and
		.driver.capabilities == "utility,compute"' out
	is_there /.vmbake/driver.json "$libdir/libcuda.so.$made_version" "$libdir/libcuda.so.1" \
		"$libdir/libcuda.so" "$libdir/libnvidia-nvvm.so.4" /usr/bin/nvidia-smi \
		/etc/OpenCL/vendors/nvidia.icd \
		"/usr/lib/firmware/nvidia/$made_version/gsp_ga10x.bin"
	is_absent "$libdir/libEGL_nvidia.so.0" /usr/lib/i386-linux-gnu/libcuda.so.1
	inside image.ext4 /.vmbake/boot.json | jq -e --arg v "$made_version" \
		'.gpu.version == $v and .gpu.policy == "optional" and
		 ([.gpu.modules[].name] == ["nvidia", "nvidia_uvm"])'
	expect 0 vmbake verify --store "$work/store" image.ext4
	bake_gpu plain --driver 999 --gpu required
	inside image.ext4 /.vmbake/boot.json | jq -e '.gpu.policy == "required"'
	bake_gpu cuda --driver none
	jq -e '.driver == null' out
}

it_places_the_parts_that_are_asked_for() {
	bake_gpu graphics
	is_there "$libdir/libEGL_nvidia.so.0" /usr/share/glvnd/egl_vendor.d/10_nvidia.json \
		/usr/bin/nvidia-smi
	is_absent "$libdir/libcuda.so.1" "$libdir/libvdpau_nvidia.so.1"
	inside image.ext4 /.vmbake/boot.json |
		jq -e '[.gpu.modules[].name] | index("nvidia_modeset")'
	bake_gpu graphics --capabilities video
	is_there "$libdir/libcuda.so.1" "$libdir/vdpau/libvdpau_nvidia.so.1"
	is_absent "$libdir/libEGL_nvidia.so.0"
}

# What the image's own ldconfig would write, of the finished image.
it_writes_the_cache_that_ldconfig_would() {
	can_mount || skip 'only root can mount'
	bake_gpu cuda
	mount_image image.ext4 tree
	cp -a tree copy
	umount tree
	ldconfig -p -C copy/etc/ld.so.cache | grep ' => ' >ours
	ldconfig -r copy
	ldconfig -p -C copy/etc/ld.so.cache | grep ' => ' >theirs
	grep -q "libcuda.so.1 .*=> .*$libdir/libcuda.so.1\|libcuda.so.1 .*=> /lib/" ours
	diff ours theirs
}

it_gives_the_same_bytes_every_time() {
	bake_gpu cuda --jobs 1
	mv image.ext4 first.ext4
	bake_gpu cuda --jobs 4
	cmp first.ext4 image.ext4
	expect 0 vmbake driver import --store other --modules "$work/modules" "$work/driver"
	expect 0 vmbake build --store other --progress none -o image.ext4 "oci:$layout:cuda"
	cmp first.ext4 image.ext4
}

it_removes_what_another_driver_left() {
	cp -a "$work/debian" left
	: >"left$libdir/libcuda.so.535.1"
	ln -s libcuda.so.535.1 "left$libdir/libcuda.so.1"
	made_library "left$libdir/libnvidia-ml.so.470.57" libnvidia-ml.so.1
	ln -s libnvidia-cfg.so.470.57 "left$libdir/libnvidia-cfg.so.1"
	mkdir -p left/usr/local/cuda/lib64/stubs
	made_library left/usr/local/cuda/lib64/stubs/libcuda.so libcuda.so.1
	image left left "$gpu"
	bake_gpu left --progress plain
	is_absent "$libdir/libcuda.so.535.1" "$libdir/libnvidia-ml.so.470.57" \
		"$libdir/libnvidia-cfg.so.1"
	is_there "$libdir/libcuda.so.1" /usr/local/cuda/lib64/stubs/libcuda.so
	grep -q 'libcuda.so.535.1' err
	expect 0 vmbake verify --store "$work/store" image.ext4
	bake_gpu left --keep-leftovers
	is_there "$libdir/libnvidia-ml.so.470.57"
	jq -e '[.driver.findings[].rule] | index("leftover-foreign")' out
}

it_refuses_musl_unless_it_is_allowed() {
	mkdir -p musl/{bin,lib,etc}
	made_library musl/lib/ld-musl-x86_64.so.1 libc.musl-x86_64.so.1
	echo 'int main(void) { return 0; }' |
		gcc -nostdlib -nostartfiles -Wl,-e,main -pie -fPIE \
			-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -o musl/bin/sh -xc -
	image musl musl "$gpu"
	refuses_gpu 10 musl musl
	bake_gpu musl --allow-musl
	is_there /etc/ld-musl-x86_64.path
}

it_says_what_it_will_not_do() {
	image mig "$work/debian" NVIDIA_VISIBLE_DEVICES=MIG-GPU-1/2/3
	image uuid "$work/debian" NVIDIA_VISIBLE_DEVICES=GPU-8932f937-d72c-4106-c12f-20bd9faed9f6
	image mdev "$work/debian" NVIDIA_VISIBLE_DEVICES=4b20d080-1b54-4048-85b3-a6a62d165c01
	image new "$work/debian" "$gpu" 'NVIDIA_REQUIRE_CUDA=cuda>=99.0'
	refuses_gpu 7 'whole GPU' mig
	refuses_gpu 7 'whole GPU' uuid
	refuses_gpu 7 'mediated device' mdev
	refuses_gpu 10 'require-cuda' new
	refuses_gpu 10 'kernel-release' cuda --kernel-release 5.4.0-other
	refuses_gpu 3 '470' cuda --driver 470
	refuses_gpu 2 gpu-class cuda --gpu-class gaming
	refuses_gpu 2 10de cuda --gpu-id 2330
	refuses 3 'driver import' vmbake build --store empty --progress none -o other.ext4 \
		"oci:$layout:cuda"
	expect 10 vmbake build --store "$work/store" --json -o other.ext4 "oci:$layout:new"
	jq -e '.error.kind == "mismatch" and (.error.driver.candidates[0].findings |
		map(.rule) | index("require-cuda"))' err
}

# import_made VERSION RELEASE: one more bundle in ./store
import_made() {
	made_flat "flat-$1" "$1"
	made_modules "modules-$1" "$2" "$1"
	expect 0 vmbake driver import --modules "modules-$1" "flat-$1"
}

it_says_why_each_other_bundle_was_passed_over() {
	local without="has no modules for kernel $made_release, only for"

	import_made "$made_version" "$made_release"
	import_made 998.1.02 "$made_release"
	import_made 1000.2.01 5.4.0-other
	mkdir store/drivers/997.1-open-amd64-0123456789ab
	bake --json --kernel-release "$made_release" "oci:$layout:cuda"
	jq -e --arg v "$made_version" '.driver.version == $v and (.driver.candidates |
		map(select(.chosen).version) == [$v] and all(.chosen == (.whyNot == null)))' out
	jq -r '.driver.candidates[] | "\(.bundle) \(.whyNot)"' out | sed 's/-amd64-\w*//g' >found
	diff - found <<-END
		1000.2.01-proprietary kernel-release: driver 1000.2.01 $without 5.4.0-other
		$made_version-proprietary null
		998.1.02-proprietary $made_version-proprietary comes before it, and fits
		997.1-open driver 997.1-open: open vmbake-driver.json: No such file or directory
	END
	expect 10 vmbake build --progress plain -o none.ext4 --kernel-release 6.9.9 \
		"oci:$layout:cuda"
	[ "$(grep -c ' passed over: kernel-release: driver .* has no modules for kernel 6.9.9, ' \
		err)" -eq 3 ]
	[ ! -e none.ext4 ]
}

it_takes_a_bundle_out_of_a_folder() {
	local name

	name=$(basename "$work"/store/drivers/*)
	bake_gpu cuda
	mv image.ext4 first.ext4
	mkdir elsewhere
	cp -r "$work/store/drivers/$name" elsewhere/
	for choice in "elsewhere/$name" "$PWD/elsewhere/$name/"; do
		bake "oci:$layout:cuda" --driver "$choice"
		cmp first.ext4 image.ext4
	done
	cd elsewhere
	bake "oci:$layout:cuda" --driver "$name/"
	cmp ../first.ext4 image.ext4
	refuses 3 nowhere vmbake build --progress none -o other.ext4 --driver ./nowhere \
		"oci:$layout:cuda"
	echo >>"$name/vmbake-driver.json"
	refuses 6 "$name" vmbake build --progress none -o other.ext4 --driver "./$name" \
		"oci:$layout:cuda"
}

it_records_what_is_in_the_image() {
	bake_gpu graphics
	inside image.ext4 /.vmbake/driver.json >record
	python3 -c 'import json, jsonschema, sys
schema, record = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator(schema).validate(record)' \
		"$root/drivers/bundle/bundle.schema.json" record
	jq -r '.files[].dest, .kernels[].modules[].path' record | grep -c @ && fail "no plain path"
	jq -r '.files[] | "\(.dest) \(.digest)"' record | while read -r path digest; do
		[ "sha256:$(inside image.ext4 "$path" | sha256sum | cut -d' ' -f1)" = "$digest" ]
	done
}

it_leaves_other_peoples_files_alone() {
	cp -a "$work/debian" taken
	mkdir -p "taken/usr/lib/firmware/nvidia"
	echo "not a folder" >"taken/usr/lib/firmware/nvidia/$made_version"
	image taken taken "$gpu"
	refuses_gpu 10 "$made_version" taken
}

run_promises
