#!/usr/bin/env bash
# The exit report over vsock, without a host that speaks it: inside the guest, over its loopback.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2

boots() {
	local command

	mkdir -p root/{.vmbake,bin,dev,proc,run,sys,tmp}
	cp "$build/guest/x86_64/init" root/.vmbake/
	gcc -std=gnu17 -D_GNU_SOURCE -Os -static -o root/bin/listener \
		"$root/tests/e2e/vsock_listener.c"
	cat >root/.vmbake/boot.json <<-'JSON'
		{ "format": 2, "entrypoint": ["/bin/listener", "1024"], "working_dir": "/",
		  "user": { "uid": 0, "gid": 0, "home": "/" }, "stop_signal": 15,
		  "gpu": { "policy": "none" } }
	JSON
	truncate -s 32M root.img
	mke2fs -q -F -t ext4 -d root root.img
	command=$(boot_command "$work/guest" root.img "$*")
	eval "timeout --kill-after=5 120 $command" </dev/null | tr -d '\r' >console
	cat console
}

it_sends_the_report_to_the_hosts_port() {
	vmbake initrd --modules "$(echo "$build"/debian/linux-image/lib/modules/*)" \
		--load vsock_loopback -o "$work/guest/initrd.img"
	boots vmbake.report-vsock-port=1024
	sed -n 's/^heard //p' console >report
	jq -e '."vmbake-exit" == 1 and .code == 7 and ."stages-us".exit > 0' report
	boots vmbake.report-vsock-port=1025
	[ "$(grep -c '^heard' console)" -eq 0 ]
	grep -q '^vmbake: the exit report did not reach vsock port 1025: ' console
	grep -qx 'vmbake: exited code=7' console
}

run_promises
