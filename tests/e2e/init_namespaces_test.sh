#!/usr/bin/env bash
# The guest's init without a machine: as PID 1 of namespaces of its own, always with a user
# namespace too, since much of what it does is global. There devtmpfs and cgroup2 are refused, and
# reboot(2) ends the namespace by SIGINT (power-off) or SIGHUP (restart).
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

isolated=(unshare --user --map-root-user --pid --fork --mount --net --uts)
"${isolated[@]}" true 2>/dev/null || isolated=()

# runs ENTRYPOINT [SETTING...]: ENTRYPOINT is JSON; ./console and $status are how it went. The
# settings stand where the kernel's command line would, in a made-up sysroot.
runs() {
	local entrypoint=$1

	[ ${#isolated[@]} -gt 0 ] || skip 'this machine gives no user namespaces'
	shift
	mkdir -p root/{.vmbake,bin,dev,etc,proc,run,sys,tmp,made/proc,made/sys}
	cp "$build/guest/x86_64/init" root/.vmbake/
	cp "$(command -v busybox)" root/bin/
	ln -sf busybox root/bin/sh
	echo "quiet $*" >root/made/proc/cmdline
	cat >root/.vmbake/boot.json <<-JSON
		{ "format": ${format:-2}, "entrypoint": $entrypoint, "working_dir": "/srv/made",
		  "user": { "uid": 0, "gid": 0, "home": "/root" }, "stop_signal": 15,
		  "env": ["PATH=/bin"], "gpu": { "policy": "none" } }
	JSON
	[ -z "${boot_json:-}" ] || cp "$boot_json" root/.vmbake/boot.json
	status=0
	timeout 60 "${isolated[@]}" chroot root /.vmbake/init --sysroot /made >console 2>&1 \
		</dev/null || status=$?
	cat console
}

sh() {
	runs "[\"/bin/sh\",\"-c\",\"$1\"]" "${@:2}"
}

it_brings_exit_codes_through() {
	sh 'exit 7'
	grep -qx 'vmbake: exited code=7' console
}

it_tells_signals() {
	sh 'kill -9 $$'
	grep -qx 'vmbake: exited signal=9' console
}

it_ends_by_power_off_or_reboot_as_told() {
	sh 'exit 0' vmbake.shutdown=poweroff
	[ "$status" -eq $((128 + 2)) ]
	sh 'exit 0' vmbake.shutdown=reboot
	[ "$status" -eq $((128 + 1)) ]
}

it_makes_the_process_as_docker_would() {
	sh 'busybox env;busybox id;busybox pwd;umask' vmbake.env.A=b vmbake.hostname=box
	grep -qx A=b console
	grep -qx HOME=/root console
	grep -qx HOSTNAME=box console
	grep -qx /srv/made console
	grep -qx 0022 console
	grep -q '^uid=0 gid=0' console
	[ "$(grep -c VMBAKE console)" -eq 0 ]
}

it_forwards_signals_to_the_entrypoint() {
	sh 'trap \"echo got it; exit 5\" USR1;kill -USR1 1;while :;do busybox sleep 0.1;done'
	grep -qx 'got it' console
	grep -qx 'vmbake: exited code=5' console
}

it_gives_the_entrypoint_default_signals() {
	runs '["busybox","grep","-E","Sig[BI]","/proc/self/status"]'
	grep -q '^SigBlk:.0000000000000000$' console
	grep -q '^SigIgn:.0000000000000000$' console
}

it_makes_shared_memory_as_large_as_asked() {
	sh 'busybox grep /dev/shm /proc/mounts;busybox head -n 1 /proc/meminfo'
	awk '/^MemTotal/ { all_kib = $2 } / \/dev\/shm tmpfs / { sub(/.*size=/, ""); kib = $1 + 0 }
		END { exit !(kib > 0 && kib >= all_kib / 2 - 8 && kib <= all_kib / 2 + 8) }' console
	sh 'busybox grep /dev/shm /proc/mounts' vmbake.shm-size=64M
	grep -q ' /dev/shm tmpfs rw,nosuid,nodev,noexec,.*size=65536k' console
}

it_reaps_orphans() {
	sh 'for i in 1 2 3 4 5;do (busybox true&);done;busybox sleep 1;busybox ps'
	[ "$(grep -c true console)" -eq 0 ]
	grep -qx 'vmbake: exited code=0' console
}

it_knows_127_from_126() {
	runs '["nothere"]'
	grep -qx 'vmbake:   tried /bin/nothere' console
	grep -qx 'vmbake: exited code=127' console
	runs '["/etc"]'
	grep -qx 'vmbake: exited code=126' console
	printf '#!/no/such\n' >root/bin/script
	chmod +x root/bin/script
	runs '["script"]'
	grep -q 'its interpreter .* is what is missing' console
	grep -qx 'vmbake: exited code=127' console
}

it_ends_in_order_when_it_cannot_begin() {
	format=3 runs '["/bin/sh"]'
	grep -q '^vmbake: failed: /.vmbake/boot.json: format 3' console
	grep -qx 'vmbake: exited code=125' console
	runs '[]'
	grep -q '^vmbake: failed: nothing to run' console
	sh true vmbake.grow=perhaps
	grep -q '^vmbake: failed: kernel command line: "grow" is neither on nor off' console
}

# refused WORDS: it reports and ends in order, whatever it was given.
refused() {
	grep -q "^vmbake: failed: .*$1" console
	grep -qx 'vmbake: exited code=125' console
	[ "$status" -eq $((128 + 2)) ] || [ "$status" -eq $((128 + 1)) ]
}

it_reports_and_ends_whatever_boot_json_holds() {
	local rest='"working_dir":"/","user":{"uid":0,"gid":0,"home":"/"},"stop_signal":15,'
	rest+='"gpu":{"policy":"none"}}'
	{
		printf '{"format":2,"env":["A='
		head -c 10000000 /dev/zero | tr '\0' x
		printf '"],%s' "$rest"
	} >big
	boot_json=big runs '[]'
	refused 'boot.json: over 4194304 bytes'
	printf '{"format":2,"entrypoint":["/bin/sh\\u0000"],%s' "$rest" >escaped_nul
	boot_json=escaped_nul runs '[]'
	refused 'boot.json: not JSON'
	printf '{"format":2,"entrypoint":["/bin/\0sh"],%s' "$rest" >nul
	boot_json=nul runs '[]'
	refused 'boot.json: not JSON'
	printf '{"format":2,"entrypoint":["/bin/sh"],"nodes":[{"path":"/dev/../etc/x",%s%s' \
		'"type":"char","mode":0,"major":1,"minor":1,"uid":0,"gid":0}],' "$rest" >way_up
	boot_json=way_up runs '[]'
	refused 'not below /dev'
	head -c 100000 /bin/sh >program
	boot_json=program runs '[]'
	refused 'boot.json: not JSON'
	: >empty
	boot_json=empty runs '[]'
	refused 'boot.json: not JSON'
}

it_reports_and_ends_whatever_the_machine_says() {
	sh true "vmbake.env.A=$(head -c 100000 /dev/zero | tr '\0' x)"
	refused 'proc/cmdline: over 65536 bytes'
	sh true 'vmbake.env={'
	refused '"env": not JSON'
	sh true 'vmbake.workdir=../../etc'
	refused 'is not absolute'
	mkdir -p root/made/etc
	head -c 20000000 /dev/zero >root/made/etc/passwd
	sh true vmbake.user=someone
	refused 'etc/passwd: over 16777216 bytes'
	{
		printf 'a:x:99999999999:0::/:\n:::::::\n\0\n'
		head -c 100000 /dev/zero | tr '\0' ':'
	} >root/made/etc/passwd
	sh true vmbake.user=a
	refused 'user a'
}

# settings_disk TEXT [LENGTH]: /dev/vdb of the made-up machine; TEXT as printf takes it.
settings_disk() {
	local disk=root/made/sys/class/block/vdb

	mkdir -p "$disk" root/made/dev
	echo 2048 >"$disk/size"
	echo vmbake-run >"$disk/serial"
	# shellcheck disable=SC2059 # it is one
	printf "$1" >json
	{
		printf 'vmbake-run/1\0\0\0\0'
		python3 -c 'import struct, sys
sys.stdout.buffer.write(struct.pack("<I", int(sys.argv[1])))' "${2:-$(stat -c %s json)}"
		cat json
	} >root/made/dev/vdb
}

it_reports_and_ends_whatever_a_settings_disk_holds() {
	settings_disk '{"hostname":"a\0b"}'
	sh true
	refused 'settings disk vdb: not JSON'
	settings_disk '{"hostname":"a\\u0000b"}'
	sh true
	refused 'settings disk vdb: not JSON'
	settings_disk '{}' 10000000
	sh true
	refused 'settings disk vdb: its length'
	settings_disk '{}' 4096
	sh true
	refused 'settings disk vdb: .*too early'
	settings_disk "{\"hostname\":\"$(printf %0300d 0)\"}"
	sh true
	refused 'set hostname 0000'
	settings_disk '{"sysctls":{"../../../etc/passwd":"x"}}'
	sh true
	refused '\.\./\.\./\.\./etc/passwd'
	settings_disk '{"mounts":[{"source":"tmpfs","target":"../x"}]}'
	sh true
	refused 'is not absolute'
	settings_disk '{"rlimits":{"nofile":"-1:x"}}'
	sh true
	refused nofile
}

it_reports_a_fault_of_its_own() {
	sh 'kill -SEGV 1;busybox sleep 30'
	grep -qx 'vmbake: failed: a fault in init itself' console
	grep -qx 'vmbake: exited code=125' console
	[ "$status" -gt 128 ]
}

it_runs_only_as_pid_1() {
	expect 125 "$build/guest/x86_64/init"
	grep -q 'to be run as PID 1' err
}

run_promises
