#!/usr/bin/env bash
# NVIDIA's drivers of three branches side by side, as Debian has them: which one an image gets, what
# does not go together, and what a guest says whose libraries are of another version.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/nvidia/driver.sh
. "$(dirname "$0")/driver.sh"

old=$(version_of "$build/nvidia-470/debs")
middle=$(version_of "$build/nvidia-525/debs")
open=$(version_of "$build/nvidia-open/debs")

# image TAG FOLDER [ENV...]: asks for a GPU
image() {
	"$root/fixtures/folder-image" "$layout" "$1" "$2" "$(jq -cn '{ Entrypoint: [ "/bin/sh",
		"-c", $script], Env: (["PATH=/usr/bin:/usr/sbin", "NVIDIA_VISIBLE_DEVICES=all"] +
			$ARGS.positional) }' --arg script '
nvidia-smi; echo "nvidia-smi $?"' --args "${@:3}")"
}

# An image that brings NVML of branch 470 along, in a folder of its own.
add_old_library() {
	dpkg-deb -x "$build"/nvidia-470/debs/libnvidia-tesla-470-ml1_*.deb "$work/old"
	mkdir -p "$1/opt/driver" "$1/modules"
	find "$work/old" -name "libnvidia-ml.so.$old" -exec cp {} "$1/opt/driver/" \;
	ln -s "libnvidia-ml.so.$old" "$1/opt/driver/libnvidia-ml.so.1"
	cp "$modules/fakegpu.ko" "$1/modules/"
}

prepare() {
	local folder=$work/tree

	"$root/fixtures/debian-root" "$build" "$folder"
	image any "$folder"
	image cuda11 "$folder" 'NVIDIA_REQUIRE_CUDA=cuda>=11.0,cuda<12'
	image tesla "$folder" 'NVIDIA_REQUIRE_CUDA=cuda>=12.4 brand=tesla,driver>=525,driver<526'
	add_old_library "$folder"
	image old "$folder" LD_LIBRARY_PATH=/opt/driver
	copy_modules
	import_driver "$work/modules" "$debs"
	import_driver "$build/nvidia-470/modules" "$build/nvidia-470/debs"
	import_driver "$build/nvidia-525/modules" "$build/nvidia-525/debs"
}
(prepare) >"$logs/e2e-nvidia_versions-prepare.log" 2>&1 ||
	{ tail "$logs/e2e-nvidia_versions-prepare.log" >&2; exit 1; }

bake_any() {
	expect "$1" vmbake build --store "$work/store" --progress none -o image.ext4 --json \
		--kernel "$kernel" --kernel-config "$kernel_config" "${@:3}" "oci:$layout:$2"
}

# takes VERSION TAG [OPTION...]: and the image keeps all the rules
takes() {
	bake_any 0 "$2" "${@:3}"
	jq -e --arg version "$1" '.driver.version == $version and
		(.driver.candidates | length == 3 and all(.chosen == (.whyNot == null)) and
			map(select(.chosen).version) == [$version])' out
	mv out built
	expect 0 vmbake verify --store "$work/store" --kernel "$kernel" \
		--kernel-config "$kernel_config" "${@:3}" image.ext4
}

# why_not VERSION WORDS [FILE [KEY]]: that bundle was passed over with these words, as takes() or
# FILE has it
why_not() {
	jq -e --arg version "$1" --arg words "$2" "${4:-.driver}"'.candidates[] |
		select(.version == $version) | .whyNot | contains($words)' "${3:-built}"
}

it_takes_the_branch_that_the_gpu_needs() {
	takes "$version" any --gpu-id 10de:26b9
	why_not "$middle" 'comes before it, and fits'
	takes "$old" any --gpu-id 10de:102d
	why_not "$version" 'gpu-legacy-branch: GPU 10de:102d (kepler) is driven up to branch 470'
	why_not "$middle" 'gpu-legacy-branch: '
}

it_takes_the_newest_that_the_image_wants() {
	takes "$old" cuda11
	why_not "$version" "require-cuda: NVIDIA_REQUIRE_CUDA wants \"cuda>=11.0,cuda<12\"; driver \
$version can do CUDA 12.2"
	why_not "$middle" "driver $middle can do CUDA 12.0"
	takes "$middle" tesla
	why_not "$version" 'require-cuda: '
	inside image.ext4 /.vmbake/boot.json |
		jq -e '.gpu.requirements[0].predicate | contains("brand=tesla")'
}

it_refuses_a_gpu_that_none_of_them_drives() {
	bake_any 10 any --gpu-id 10de:2901
	[ ! -e image.ext4 ]
	for name in "$version" "$middle" "$old"; do
		why_not "$name" 'gpu-unsupported: GPU 10de:2901 (blackwell)' err .error.driver
	done
	bake_any 10 tesla --gpu-id 10de:102d
	why_not "$old" 'require-cuda: ' err .error.driver
	bake_any 3 any --driver 550
	bake_any 10 any --driver 470 --gpu-id 10de:26b9
	why_not "$old" 'driven from branch 520 on' err .error.driver
}

it_refuses_modules_of_another_version() {
	local sources

	mapfile -t sources < <(userspace "$debs")
	expect 10 vmbake driver import --modules "$build/nvidia-open/modules" --json "${sources[@]}"
	jq -e --arg open "$open" --arg version "$version" '.findings | map(.rule) ==
		["userspace-version", "firmware-missing", "firmware-missing"] and
		all(.severity == "error") and (.[0].message | contains(
			"is of version \($open), the libraries of \($version)"))' out
	[ -z "$(ls store/drivers)" ]
}

it_names_libraries_of_another_version_in_the_guest() {
	bake_any 0 old
	grep "removing /opt/driver/libnvidia-ml.so.$old from the image: of another driver" err
	bake_any 0 old --keep-leftovers
	expect 10 vmbake verify --store "$work/store" --kernel "$kernel" --json image.ext4
	jq -e '[.findings[] | select(.severity == "error").rule] | unique ==
		["leftover-foreign"]' out
	boots 1 loglevel=7
	grep -qx 'Failed to initialize NVML: Driver/library version mismatch' console
	grep -qx 'nvidia-smi 18' console # NVML_ERROR_LIB_RM_VERSION_MISMATCH
	grep -q "API mismatch: the client has the version $old" console
	grep -q "the image's own driver libraries are in the way (GPU failure 12; " console
	jq -e '.code == 0 and .gpu.verdict == "failed" and .gpu.code == 12 and
		.gpu.symptom == "the image'"'"'s own driver libraries are in the way" and
		(.gpu.hint | contains("libnvidia-ml")) and .gpu.drain == false' report
}

run_promises
