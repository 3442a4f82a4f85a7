#!/usr/bin/env bash
# One image, many machines: settings by command line and disk, roots, stops, reports.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo
boot_prepare "$build" "$work/guest" >&2
image=$work/image.ext4
(cd "$work" && VMBAKE_STORE=$work/store bake "oci:$layout:demo")

# boots KERNEL_ARGUMENTS [QEMU_ARGUMENT...]: the console goes to ./console. $seconds: for how long.
boots() {
	local command

	command=$(boot_command "$work/guest" "${disk:-$image}" "$1")
	shift
	eval "timeout --kill-after=5 ${seconds:-120} $command ${*@Q}" </dev/null |
		sed -u 's/\r//g' >console || fail "QEMU: $(tail console)"
	cat console
}

# sh_args COMMAND: kernel arguments that run it in a shell as root. A space is \u0020 in JSON.
sh_args() {
	printf 'vmbake.user=root vmbake.entrypoint=["/bin/sh","-c","%s"]' "${1// /\\u0020}"
}

# settings_disk JSON: ./settings.img
settings_disk() {
	local len=${#1}

	{
		printf 'vmbake-run/1\0\0\0\0'
		# shellcheck disable=SC2059 # the format is the four bytes of the length
		printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $((len & 255)) $((len >> 8 & 255)) \
			$((len >> 16 & 255)) $((len >> 24)))"
		printf %s "$1"
	} >settings.img
	truncate -s %512 settings.img
}

port=(-device virtio-serial-pci -chardev "file,id=p,path=report"
	-device "virtserialport,chardev=p,name=vmbake")

it_takes_settings_from_the_command_line() {
	boots "$(sh_args 'hostname;echo $A') vmbake.hostname=box vmbake.env.A=b"
	grep -qx box console
	grep -qx b console
	grep -qx 'vmbake: exited code=0' console
}

it_takes_settings_from_a_disk_by_its_serial() {
	settings_disk '{"hostname":"fromdisk","cmd":["it says so"],"unheard":1}'
	boots '' -drive file=settings.img,format=raw,if=none,id=s \
		-device virtio-blk-pci,drive=s,serial=vmbake-run,addr=0x10
	grep -qx 'it says so' console
	grep -q '^vmbake: settings disk: "unheard" is no setting$' console
}

it_takes_settings_from_a_disk_by_its_content() {
	settings_disk '{"cmd":["known by content"]}'
	boots '' -drive file=settings.img,format=raw,if=virtio
	grep -qx 'known by content' console
}

it_ends_in_order_when_settings_are_broken() {
	settings_disk '{"hostname":1}'
	boots vmbake.report-port=vmbake -drive file=settings.img,format=raw,if=virtio "${port[@]}"
	grep -q '^vmbake: failed: settings disk vdb: "hostname" is not a string$' console
	grep -qx 'vmbake: exited code=125' console
	[ "$(grep -c 'Kernel panic' console)" -eq 0 ]
	jq -e '.code == 125 and (.failure | startswith("settings disk vdb: "))' report
}

it_says_what_it_tried_when_there_is_no_entrypoint() {
	boots 'vmbake.entrypoint=nothere'
	grep -qx 'vmbake:   tried /usr/local/bin/nothere' console
	grep -qx 'vmbake: exited code=127' console
	boots 'vmbake.entrypoint=/etc'
	grep -qx 'vmbake: exited code=126' console
}

it_reports_its_end_over_virtio_serial() {
	boots "$(sh_args 'exit 7') vmbake.report-port=vmbake" "${port[@]}"
	jq -e '.code == 7 and ."oom-killed" == false and .gpu.verdict == "not-asked"' report
	jq -e '."stages-us" | .initrd < .["root-found"] and .init < .exit' report
}

it_reports_who_ran_out_of_memory() {
	boots "$(sh_args 'x=xxxxxxxx;while :;do x=$x$x;done') vmbake.report-port=vmbake" \
		"${port[@]}"
	grep -qx 'vmbake: exited signal=9' console
	jq -e '.signal == 9 and ."oom-killed"' report
}

it_shares_one_image_under_a_tmpfs() {
	local before

	before=$(sha256sum "$image")
	disk="$image,readonly=on" boots \
		"ro vmbake.overlay=tmpfs $(sh_args 'echo one>/new;cat /new;mount')"
	grep -qx one console
	grep -q '^overlay on / type overlay' console
	[ "$(sha256sum "$image")" = "$before" ]
}

it_keeps_what_is_written_on_a_second_drive() {
	local overlay

	truncate -s 16M data.img
	mke2fs -q -F -L data data.img
	for overlay in LABEL=data SERIAL=disk; do
		boots "ro vmbake.overlay=$overlay $(sh_args 'echo x>>/count;cat /count')" \
			-drive file=data.img,format=raw,if=none,id=d \
			-device virtio-blk-pci,drive=d,serial=disk,addr=0x10
	done
	[ "$(grep -cx x console)" -eq 2 ]
	check_filesystem data.img
}

it_mounts_drives_by_label() {
	truncate -s 8M data.img
	mke2fs -q -F -L data data.img
	settings_disk '{"mounts":[{"source":"LABEL=data","target":"/data/in","read-only":true}]}'
	boots "$(sh_args 'mount')" -drive file=data.img,format=raw,if=virtio \
		-drive file=settings.img,format=raw,if=virtio
	grep -q ' on /data/in type ext4 (ro' console
}

it_reaches_the_host_over_the_network() {
	settings_disk '{"network":[{"addresses":["10.0.2.15/24","fec0::15/64"],
		"routes":[{"to":"default","via":"10.0.2.2"},
		{"to":"2001:db8::/32","via":"fec0::2"}]}],"dns":["10.0.2.3"],
		"hostname":"box"}'
	boots "$(sh_args 'busybox ping -c1 10.0.2.2;busybox ping -c1 fec0::2;'\
'busybox route -A inet6;cat /etc/resolv.conf /etc/hosts')" \
		-nic user,model=virtio-net-pci -drive file=settings.img,format=raw,if=virtio
	[ "$(grep -c '1 packets received' console)" -eq 2 ]
	grep -q '^2001:db8::/32  *fec0::2  *UG' console
	grep -qx 'nameserver 10.0.2.3' console
	grep -q '^10.0.2.15.box$' console
}

it_sets_limits_sysctls_and_capabilities() {
	boots "vmbake.rlimits.nofile=100:200 vmbake.sysctls.net.core.somaxconn=77 \
		vmbake.capabilities=docker vmbake.no-new-privs=on vmbake.lock-modules=off \
		$(sh_args 'ulimit -n;ulimit -l;cat /proc/sys/net/core/somaxconn;'\
'busybox grep -E \"CapBnd|NoNewPrivs\" /proc/self/status;'\
'busybox tail /proc/sys/kernel/modules_disabled')"
	grep -qx 100 console
	grep -qx unlimited console
	grep -qx 77 console
	grep -q '^CapBnd:.00000000a80425fb$' console
	grep -q '^NoNewPrivs:.1$' console
	grep -qx 0 console
}

it_grows_the_root_to_its_device() {
	cp --sparse=always "$image" big.ext4
	truncate -s 3G big.ext4
	disk=big.ext4 boots "vmbake.grow=on $(sh_args 'busybox df -m /')"
	awk '$1 == "/dev/root" || $1 == "/dev/vda" { exit !($2 > 2700) }' console
}

it_stops_by_the_power_button_and_kills_after_the_grace() {
	mkfifo monitor.in monitor.out
	(
		until grep -q '^ready' console 2>/dev/null; do sleep 0.2; done
		echo system_powerdown >monitor.in
	) &
	cat monitor.out >/dev/null &
	boots "vmbake.grace-seconds=1 $(sh_args 'trap : TERM;echo ready;'\
'while :;do sleep 1;done')" -monitor pipe:monitor
	grep -q '^vmbake: power button: stopping with signal 15' console
	grep -qx 'vmbake: exited signal=9' console
}

it_reaps_ten_thousand_orphans() {
	seconds=400
	boots "$(sh_args 'i=0;while [ $i -lt 100 ];do (for j in $(busybox seq 100);do true& done);'\
'i=$((i+1));done;sleep 1;cat /proc/[0-9]*/stat|busybox grep -c \") Z \"')"
	grep -qx 0 console
}

run_promises
