#!/usr/bin/env bash
# NVIDIA's own driver in a guest: its nodes, and each way to fail that a fake GPU can bring about
# (fixtures/fake-gpu); a real one would open. What the report then says is for a scheduler.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

boot_prepare "$build" "$work/guest" >&2
modules=$(echo "$build"/nvidia/modules/*)
version=$(dpkg-deb -f "$build"/nvidia/debs/nvidia-kernel-source_*.deb Version)
version=${version%%-*}

# One image with the driver's parts; what differs between machines is in boot.json.
prepare_image() {
	local folder=$work/tree

	mkdir -p "$folder"/{bin,lib} "$folder/lib/modules"
	cp "$(command -v busybox)" "$folder/bin/"
	cp "$modules"/{fakegpu,nvidia,nvidia-uvm}.ko "$folder/lib/modules/"
	dpkg-deb --fsys-tarfile "$build"/nvidia/debs/firmware-nvidia-gsp_*.deb |
		tar -x -C "$folder" ./lib/firmware
	"$root/fixtures/folder-image" "$layout" driver "$folder"
	rm -r "$folder"
	cd "$work"
	VMBAKE_STORE=$work/store vmbake build --progress none -o image.ext4 "oci:$layout:driver"
	rm -r "$layout" "$work/store"
}
(prepare_image) >"$logs/e2e-nvidia_boot-image.log" 2>&1 ||
	{ tail "$logs/e2e-nvidia_boot-image.log" >&2; exit 1; }

# boots GPU_COUNT COMMAND [KERNEL_ARGUMENT...]: as user 1000; the console goes to ./console, the
# exit report to ./report. $gpu: more members of boot.json's gpu. $without: a path of the image.
boots() {
	local command devices=() i

	for i in $(seq "$1"); do
		devices+=(-object "memory-backend-ram,id=m$i,size=16M"
			-device "ivshmem-plain,memdev=m$i")
	done
	devices+=(-device virtio-serial-pci -chardev "file,id=p,path=report"
		-device "virtserialport,chardev=p,name=vmbake")
	cat >boot.json <<-JSON
		{ "format": 2, "entrypoint": ["busybox", "sh", "-c", "$2"], "env": ["PATH=/bin"],
		  "user": { "uid": 1000, "gid": 1000, "home": "/" }, "working_dir": "/",
		  "stop_signal": 15,
		  "modules": [
		    { "name": "fakegpu", "path": "/lib/modules/fakegpu.ko", "params": "" } ],
		  "gpu": { "policy": "required", "version": "$version", "cuda": "12.2", ${gpu:-}
		  "modules": [
		    { "name": "nvidia", "path": "/lib/modules/nvidia.ko", "params": "" },
		    { "name": "nvidia_uvm", "path": "/lib/modules/nvidia-uvm.ko",
		      "params": "", "needs": ["nvidia"] } ] } }
	JSON
	cp --reflink=auto --sparse=always "$work/image.ext4" image.ext4
	{
		echo 'rm /.vmbake/boot.json'
		echo 'write boot.json /.vmbake/boot.json'
		[ -z "${without:-}" ] || echo "rm $without"
	} | debugfs -w -f - image.ext4 >debugfs.log 2>&1
	command=$(boot_command "$work/guest" image.ext4 "vmbake.report-port=vmbake ${*:3}")
	eval "timeout --kill-after=5 240 $command -m 1024 ${devices[*]@Q}" </dev/null |
		tr -d '\r' >console
	rm image.ext4
	cat console report
}

# failed CODE WORDS: the machine ended before the entrypoint, and the report says which row it was.
failed() {
	grep -qx 'vmbake: exited code=125' console
	jq -e --argjson code "$1" '.code == 125 and .gpu.code == $code' report
	jq -e '.gpu.verdict == "failed" and .gpu.symptom and .gpu.hint' report
	grep -qF "$2" console
}

firmware=nvidia.NVreg_EnableGpuFirmware=1

it_does_not_load_the_driver_without_a_gpu() {
	boots 0 'busybox cat /proc/modules' vmbake.gpu=optional
	[ "$(grep -c '^nvidia' console)" -eq 0 ]
	jq -e '.code == 0 and .gpu.verdict == "absent" and .gpu.count == 0' report
	boots 0 'busybox true'
	failed 1 'there is no NVIDIA GPU'
	boots 0 'busybox true' vmbake.gpu-scan=off
	failed 1 'there is no NVIDIA GPU'
}

it_makes_the_nodes_of_two_gpus() {
	boots 2 'busybox ls -ln /dev/nvidia0 /dev/nvidia1 /dev/nvidiactl /dev/nvidia-uvm;'\
'exec 3<>/dev/nvidiactl 4<>/dev/nvidia-uvm;echo open;busybox readlink /dev/char/195:1' \
		vmbake.gpu=optional
	grep -qE '^crw-rw-rw- .* 0 +0 +195, +0 .*/dev/nvidia0$' console
	grep -qE '^crw-rw-rw- .* 0 +0 +195, +1 .*/dev/nvidia1$' console
	grep -qE '^crw-rw-rw- .* 0 +0 +195, 255 .*/dev/nvidiactl$' console
	grep -qx open console
	grep -qx ../nvidia1 console
	jq -e '.gpu.count == 2 and .gpu.verdict == "failed"' report
}

it_switches_the_links_of_a_lone_gpu_off() {
	boots 1 'busybox grep NvLinkDisable /proc/driver/nvidia/params' vmbake.gpu=optional
	grep -qx 'NvLinkDisable: 1' console
	boots 1 'busybox grep NvLinkDisable /proc/driver/nvidia/params' vmbake.gpu=optional \
		nvidia.NVreg_NvLinkDisable=0
	grep -qx 'NvLinkDisable: 0' console
	boots 2 'busybox grep NvLinkDisable /proc/driver/nvidia/params' vmbake.gpu=optional
	grep -qx 'NvLinkDisable: 0' console
}

it_names_firmware_that_is_missing() {
	without=/lib/firmware/nvidia/$version/gsp_ga10x.bin boots 1 'busybox true' "$firmware"
	failed 5 "the GPU's firmware is not in the image"
}

# (0x62:0x25): the firmware was found, and there is no processor that could run it.
it_finds_firmware_at_the_first_open() {
	boots 1 'busybox true' "$firmware"
	failed 17 'the GPU could not be started'
	jq -e .gpu.drain report
}

it_names_a_missing_interrupt() {
	boots 1 'busybox true' fakegpu.irq=0
	failed 4 'the GPU got no interrupt'
}

it_names_a_gpu_of_an_older_branch() {
	boots 1 'busybox true' fakegpu.device=0x102d
	failed 10 'this GPU needs an older driver branch'
}

it_names_a_chip_that_the_driver_does_not_know() {
	boots 1 'busybox true' fakegpu.chip=0
	failed 9 'this driver does not know this GPU'
}

it_names_a_bar_without_an_address() {
	boots 1 'busybox true' fakegpu.unmapped=1
	failed 3 'BAR0 or BAR1 has no address'
	boots 1 'busybox true' fakegpu.unmapped=1 vmbake.gpu-scan=off
	failed 3 "the GPU's memory is not mapped"
}

it_names_a_driver_that_took_the_gpu() {
	boots 1 'busybox true' fakegpu.taken=1
	failed 2 'is taken by taker'
	boots 1 'busybox true' fakegpu.taken=1 vmbake.gpu-scan=off
	failed 2 'another driver has taken the GPU'
}

it_goes_on_when_a_gpu_is_optional() {
	boots 1 'echo went on' vmbake.gpu=optional "$firmware"
	grep -qx 'went on' console
	jq -e '.code == 0 and .gpu.code == 17' report
}

run_promises
