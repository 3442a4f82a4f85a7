#!/usr/bin/env bash
# The way from a GPU's driver to an open descriptor, with stand-in modules (fixtures/gpu-modules)
# and without a GPU: the bus is not looked at (gpu-scan=off) unless that is the promise.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2
prepare_modules() {
	"$root/mk/fetch_headers.sh" "$build"
	cp -r "$root/fixtures/gpu-modules" "$work/modules"
	make -s -C "$build/debian/linux-headers/build" M="$work/modules" modules
}
prepare_modules >"$logs/e2e-boot_gpu-modules.log" 2>&1 ||
	{ tail "$logs/e2e-boot_gpu-modules.log" >&2; exit 1; }

port=(-device virtio-serial-pci -chardev "file,id=p,path=report"
	-device "virtserialport,chardev=p,name=vmbake")

# boots ENTRYPOINT [KERNEL_ARGUMENT...]: as user 1000, with ./console and ./report.
boots() {
	local command

	mkdir -p root/{.vmbake,bin,dev,proc,run,sys,tmp}
	cp "$build/guest/x86_64/init" root/.vmbake/
	cp "$(command -v busybox)" root/bin/
	cp "$work"/modules/*.ko root/
	cat >root/.vmbake/boot.json <<-JSON
		{ "format": 2, "entrypoint": ["busybox", "sh", "-c", "$1"], "env": ["PATH=/bin"],
		  "user": { "uid": 1000, "gid": 1000, "home": "/" }, "working_dir": "/",
		  "stop_signal": 15, "gpu": { "policy": "required", "version": "999.10.05",
		  "modules": [
		    { "name": "nvidia", "path": "/nvidia.ko", "params": "" },
		    { "name": "nvidia_uvm", "path": "/nvidia-uvm.ko", "params": "" } ] } }
	JSON
	truncate -s 32M root.img
	mke2fs -q -F -t ext4 -d root root.img
	command=$(boot_command "$work/guest" root.img "vmbake.report-port=vmbake ${*:2}")
	eval "timeout --kill-after=5 120 $command ${port[*]@Q}" </dev/null | tr -d '\r' >console
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

run_promises
