#!/usr/bin/env bash
# A driver becomes a bundle, whatever form it comes in.
# shellcheck source=tests/e2e/driver_import.sh
. "$(dirname "$0")/driver_import.sh"

# What all forms of the same driver must give: destination, kind, links, capabilities, digest.
essence() {
	vmbake driver inspect --json "${1:-$(jq -r .name out)}" | jq -S '{
		version: .driver.version, flavor: .driver.flavor, arch: .driver.arch, kernels,
		files: [.files[] | select(.kind != "license") | del(.path, .size, .needed)] |
			sort_by(.dest) }'
}

expect_essence() {
	essence >.found
	diff "$work/of_root" .found >&2 || fail "not what the driver root gave"
}

# What the driver root gives, for the other forms to be held against.
(
	cd "$work"
	import --store first root >out
	VMBAKE_STORE=first essence "$made_version" >of_root
	rm -r first
)

it_takes_a_driver_root() {
	expect 0 import "$work/root"
	vmbake driver inspect --json "$made_version" >manifest
	jq -e --arg v "$made_version" '
		.driver == { version: $v, branch: "999", flavor: "proprietary", cudaVersion: "13.2",
			arch: "amd64", source: { type: "dir", name: "root" },
			license: { path: "licenses/copyright" } } and
		(.kernels | length) == 1 and .kernels[0].release == "6.1.0-made" and
		.kernels[0].vermagic == "6.1.0-made SMP mod_unload " and
		.kernels[0].signed == false and .kernels[0].modversions == false' manifest
}

it_gives_each_file_its_place_and_its_links() {
	local gbm=gbm/nvidia-drm_gbm.so,libnvidia-allocator.so.1

	expect 0 import "$work/root"
	vmbake driver inspect --json "$made_version" | jq -r '.files[] |
		[.kind, .dest, (.links // [] | join(",")), (.capabilities | join(","))] |
		join(" ")' | sed 's/utility,compute,video,.*/all/' | grep -v license |
		LC_ALL=C sort >files
	LC_ALL=C sort >expected <<-END
		bin @bindir@/nvidia-smi  utility
		config /etc/OpenCL/vendors/nvidia.icd  compute
		config /usr/share/glvnd/egl_vendor.d/10_nvidia.json  graphics
		firmware /lib/firmware/nvidia/$made_version/gsp_ga10x.bin  all
		firmware /lib/firmware/nvidia/$made_version/gsp_tu10x.bin  all
		lib @libdir@/libEGL_nvidia.so.$made_version libEGL_nvidia.so.0 graphics
		lib @libdir@/libcuda.so.$made_version libcuda.so,libcuda.so.1 compute
		lib @libdir@/libnvidia-allocator.so.$made_version $gbm compute,graphics
		lib @libdir@/libnvidia-ml.so.$made_version libnvidia-ml.so.1 utility
		lib @libdir@/libnvidia-nvvm.so.$made_version libnvidia-nvvm.so.4 compute
		lib @libdir@/libnvidia-tls.so.$made_version  graphics
		lib @libdir@/vdpau/libvdpau_nvidia.so.$made_version libvdpau_nvidia.so.1 video
		lib32 @libdir32@/libcuda.so.$made_version libcuda.so,libcuda.so.1 compute,compat32
	END
	diff expected files
}

it_orders_modules_by_what_they_say_of_themselves() {
	expect 0 import "$work/root"
	vmbake driver inspect --json "$made_version" | jq -r '.kernels[0].modules[] |
		[.name, .path, (.needs // [] | join(",")), (.capabilities | length)] |
		join(" ")' >found
	diff - found <<-'END'
		nvidia modules/6.1.0-made/nvidia.ko  7
		nvidia_uvm modules/6.1.0-made/nvidia-uvm.ko nvidia 7
		nvidia_modeset modules/6.1.0-made/nvidia-modeset.ko nvidia 2
		nvidia_drm modules/6.1.0-made/nvidia-drm.ko nvidia_modeset 2
		nvidia_peermem modules/6.1.0-made/nvidia-peermem.ko nvidia 0
	END
}

it_keeps_every_byte() {
	local name

	expect 0 import "$work/root"
	name=$(jq -r .name out)
	vmbake driver inspect --json "$name" | jq -r '.files[].digest' | sort -u >digests
	find "$work/root" -type f -exec sha256sum {} + | sed 's/ .*//; s/^/sha256:/' | sort -u |
		diff - digests
}

it_gives_manifests_of_the_schema() {
	expect 0 import "$work/root"
	vmbake driver inspect --json "$made_version" >manifest
	cmp manifest "store/drivers/$(jq -r .name out)/vmbake-driver.json"
	python3 -c 'import json, jsonschema, sys
schema, manifest = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator(schema).validate(manifest)' \
		"$root/drivers/bundle/bundle.schema.json" manifest
}

it_gives_the_same_name_again() {
	expect 0 import "$work/root"
	jq -r .name out >first
	[ "$(jq .wasThere out)" = false ]
	expect 0 import "$work/root"
	[ "$(jq .wasThere out)" = true ]
	jq -r .name out | diff first -
	expect 0 import --store other "$work/root"
	jq -r .name out | diff first -
}

it_takes_a_folder_with_all_in_it() {
	expect 0 import "$flat"
	expect_essence
}

it_takes_debs() {
	local lib=deb-lib/usr/lib/x86_64-linux-gnu

	cp -a "$work/root" deb-lib
	mkdir -p deb-smi/usr/lib/nvidia/current
	mv deb-lib/usr/bin/nvidia-smi deb-smi/usr/lib/nvidia/current/
	rm "$lib"/nvidia/current/libcuda.so.1 "$lib"/nvidia/current/libcuda.so
	mkdir debs
	made_deb debs/a.deb libcuda1 "$made_version-1~deb12u1" deb-lib
	made_deb debs/b.deb nvidia-smi "$made_version-1" deb-smi
	expect 0 import debs/b.deb debs/a.deb
	# Links come from DT_SONAME and our table: a 32-bit libcuda.so has no other source here.
	expect_essence
	[ "$(vmbake driver inspect --json "$(jq -r .name out)" | jq -r .driver.source.name)" = \
		"a.deb and 1 more" ]
	jq -r .name out >first
	expect 0 import debs
	[ "$(vmbake driver inspect --json "$(jq -r .name out)" | jq -r .driver.source.type)" = deb ]
}

it_takes_a_run_of_any_packing() {
	local packing

	cp -a "$flat" payload
	made_manifest payload/.manifest
	mkdir payload/kernel
	echo 'a source' >payload/kernel/nv.c
	for packing in --xz --gzip --nocomp "--zstd"; do
		makeself "$packing" --nox11 payload "made$packing.run" label ./nvidia-smi >/dev/null
		expect 0 import "made$packing.run"
		expect_essence
		[ "$(vmbake driver inspect --json "$(jq -r .name out)" |
			jq -r .driver.source.type)" = run ]
	done
}

it_takes_a_run_as_nvidia_packs_it() {
	local packer

	cp -a "$flat" payload
	made_manifest payload/.manifest
	mkdir -p payload/kernel-open/nvidia payload/kernel/precompiled
	echo 'a source' >payload/kernel-open/nvidia/nv.c
	echo precompiled >payload/kernel/precompiled/libcuda.so.1.2
	made_library "payload/libnvidia-gtk3.so.$made_version" libnvidia-gtk3.so.1
	for packer in 'xz -0 -C none' 'zstd -q' 'gzip -1' 'bzip2 -1' cat; do
		# shellcheck disable=SC2086 # a command and its options
		made_nvidia_run made.run payload $packer
		expect 0 import made.run
		expect_essence
	done
	sed -i 's/^MD5=./MD5=x/' made.run
	refuses 6 'MD5 differs' try_import made.run
	made_nvidia_run made.run payload zstd -q
	truncate -s -1 made.run
	refuses 6 'CRC differs' try_import made.run
}

it_takes_nvidias_archive() {
	local top=nvidia_driver-linux-x86_64-$made_version-archive

	mkdir -p "$top"/{lib,lib32,sbin,etc,share,supported-gpus,kernel-open}
	cp "$flat"/lib*.so.* "$top/lib/"
	cp "$flat"/32/* "$top/lib32/"
	cp "$flat/nvidia-smi" "$top/sbin/"
	cp -r "$flat/firmware" "$flat/LICENSE" "$top/"
	cp "$flat/nvidia.icd" "$flat/10_nvidia.json" "$top/etc/"
	made_manifest "$top/MANIFEST"
	echo '{"chips":[{"devid":"0x2330","name":"H100","features":["kernelopen"]},
		{"devid":"0x0FFD","name":"NVS 510","legacybranch":"470.xx"}]}' \
		>"$top/supported-gpus/supported-gpus.json"
	tar -cJf archive.tar.xz "$top"
	expect 0 import archive.tar.xz
	expect_essence
	vmbake driver inspect --json "$(jq -r .name out)" >manifest
	jq -e '.driver.source.type == "redist" and
		.gpus == [
			{ device: "0x0ffd", name: "NVS 510", legacyBranch: "470.xx", open: false },
			{ device: "0x2330", name: "H100", open: true }]' manifest
	expect 0 import "$top"
	expect_essence
}

it_takes_an_image() {
	"$root/fixtures/folder-image" oci driver "$work/root" \
		'{"Env":["PATH=/bin"],"Entrypoint":["/bin/true"]}'
	expect 0 import oci:oci:driver
	expect_essence
	vmbake driver inspect --json "$(jq -r .name out)" | jq -e '.driver.source.type == "oci"'
}

it_takes_an_image_of_a_registry() {
	"$root/fixtures/folder-image" "$layout" driver "$work/root"
	start_registry
	push driver
	expect 0 import "docker://$registry/driver:1"
	expect_essence
}

it_reads_the_drivers_own_file_list() {
	cp -a "$flat" listed
	made_library "listed/libnvidia-brandnew.so.$made_version" libnvidia-brandnew.so.1
	made_library "listed/libnvidia-nobodys.so.$made_version" libnvidia-nobodys.so.1
	jq -n --arg v "$made_version" '[{ name: "libnvidia-brandnew.so.\($v)", type: "LIB",
		category: ["video", "dancing"] }]' >listed/sandboxutils-filelist.json
	expect 0 import --progress plain listed
	grep -q 'unknown category, dancing' err
	grep -q "libnvidia-nobodys.so.$made_version is left out: no capability wants it" err
	vmbake driver inspect --json "$made_version" | jq -e --arg v "$made_version" '
		(.files | map(select(.dest == "@libdir@/libnvidia-brandnew.so.\($v)"))[0] |
			.capabilities) == ["video"] and
		(.files | map(select(.path | test("nobodys"))) | length) == 0'
}

it_leaves_out_what_is_empty_or_foreign() {
	cp -a "$flat" odd
	: >"odd/libcudadebugger.so.$made_version"
	aarch64-linux-gnu-gcc -shared -nostdlib -o "odd/libnvcuvid.so.$made_version" -xc /dev/null
	echo 'no ELF' >"odd/libnvoptix.so.$made_version"
	expect 0 import --progress plain odd
	grep -q 'libcudadebugger.* is left out: it is empty' err
	grep -q 'libnvcuvid.* is left out: it is for another architecture' err
	grep -q 'libnvoptix.* is left out: ' err
	expect_essence
}

# made_tls FILE SUBVERSION: libnvidia-tls with the note of a Linux 2.3.SUBVERSION
made_tls() {
	mkdir -p "$(dirname "$1")"
	printf '.section .note.ABI-tag,"a",@note\n.long 4,16,1\n.asciz "GNU"\n.long 0,2,3,%s\n' \
		"$2" | gcc -shared -nostdlib -Wl,-soname,"libnvidia-tls.so.$made_version" \
		-o "$1" -x assembler -
}

it_takes_the_libnvidia_tls_of_todays_threads() {
	local name=libnvidia-tls.so.$made_version today digest

	for today in . tls; do
		cp -a "$flat" old
		made_tls "old/$name" 0
		made_tls "old/tls/$name" 0
		made_tls "old/$today/$name" 99
		digest=$(sha256sum "old/$today/$name")
		expect 0 import --progress plain old
		grep -q "lib/$name comes twice and differs: the " err
		vmbake driver inspect --json "$(jq -r .name out)" |
			jq -e --arg digest "sha256:${digest%% *}" '.files[] |
				select(.path | contains("tls")) | .digest == $digest'
		rm -r old store
	done
}

it_says_what_a_manifest_leaves_out() {
	cp -a "$flat" payload
	made_manifest payload/.manifest
	made_library "payload/libnvidia-fbc.so.$made_version" libnvidia-fbc.so.1
	made_library "payload/libnvidia-cfg.so.$made_version" libnvidia-cfg.so.1
	sed -i "/^nvidia.icd/i libnvidia-cfg.so.$made_version 0755 INTERNAL_UTILITY_LIB NATIVE" \
		payload/.manifest
	expect 0 import --progress plain payload
	grep -q "libnvidia-fbc.so.$made_version is left out: .* does not name it" err
	grep -q "libnvidia-cfg.so.$made_version is left out: .* would not install it" err
	expect_essence
}

it_notes_types_of_a_manifest_that_it_does_not_know() {
	cp -a "$flat" payload
	made_manifest payload/.manifest
	sed -i '/^nvidia.icd/i some.file 0644 HOLOGRAM NATIVE' payload/.manifest
	expect 0 import --progress plain payload
	grep -q 'unknown type of file, HOLOGRAM' err
	expect_essence
}

it_takes_modules_for_several_kernels() {
	mkdir many
	cp -r "$modules" many/a
	made_modules many/b 6.6.1-other
	xz many/b/nvidia-current.ko
	zstd -q --rm many/b/nvidia-current-uvm.ko
	gzip many/b/nvidia-current-drm.ko
	expect 0 vmbake driver import --modules many --json "$work/root"
	jq -e '.kernels == ["6.1.0-made", "6.6.1-other"]' out
	vmbake driver inspect --json "$made_version" |
		jq -e '[.kernels[].modules | length] == [5, 5]'
}

it_takes_a_module_that_is_found_twice_once() {
	cp -r "$modules" large
	head -c 2M /dev/urandom >>large/nvidia-current.ko
	expect 0 vmbake driver import --modules large --json "$work/root"
	jq -r .name out >first
	expect 0 vmbake driver import --store other --modules large --modules large --json \
		"$work/root"
	jq -r .name out | diff first -
	cmp store/drivers/*/data other/drivers/*/data
}

it_brings_what_modules_need_of_the_kernel() {
	local magic="vermagic=$made_release SMP mod_unload " kernel=$PWD/kernel

	cp -r "$modules" own
	made_module own/nvidia-current.ko nvidia "version=$made_version" license=NVIDIA "$magic" \
		depends=i2c-core,drm "softdep=pre: ecdh_generic nowhere"
	made_module kernel/kernel/drivers/i2c/i2c-core.ko i2c_core license=GPL "$magic"
	made_module kernel/kernel/drivers/gpu/drm.ko drm license=GPL "$magic" depends=backlight
	made_module kernel/kernel/drivers/video/backlight.ko backlight license=GPL "$magic"
	made_module kernel/kernel/crypto/ecdh_generic.ko ecdh_generic license=GPL "$magic"
	made_module kernel/kernel/net/unrelated.ko unrelated license=GPL "$magic"
	expect 0 vmbake driver import --modules own --kernel-modules "$kernel" --json "$work/root"
	jq -e '.findings | map(select(.rule == "module-depends")) == []' out
	vmbake driver inspect --json "$made_version" | jq -r '.kernels[0].modules[] |
		select((.name | test("^nvidia$|nvidia_uvm")) or (.vendor | not)) |
		[.name, .vendor, (.needs // [] | join(","))] | join(" ")' | diff - <(cat <<-'END'
		i2c_core false 
		backlight false 
		drm false backlight
		ecdh_generic false 
		nvidia true i2c_core,drm,ecdh_generic
		nvidia_uvm true nvidia
	END
	)
	expect 0 vmbake driver import --modules own --json "$work/root"
	jq -e '.findings | map(select(.rule == "module-depends" and .severity == "unknown")) |
		length == 2' out
	rm kernel/kernel/drivers/gpu/drm.ko
	expect 10 vmbake driver import --modules own --kernel-modules "$kernel" "$work/root"
	grep -q 'error: module-depends: module nvidia .* depends on drm' err
}

it_lists_and_removes() {
	local name

	expect 0 vmbake driver list --json
	[ "$(cat out)" = '{"drivers":[]}' ]
	expect 0 import "$work/root"
	name=$(jq -r .name out)
	expect 0 vmbake driver list --json
	jq -e --arg name "$name" '.drivers | length == 1 and .[0].name == $name and
		.[0].version == "999.10.05" and .[0].kernels == ["6.1.0-made"]' out
	expect 0 vmbake driver list
	grep -q "^$name: CUDA 13.2, 14 files" out
	refuses 3 535.1 vmbake driver rm 535.1
	expect 0 vmbake driver rm --json "$made_version"
	jq -e --arg name "$name" '.removed == [$name]' out
	expect_no_draft
	refuses 3 "$name" vmbake driver inspect "$name"
}

it_asks_which_one_is_meant() {
	expect 0 import "$work/root"
	expect 0 import "$flat"
	refuses 2 'is several' vmbake driver inspect "$made_version"
	expect 0 vmbake driver list --json
	for name in $(jq -r '.drivers[].name' out); do
		expect 0 vmbake driver inspect "$name"
		expect 0 vmbake driver inspect "${name%??}"
	done
}

run_promises
