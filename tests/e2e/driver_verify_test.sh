#!/usr/bin/env bash
# vmbake verify on finished images: a driver of our own making (two modules of the real kernel, a
# library, firmware), and each thing that can be wrong with it. The image is read, never the build.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo small
kernel=$build/debian/linux-image
"$root/mk/fetch.sh" linux-image-cloud-amd64 "$kernel"
vmlinuz=$(echo "$kernel"/boot/vmlinuz-*)
config=$(echo "$kernel"/boot/config-*)
release=${vmlinuz##*/vmlinuz-}
version=999.10.05
libdir=/usr/lib/x86_64-linux-gnu
firmware=/lib/firmware/nvidia/$version/gsp_ga10x.bin

# The parts of the driver, once for all promises. The modules are the kernel's own: net_failover
# depends on failover.
parts=$work/parts
mkdir -p "$parts"
for module in net/core/failover drivers/net/net_failover; do
	cp "$kernel/lib/modules/$release/kernel/$module.ko" "$parts/"
done
echo 'int cuInit(unsigned flags) { return (int)flags; }' >"$parts/cuda.c"
gcc -shared -fPIC -Wl,--no-as-needed,-soname,libcuda.so.1 \
	-o "$parts/libcuda.so.$version" "$parts/cuda.c"
echo firmware >"$parts/gsp_ga10x.bin"
echo licence >"$parts/LICENSE"
cp -L /lib64/ld-linux-x86-64.so.2 "/lib/x86_64-linux-gnu/libc.so.6" "$parts/"

# record FILE: size and digest of it, for driver.json
record() {
	local digest

	digest=$(sha256sum "$1")
	jq -n --arg digest "sha256:${digest%% *}" --argjson size "$(stat -c %s "$1")" \
		'{size: $size, digest: $digest}'
}

file_json() {
	jq --arg dest "$2" --arg kind "$3" '{path: $dest[1:], dest: $dest, kind: $kind,
		capabilities: ["compute"], mode: "0644"} + .' <(record "$parts/$1")
}

module_json() {
	jq --arg name "$1" --arg path "lib/modules/$release/$1.ko" --argjson vendor "$2" \
		'{name: $name, path: $path, params: "", capabilities: ["compute"],
			vendor: $vendor} + .' <(record "$parts/$1.ko")
}

driver_json() {
	jq -n --arg version "$version" --arg release "$release" \
		--slurpfile modules <(module_json failover true; module_json net_failover true) \
		--slurpfile files <(
			file_json "libcuda.so.$version" "$libdir/libcuda.so.$version" lib
			file_json gsp_ga10x.bin "$firmware" firmware
			file_json LICENSE /usr/share/doc/nvidia/LICENSE license
		) '{schemaVersion: 1, vendor: "nvidia",
			driver: {version: $version, branch: "999", flavor: "proprietary",
				cudaVersion: "13.2", arch: "amd64",
				source: {type: "dir", name: "made"}},
			kernels: [{release: $release, vermagic: $release, modversions: true,
				signed: true, modules: $modules}],
			files: ($files | sort_by(.path))}'
}

boot_json() {
	inside image.ext4 /.vmbake/boot.json |
		jq --arg version "$version" --arg folder "/lib/modules/$release" '
			.gpu = {policy: "optional", version: $version, cuda: "13.2",
				modules: [{name: "failover", path: "\($folder)/failover.ko",
						params: ""},
					{name: "net_failover", path: "\($folder)/net_failover.ko",
					params: ""}]}'
}

# put FILE PATH: into ./image.ext4, in place of what is there; folders are made.
put() {
	local folder=

	{
		for part in $(dirname "$2" | tr / ' '); do
			folder=$folder/$part
			echo "mkdir $folder"
		done
		echo "rm $2"
		echo "write $1 $2"
	} >commands
	debugfs -w -f commands image.ext4 >debugfs.log 2>&1
}

# ./image.ext4 with a driver in it.
bake_with_driver() {
	bake "oci:$layout:small"
	chmod u+w image.ext4
	for folder in /lib64 "$libdir"; do
		put "$parts/ld-linux-x86-64.so.2" "$folder/ld-linux-x86-64.so.2"
	done
	put "$parts/libc.so.6" "$libdir/libc.so.6"
	put "$parts/libcuda.so.$version" "$libdir/libcuda.so.$version"
	put "$parts/gsp_ga10x.bin" "$firmware"
	put "$parts/LICENSE" /usr/share/doc/nvidia/LICENSE
	for module in failover net_failover; do
		put "$parts/$module.ko" "/lib/modules/$release/$module.ko"
	done
	driver_json >driver.json
	boot_json >boot.json
	put driver.json /.vmbake/driver.json
	put boot.json /.vmbake/boot.json
}

verify() {
	vmbake verify image.ext4 --kernel "$vmlinuz" "$@"
}

# finds RULE WORDS [OPTION...]: exit code 10, and an error of that rule whose sentence says so.
finds() {
	expect 10 verify "${@:3}"
	grep -q "^error $1: .*$2" out || fail "no error $1 with '$2': $(cat out)"
	tail -n 1 out | grep -q 'not ok$'
}

it_says_that_a_good_driver_is_good() {
	bake_with_driver
	expect 0 verify
	! grep '^error' out || fail "found an error"
	tail -n 1 out | grep -q "image.ext4: driver $version (proprietary), 0 errors.*: ok$"
	expect 0 verify --json
	jq -e --arg version "$version" --arg release "$release" '.ok and .file == "image.ext4" and
		.driver.version == $version and .driver.kernel == $release and
		all(.findings[]; .severity != "error")' out
}

it_unpacks_a_kernel_only_once() {
	bake_with_driver
	expect 0 verify
	cp out first
	[ "$(find store/kernels -type f | wc -l)" -eq 1 ]
	expect 0 verify
	cmp out first
	[ "$(find store/kernels -type f | wc -l)" -eq 1 ]
}

it_names_each_rule_that_fails() {
	bake_with_driver
	cp image.ext4 good.ext4

	echo other >other
	put other "$firmware"
	finds digest-mismatch gsp_ga10x
	cp good.ext4 image.ext4

	sed "s/$release/${release/6.1/6.9}/" "$parts/failover.ko" >ko
	put ko "/lib/modules/$release/failover.ko"
	finds digest-mismatch failover
	grep -q '^warning kernel-release: failover was built' out
	cp good.ext4 image.ext4

	jq '.gpu.modules |= reverse' boot.json >reversed.json
	put reversed.json /.vmbake/boot.json
	finds module-depends 'net_failover depends on failover'
	grep -q '^error undefined-symbol: net_failover' out
	cp good.ext4 image.ext4

	zstd -qc "$parts/failover.ko" >ko
	put ko "/lib/modules/$release/failover.ko"
	finds module-compression failover
	cp good.ext4 image.ext4

	jq '.env += ["NVIDIA_REQUIRE_CUDA=cuda>=14.0"]' boot.json >demanding.json
	put demanding.json /.vmbake/boot.json
	finds require-cuda 'cuda>=14.0'
	cp good.ext4 image.ext4

	: >empty
	put empty "$libdir/libnvidia-ml.so.1"
	finds leftover-zero-byte libnvidia-ml.so.1
	cp good.ext4 image.ext4

	put "$parts/libcuda.so.$version" "$libdir/libcuda.so.998.1"
	finds leftover-foreign libcuda.so.998.1
	cp good.ext4 image.ext4

	debugfs -w -R "rm $libdir/libc.so.6" image.ext4 2>debugfs.log
	expect 10 verify
	grep -qE '^error (libc-mismatch|needed-missing): ' out
}

it_holds_the_kernels_configuration_against_the_table() {
	bake_with_driver
	sed 's/^CONFIG_PCI_MSI=y/# CONFIG_PCI_MSI is not set/' "$config" >changed
	expect 0 verify --kernel-config changed
	grep -q '^warning kernel-config: .*CONFIG_PCI_MSI' out
	echo CONFIG_MODULE_SIG_FORCE=y >>changed
	objcopy --strip-debug "$parts/failover.ko" ko # which drops the signature
	put ko "/lib/modules/$release/failover.ko"
	finds module-signature failover --kernel-config changed
	sed 's/^CONFIG_MODULES=y/# CONFIG_MODULES is not set/' "$config" >changed
	finds kernel-config 'without CONFIG_MODULES' --kernel-config changed
}

it_says_what_it_could_not_check_without_a_kernel() {
	bake_with_driver
	expect 0 vmbake verify image.ext4
	for rule in kernel-release vermagic modversions-crc undefined-symbol module-signature; do
		grep -q "^unknown $rule: " out || fail "no unknown $rule"
	done
	expect 0 vmbake verify image.ext4 --kernel-release "$release"
	expect 10 vmbake verify image.ext4 --kernel-release 6.2.0
	grep -q "^error kernel-release: .*$release" out
}

it_checks_the_gpu() {
	bake_with_driver
	expect 0 verify --gpu-id 10de:2330
	finds gpu-legacy-branch 'pascal' --gpu-id 10de:1b38
	finds gpu-flavor 'open' --gpu-id 10de:2901
	refuses 2 gpu-id verify --gpu-id 2330
	refuses 7 gpu-id verify --gpu-id 1002:73bf
}

it_says_that_there_is_no_driver() {
	bake "oci:$layout:small"
	expect 0 vmbake verify image.ext4
	grep -q 'no driver, 0 errors' out
	chmod u+w image.ext4
	inside image.ext4 /.vmbake/boot.json |
		jq '.env += ["NVIDIA_VISIBLE_DEVICES=all"]' >boot.json
	put boot.json /.vmbake/boot.json
	expect 0 vmbake verify --json image.ext4
	jq -e '.ok and .driver == null and .findings[0].severity == "warning"' out
}

it_refuses_what_is_no_image() {
	refuses 3 none.ext4 vmbake verify none.ext4
	echo 'no image' >text
	refuses 8 text vmbake verify text
	bake "oci:$layout:small"
	refuses 8 'not a kernel' vmbake verify image.ext4 --kernel text
	refuses 2 --kernel vmbake verify image.ext4 --kernel-config text
	chmod u+w image.ext4
	echo '{' >driver.json
	put driver.json /.vmbake/driver.json
	refuses 8 driver.json vmbake verify image.ext4
}

run_promises
