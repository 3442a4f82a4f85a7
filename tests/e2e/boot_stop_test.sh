#!/usr/bin/env bash
# How a machine is told to stop, and the terminal that the entrypoint gets when it is asked for.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2

# The image's own stop signal is not the usual one, and its entrypoint waits for it.
prepare_image() {
	mkdir -p "$work"/tree/{bin,etc}
	cp "$(command -v busybox)" "$work/tree/bin/"
	ln -s busybox "$work/tree/bin/sh"
	printf '%s\n' '#!/bin/sh' 'trap "echo stopped; exit 3" USR1' 'echo ready' \
		'while :; do busybox sleep 0.1; done' >"$work/tree/bin/waits"
	chmod +x "$work/tree/bin/waits"
	"$root/fixtures/folder-image" "$layout" stop "$work/tree" '{ "Entrypoint": ["waits"],
		"StopSignal": "SIGUSR1", "Env": ["PATH=/bin"] }'
	cd "$work"
	VMBAKE_STORE=$work/store vmbake build --progress none -o image.ext4 "oci:$layout:stop"
}
(prepare_image) >&2

# boots KERNEL_ARGUMENTS [QEMU_ARGUMENT...]: ./console
boots() {
	local command

	command=$(boot_command "$work/guest" "$work/image.ext4" "$1")
	eval "timeout --kill-after=5 120 $command ${*:2}" </dev/null |
		sed -u 's/\r//g' >console
	cat console
}

# tell_when_ready LINE FILE: when the entrypoint waits.
tell_when_ready() {
	until grep -q '^ready' console 2>/dev/null; do sleep 0.2; done
	echo "$1" >"$2"
}

stopped_by() {
	grep -q "^vmbake: $1: stopping with signal 10" console
	grep -qx stopped console
	grep -qx 'vmbake: exited code=3' console
}

it_stops_by_the_exit_channel() {
	mkfifo port.in port.out
	tell_when_ready stop port.in &
	cat port.out >report &
	boots vmbake.report-port=vmbake -device virtio-serial-pci -chardev pipe,id=p,path=port \
		-device virtserialport,chardev=p,name=vmbake
	wait %2
	stopped_by 'exit channel'
	jq -e '.code == 3' report
}

it_stops_by_ctrl_alt_del() {
	mkfifo monitor.in monitor.out
	tell_when_ready 'sendkey ctrl-alt-delete' monitor.in &
	cat monitor.out >/dev/null &
	boots '' -monitor pipe:monitor
	stopped_by Ctrl-Alt-Del
}

it_gives_a_terminal_only_when_asked() {
	local show='vmbake.entrypoint=["/bin/busybox","cut","-d\u0020","-f6,7","/proc/self/stat"]'

	boots "$show"
	grep -qE '^[0-9]+ 0$' console
	boots "$show vmbake.terminal=on"
	grep -qE '^[0-9]+ [1-9][0-9]*$' console
	boots 'vmbake.terminal=on vmbake.entrypoint=["/bin/sh","-c",'\
'"echo\u0020$TERM;exec\u0020</dev/tty"]'
	grep -qx xterm console
	grep -qx 'vmbake: exited code=0' console
}

run_promises
