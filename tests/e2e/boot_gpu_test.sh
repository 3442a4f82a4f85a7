#!/usr/bin/env bash
# The way from a GPU's driver to an open descriptor, with stand-in modules (fixtures/gpu-modules)
# and without a GPU: the bus is not looked at (gpu-scan=off) unless that is the promise; then the
# bus has GPUs and NVSwitches that are none (fixtures/fake-gpu).
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2
prepare_modules() {
	local name

	"$root/mk/fetch_headers.sh" "$build"
	for name in gpu-modules fake-gpu; do
		cp -r "$root/fixtures/$name" "$work/$name"
		make -s -C "$build/debian/linux-headers/build" M="$work/$name" modules
	done
}
prepare_modules >"$logs/e2e-boot_gpu-modules.log" 2>&1 ||
	{ tail "$logs/e2e-boot_gpu-modules.log" >&2; exit 1; }

port=(-device virtio-serial-pci -chardev "file,id=p,path=report"
	-device "virtserialport,chardev=p,name=vmbake")

# boots ENTRYPOINT [KERNEL_ARGUMENT...]: as user 1000, with ./console and ./report. $devices: fake
# GPUs to be on the bus. $gpu: more members of boot.json's gpu. $fabric_manager: a shell script.
boots() {
	local command devices_of=() i

	for i in $(seq "${devices:-0}"); do
		devices_of+=(-object "memory-backend-ram,id=m$i,size=16M"
			-device "ivshmem-plain,memdev=m$i")
	done

	mkdir -p root/{.vmbake,bin,dev,proc,run,sys,tmp}
	cp "$build/guest/x86_64/init" root/.vmbake/
	cp "$(command -v busybox)" root/bin/
	cp "$work"/{gpu-modules,fake-gpu}/*.ko root/
	printf '#!/bin/busybox sh\n%s\n' "${fabric_manager:-}" >root/bin/fm
	chmod +x root/bin/fm
	printf 'LOG_LEVEL=4\nDAEMONIZE=1\n' >root/fm.cfg
	cat >root/.vmbake/boot.json <<-JSON
		{ "format": 2, "entrypoint": ["busybox", "sh", "-c", "$1"], "env": ["PATH=/bin"],
		  "user": { "uid": 1000, "gid": 1000, "home": "/" }, "working_dir": "/",
		  "stop_signal": 15,
		  "modules": [ { "name": "fakegpu", "path": "/fakegpu.ko", "params": "" } ],
		  "gpu": { "policy": "required", "version": "999.10.05", ${gpu:-}
		  "modules": [
		    { "name": "nvidia", "path": "/nvidia.ko", "params": "" },
		    { "name": "nvidia_uvm", "path": "/nvidia-uvm.ko", "params": "" } ] } }
	JSON
	truncate -s 32M root.img
	mke2fs -q -F -t ext4 -d root root.img
	command=$(boot_command "$work/guest" root.img "vmbake.report-port=vmbake ${*:2}")
	eval "timeout --kill-after=5 120 $command ${port[*]@Q} ${devices_of[*]@Q}" </dev/null |
		tr -d '\r' >console
	cat console report
}

it_gives_an_entrypoint_that_is_not_root_its_nodes() {
	boots 'busybox id -u;exec 3<>/dev/nvidia0 4<>/dev/nvidiactl 5<>/dev/nvidia-uvm;echo open;'\
'busybox readlink /dev/char/195:0' vmbake.gpu-scan=off
	grep -qx 1000 console
	grep -qx open console
	grep -qx ../nvidia0 console
	jq -e '.code == 0 and .gpu.verdict == "ready"' report
}

it_holds_the_gpu_open() {
	boots 'busybox ls -l /proc/1/fd' vmbake.gpu-scan=off vmbake.user=0
	grep -q -- '-> /dev/nvidia0$' console
}

it_does_not_load_the_driver_without_a_gpu() {
	boots 'busybox cat /proc/modules' vmbake.gpu=optional
	[ "$(grep -c '^nvidia' console)" -eq 0 ]
	jq -e '.gpu.verdict == "absent"' report
	boots 'busybox true'
	grep -qx 'vmbake: exited code=125' console
	jq -e '.gpu.code == 1 and .gpu.verdict == "failed"' report
}

it_tells_a_dirty_gpu_from_the_kernels_log() {
	boots 'busybox true' vmbake.gpu-scan=off \
		'nvidia.open_says="RmInitAdapter failed! (0x62:0x40:2471)"'
	jq -e '.code == 125 and .gpu.code == 6 and .gpu.drain' report
}

it_goes_on_without_a_gpu_when_it_is_optional() {
	boots 'echo went on' vmbake.gpu-scan=off vmbake.gpu=optional nvidia.open_says=nothing
	grep -qx 'went on' console
	jq -e '.code == 0 and .gpu.code == 21' report
}

it_waits_no_longer_than_asked() {
	boots 'busybox true' vmbake.gpu-scan=off vmbake.gpu-timeout-seconds=1 \
		nvidia.open_takes_ms=60000
	jq -e '.code == 125 and .gpu.code == 18' report
}

it_lets_nobody_load_a_module_afterwards() {
	boots 'busybox insmod /nvidia.ko' vmbake.user=0 vmbake.gpu=none
	grep -qi 'insmod: .*not permitted' console
}

# A table that knows the fake GPU, and a requirement that it fulfils or not.
requires() {
	printf '"gpus": [{ "id": "10de:26b9", "arch": "8.9", "brand": "nvidia" }],
		"requirements": [{ "name": "NVIDIA_REQUIRE_CUDA", "predicate": "%s" }],' "$1"
}

it_judges_what_the_image_demands_of_the_gpu() {
	devices=1
	gpu=$(requires 'arch>=8.0') boots 'echo runs'
	grep -qx runs console
	gpu=$(requires 'arch>=9.0') boots 'echo runs' fakegpu.gpus=1
	grep -qF 'the image requires NVIDIA_REQUIRE_CUDA=arch>=9.0' console
	jq -e '.code == 125 and .gpu.code == 24 and (.gpu.drain | not)' report
	[ "$(grep -c '^runs$' console)" -eq 0 ]
	gpu=$(requires 'arch>=9.0') boots 'echo runs' vmbake.env.NVIDIA_DISABLE_REQUIRE=true
	grep -qx runs console
}

it_says_when_it_cannot_judge_a_gpu() {
	devices=1
	gpu=$(requires 'arch>=9.0') boots 'echo runs' fakegpu.device=0x2330
	grep -qF '(10de:2330) is not in the driver' console
	grep -qx runs console
	jq -e '.gpu.verdict == "ready" and .gpu."requirements-unknown" == 1' report
}

fm='"fabric_manager": { "path": "/bin/fm", "config": "/fm.cfg" },'
fm_log=/run/vmbake/fabricmanager.log

it_starts_the_fabric_manager_where_there_is_a_switch() {
	devices=2 gpu=$fm fabric_manager="echo is ready: FM starting NvLink Inband >$fm_log
		exec busybox sleep 1000"
	boots "busybox cat /run/vmbake/fabricmanager.cfg;busybox ps -o args" fakegpu.gpus=1
	grep -qx LOG_LEVEL=4 console
	grep -qx DAEMONIZE=0 console
	grep -qx FABRIC_MODE=0 console
	[ "$(grep -c DAEMONIZE console)" -eq 1 ]
	grep -qx 'busybox sleep 1000' console
	jq -e '.gpu.verdict == "ready" and .gpu.count == 1' report
	boots 'busybox ps -o args' fakegpu.gpus=2
	[ "$(grep -c 'busybox sleep 1000' console)" -eq 0 ]
}

it_tells_a_fabric_manager_that_does_not_run() {
	devices=2 gpu=$fm
	fabric_manager='exit 3' boots 'echo runs' fakegpu.gpus=1
	grep -qF '/bin/fm: it ended with exit code 3' console
	jq -e '.code == 125 and .gpu.code == 25 and .gpu.drain' report
	fabric_manager="echo FM starting NvLink Inband >$fm_log; busybox sleep 1; exit 3" \
		boots 'busybox sleep 3;echo ran' fakegpu.gpus=1
	grep -qx 'vmbake: the fabric manager ended with exit code 3' console
	grep -qx ran console
	jq -e '.code == 0 and .gpu.verdict == "failed" and .gpu.code == 25' report
	fabric_manager='exec busybox sleep 1000' boots 'echo runs' fakegpu.gpus=1 \
		vmbake.gpu-timeout-seconds=1
	grep -qx runs console
	grep -qF 'has not said in 1 s that it is ready' console
}

run_promises
