# shellcheck shell=bash
# Sourced by tests/nvidia/*_test.sh instead of tests/e2e/lib.sh: NVIDIA's driver as Debian has it,
# and machines beside GPUs that are made up (fixtures/fake-gpu).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

boot_prepare "$build" "$work/guest" >&2
debs=$build/nvidia/debs
modules=$(echo "$build"/nvidia/modules/*)
# shellcheck disable=SC2034 # for those who source it
release=$(basename "$modules")
kernel=$work/guest/vmlinuz
kernel_config=$(echo "$build"/debian/linux-image/boot/config-*)

# version_of DEBS: of a driver, by the package with its modules' source
version_of() {
	local version

	version=$(dpkg-deb -f "$1"/*-kernel-source_*.deb Version)
	echo "${version%%-*}"
}
# shellcheck disable=SC2034 # as above
version=$(version_of "$debs")

# userspace DEBS: the driver's files, as a person would download them: not the modules' source, nor
# the one package that Debian has of another version.
userspace() {
	find "$1" -name '*.deb' ! -name '*-kernel-source_*' ! -name 'nvidia-persistenced_*' | sort
}

# import_driver MODULES DEBS: into $work/store
import_driver() {
	local sources

	mapfile -t sources < <(userspace "$2")
	vmbake driver import --store "$work/store" --modules "$1" --kernel "$kernel" \
		--kernel-config "$kernel_config" --json "${sources[@]}"
}

# NVIDIA's own modules, without the fake GPU's.
copy_modules() {
	mkdir "$work/modules"
	cp "$modules"/nvidia*.ko "$work/modules/"
}

# gpu_devices COUNT: QEMU's options
gpu_devices() {
	local i

	for i in $(seq "$1"); do
		echo "-object memory-backend-ram,id=m$i,size=16M -device ivshmem-plain,memdev=m$i"
	done
}

# boots GPU_COUNT [KERNEL_ARGUMENT...]: ./image.ext4; the console goes to ./console, the exit report
# to ./report.
boots() {
	local command report=(-device virtio-serial-pci -chardev "file,id=p,path=report"
		-device "virtserialport,chardev=p,name=vmbake")

	# What makes the GPUs up is loaded before the driver looks for them.
	inside image.ext4 /.vmbake/boot.json | jq '.modules = [{ "name": "fakegpu",
		"path": "/modules/fakegpu.ko", "params": "" }] + .modules' >boot.json
	cp --reflink=auto --sparse=always image.ext4 booted.ext4
	printf 'rm /.vmbake/boot.json\nwrite boot.json /.vmbake/boot.json\n' |
		debugfs -w -f - booted.ext4 >debugfs.log 2>&1
	command=$(boot_command "$work/guest" booted.ext4 "vmbake.report-port=vmbake ${*:2}")
	eval "timeout --kill-after=5 240 $command -m 1024 $(gpu_devices "$1" | xargs) \
		${report[*]@Q}" </dev/null | tr -d '\r' >console
	rm booted.ext4
	cat console report
}
