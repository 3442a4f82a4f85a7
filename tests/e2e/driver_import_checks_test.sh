#!/usr/bin/env bash
# What an import finds out about a driver whose parts do not fit together, are damaged or missing;
# and half an import leaves nothing.
# shellcheck source=tests/e2e/driver_import.sh
. "$(dirname "$0")/driver_import.sh"

it_notes_libraries_that_no_loader_would_find() {
	cp -a "$flat" silent
	rm silent/10_nvidia.json silent/nvidia.icd
	made_library "silent/libnvidia-opencl.so.$made_version" libnvidia-opencl.so.1
	expect 0 import --progress plain silent
	grep -q 'silent has no 10_nvidia.json: EGL will not find this driver' err
	grep -q 'silent has no nvidia.icd: OpenCL will not find this driver' err
	expect 0 import --progress plain "$flat"
	[ "$(grep -c 'will not find' err)" -eq 0 ]
}

it_says_that_a_licence_is_missing() {
	cp -a "$work/root" bare
	rm -r bare/usr/share/doc
	expect 0 import bare
	jq -e '.findings | map(.rule) == ["licence-missing"]' out
	vmbake driver inspect --json "$made_version" | jq -e '.driver | has("license") | not'
}

it_refuses_libraries_of_two_versions() {
	cp -a "$work/root" mixed
	made_library mixed/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.999.10.04 libnvidia-ml.so.1
	expect 10 import mixed
	jq -e '.findings[] | select(.rule == "userspace-version" and .severity == "error")' out
	grep -q '999.10.04' err
	expect_no_draft
}

it_refuses_modules_of_another_version() {
	made_modules old "$made_release" 999.10.04
	expect 10 vmbake driver import --modules old "$work/root"
	grep -q 'error: userspace-version: module nvidia .* 999.10.04, .* of 999.10.05' err
	expect_no_draft
}

# Branch 470's nvidia-uvm.ko says none.
it_takes_a_module_that_says_no_version() {
	local magic="vermagic=$made_release SMP mod_unload "

	cp -r "$modules" silent
	made_module silent/nvidia-current-uvm.ko nvidia_uvm "license=Dual MIT/GPL" depends=nvidia \
		"$magic"
	expect 0 vmbake driver import --modules silent --json "$work/root"
	jq -e '.findings == []' out
	made_module silent/nvidia-current.ko nvidia license=NVIDIA "$magic"
	expect 10 vmbake driver import --modules silent "$work/root"
	grep -q 'module nvidia for kernel .* is of version unknown' err
}

it_refuses_firmware_of_another_version() {
	cp -a "$work/root" mixed
	mv "mixed/lib/firmware/nvidia/$made_version" mixed/lib/firmware/nvidia/999.10.04
	expect 10 import mixed
	jq -e '.findings | map(.rule) | index("firmware-version") >= 0 and
		index("firmware-missing") >= 0' out
	expect_no_draft
}

# In a .run no folder says the version: it is in the file itself.
it_refuses_firmware_that_says_another_version() {
	cp -a "$flat" payload
	made_manifest payload/.manifest
	printf '999.10.04\0' >version
	echo | gcc -c -o firmware.o -xc -
	objcopy --add-section .fwversion=version firmware.o payload/firmware/gsp_ga10x.bin
	expect 10 import payload
	jq -e '.findings | map(.rule) == ["firmware-version"]' out
	grep -q 'gsp_ga10x.bin is of version 999.10.04, the driver of 999.10.05' err
	expect_no_draft
}

it_warns_of_debug_sections() {
	cp -r "$modules" debug
	head -c 2000000 /dev/zero >section
	objcopy --add-section .debug_info=section debug/nvidia-current-uvm.ko
	expect 0 vmbake driver import --modules debug --json "$work/root"
	jq -e '.findings | length == 1 and .[0].rule == "module-debug" and
		.[0].severity == "warning" and (.[0].message | contains(
			"nvidia_uvm for kernel 6.1.0-made has 2.0 MB of debug sections"))' out
}

it_refuses_a_package_of_another_version() {
	cp -a "$work/root" deb-all
	made_deb all.deb libcuda1 "$made_version-1" deb-all
	made_program deb-other/usr/bin/nvidia-persistenced
	made_deb other.deb nvidia-persistenced 999.9.01-1 deb-other
	expect 10 vmbake driver import --modules "$modules" all.deb other.deb
	grep -q 'nvidia-persistenced is of version 999.9.01, the driver of 999.10.05' err
	expect_no_draft
}

it_wants_firmware_for_the_open_modules() {
	cp -r "$modules" open
	made_module open/nvidia-current.ko nvidia "version=$made_version" \
		"license=Dual MIT/GPL" "vermagic=$made_release SMP mod_unload " \
		"firmware=nvidia/$made_version/gsp_ga10x.bin"
	expect 0 vmbake driver import --modules open --json "$work/root"
	[ "$(jq -r .flavor out)" = open ]
	cp -a "$work/root" bare
	rm -r bare/lib/firmware
	expect 10 vmbake driver import --modules open bare
	grep -q 'error: firmware-missing' err
	expect 0 import bare
	jq -e '.findings | map(.severity) | all(. == "warning")' out
}

it_refuses_a_damaged_run() {
	cp -a "$flat" payload
	made_manifest payload/.manifest
	makeself --gzip --nox11 payload made.run label ./nvidia-smi >/dev/null
	cp made.run cut.run
	truncate -s -100 cut.run
	refuses 6 'cut off' try_import cut.run
	sed 's/^CRCsum=.*/CRCsum="12345"/' made.run >crc.run
	refuses 6 'CRC differs' try_import crc.run
	sed 's/^MD5=.*/MD5="0123456789abcdef0123456789abcdef"/' made.run >md5.run
	refuses 6 'MD5 differs' try_import md5.run
	head -n 100 made.run >head.run
	refuses 8 'head.run' try_import head.run
	expect_no_draft
}

it_refuses_a_broken_deb() {
	cp -a "$work/root" deb-all
	made_deb all.deb libcuda1 "$made_version-1" deb-all
	head -c 2000 all.deb >cut.deb
	refuses 8 cut.deb try_import cut.deb
	expect_no_draft
}

it_refuses_a_broken_module() {
	cp -r "$modules" broken
	truncate -s 300 broken/nvidia-current-uvm.ko
	refuses 8 nvidia-current-uvm.ko vmbake driver import --modules broken "$work/root"
	expect_no_draft
}

it_names_what_is_missing() {
	mkdir empty
	refuses 2 '--modules' vmbake driver import "$work/root"
	refuses 3 'no module of NVIDIA' vmbake driver import --modules empty "$work/root"
	refuses 3 'no driver in empty' try_import empty
	refuses 3 nowhere try_import nowhere
	refuses 3 nowhere vmbake driver import --modules nowhere "$work/root"
	echo text >text
	refuses 7 'text is neither' try_import text
	expect_no_draft
}

it_tells_damage() {
	local name

	expect 0 import "$work/root"
	name=$(jq -r .name out)
	echo >>"store/drivers/$name/vmbake-driver.json"
	refuses 6 "$name" vmbake driver inspect "$name"
	expect 0 vmbake driver list
	grep -q "^$name: damaged" out
	expect 0 import "$work/root"
	[ "$(jq .wasThere out)" = false ]
	expect 0 vmbake driver inspect "$name"
}

run_promises
