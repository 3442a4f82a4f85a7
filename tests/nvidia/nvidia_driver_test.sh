#!/usr/bin/env bash
# NVIDIA's own driver from Debian's packages to a guest that uses it: imported, chosen, put into a
# small Debian, verified, booted beside GPUs that are made up (fixtures/fake-gpu).
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell

# shellcheck source=tests/nvidia/driver.sh
. "$(dirname "$0")/driver.sh"

prepare() {
	local folder=$work/tree process

	"$root/fixtures/debian-root" "$build" "$folder"
	gcc -O2 -o "$folder/usr/bin/cuda-probe" "$root/fixtures/cuda-probe.c"
	mkdir "$folder/modules"
	cp "$modules/fakegpu.ko" "$folder/modules/"
	process=$(jq -cn '{ Env: ["PATH=/usr/bin:/usr/sbin", "NVIDIA_VISIBLE_DEVICES=all",
		"NVIDIA_DRIVER_CAPABILITIES=compute,utility", "NVIDIA_REQUIRE_CUDA=cuda>=12.0"],
		Entrypoint: ["/bin/sh", "-c", $script] }' --arg script '
ldconfig -p
nvidia-smi; echo "nvidia-smi $?"
cuda-probe')
	"$root/fixtures/folder-image" "$layout" cuda "$folder" "$process"
	copy_modules
	import_driver "$work/modules" "$debs" >"$work/imported.json"
}
(prepare) >"$logs/e2e-nvidia_driver-prepare.log" 2>&1 ||
	{ tail "$logs/e2e-nvidia_driver-prepare.log" >&2; exit 1; }

bake_cuda() {
	expect 0 vmbake build --store "$work/store" --progress none -o image.ext4 --json \
		--kernel "$kernel" --kernel-config "$kernel_config" "$@" "oci:$layout:cuda"
}

it_imports_debians_packages() {
	local bundle

	bundle=$(jq -r .name "$work/imported.json")
	expect 0 vmbake driver inspect --store "$work/store" --json "$bundle"
	jq -e --arg version "$version" --arg release "$release" '
		.driver.version == $version and .driver.flavor == "proprietary" and
		.driver.arch == "amd64" and .kernels[0].release == $release and
		(.kernels[0].modules | map(.name) | index("nvidia") < index("nvidia_uvm")) and
		(.files | map(select(.soname == "libcuda.so.1"))[0].links |
			index("libcuda.so.1") >= 0) and
		([.files[] | select(.kind == "firmware")] | length) == 2 and
		.driver.license != null' out
}

it_refuses_a_package_of_another_version() {
	mapfile -t sources < <(userspace "$debs")
	expect 10 vmbake driver import --modules "$work/modules" --json "${sources[@]}" \
		"$debs"/nvidia-persistenced_*.deb
	jq -e '.findings | map(select(.severity == "error").rule) == ["userspace-version"]' out
	[ -z "$(ls store/drivers)" ]
}

it_is_chosen_verified_and_the_same_every_time() {
	bake_cuda
	jq -e --arg version "$version" '.driver.version == $version' out
	check_filesystem image.ext4
	expect 0 vmbake verify --store "$work/store" --json --kernel "$kernel" \
		--kernel-config "$kernel_config" --gpu-id 10de:26b9 image.ext4
	jq -e '.ok and ([.findings[] | select(.severity == "error")] == [])' out
	mv image.ext4 first.ext4
	bake_cuda --jobs 1
	cmp first.ext4 image.ext4
}

it_runs_beside_a_gpu() {
	bake_cuda
	boots 1
	grep -qE 'libcuda.so.1 .*=> (/usr)?/lib/x86_64-linux-gnu/libcuda.so.1' console
	grep -qE 'libnvidia-ml.so.1 .*=> ' console
	grep -qx 'nvidia-smi 6' console # it finds no GPU that answers
	grep -qx 'version 12020, init 999' console
	grep -qx 'vmbake: exited code=0' console
}

it_goes_on_or_ends_without_a_gpu() {
	bake_cuda
	boots 0
	grep -qx 'nvidia-smi 9' console # no driver is loaded
	grep -qx 'vmbake: exited code=0' console
	bake_cuda --gpu required
	boots 0
	grep -q 'there is no NVIDIA GPU' console
	grep -qx 'vmbake: exited code=125' console
}

it_refuses_another_kernels_release() {
	refuses 10 'kernel-release' vmbake build --store "$work/store" --progress none \
		-o other.ext4 --kernel-release 6.1.0-1-cloud-amd64 --driver "$version" \
		"oci:$layout:cuda"
}

run_promises
