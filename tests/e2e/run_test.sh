#!/usr/bin/env bash
# vmbake run: a finished image is started, and its entrypoint's end becomes the command's own.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2

prepare_image() {
	mkdir -p "$work"/tree/{bin,etc}
	cp "$(command -v busybox)" "$work/tree/bin/"
	ln -s busybox "$work/tree/bin/sh"
	"$root/fixtures/folder-image" "$layout" shell "$work/tree" '{ "Entrypoint": ["sh", "-c"],
		"Cmd": ["echo the image'"'"'s own"], "Env": ["PATH=/bin", "A=image"] }'
	cd "$work"
	VMBAKE_STORE=$work/store vmbake build --progress none -o image.ext4 "oci:$layout:shell"
}
(prepare_image) >&2
kernel=$work/guest/vmlinuz
machine=(vmbake run "$work/image.ext4" --kernel "$kernel" --initrd "$work/guest/initrd.img"
	--vmm qemu --accel "${VMBAKE_ACCEL:-tcg}")

# No temporary folder and no VMM is left; its own folder is this test's.
expect_nothing_left() {
	[ -z "$(ls "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
}

own_temp() {
	TMPDIR=$(mktemp -d "$work/t.XXX") # short: a socket's path has 107 bytes
	export TMPDIR
}

it_ends_as_the_entrypoint_does() {
	local before

	own_temp
	before=$(sha256sum "$work/image.ext4")
	expect 7 "${machine[@]}" -e "A=it's \"b\" \$c" -u 0:5 -w /etc --hostname box \
		--set rlimits.nofile=100:200 -- \
		'echo "$A|$(busybox hostname)|$(busybox id -g)|$PWD|$(ulimit -n)"; echo x >/new
		exit 7'
	grep -Fx "it's \"b\" \$c|box|5|/etc|100" out
	[ "$(grep -c $'\r' out)" -eq 0 ]
	[ ! -s err ]
	[ "$(sha256sum "$work/image.ext4")" = "$before" ]
	expect_nothing_left
}

it_writes_the_image_only_when_asked() {
	cp --sparse=always "$work/image.ext4" own.ext4
	chmod 0444 own.ext4
	refuses 7 'own.ext4 is read-only' "${machine[@]/"$work/image.ext4"/own.ext4}" --write
	chmod 0644 own.ext4
	expect 0 "${machine[@]/"$work/image.ext4"/own.ext4}" --write -- 'echo kept >/new'
	[ "$(inside own.ext4 /new)" = kept ]
	check_filesystem own.ext4
}

it_runs_a_sealed_image() {
	(cd "$work" && VMBAKE_STORE=$work/store vmbake build --progress none --read-only-fs \
		--verity -o "$OLDPWD/image.ext4" "oci:$layout:shell") | tee built
	expect 0 "${machine[@]/"$work/image.ext4"/image.ext4}" --append "$(tail -n 1 built)" -- \
		'echo written >/new; busybox cat /new'
	grep -qx written out
	refuses 7 read-only-fs "${machine[@]/"$work/image.ext4"/image.ext4}" --write
}

it_says_its_result_as_json() {
	expect 137 "${machine[@]}" --json -- 'echo seen; kill -9 $$'
	grep -qx seen err
	jq -e '.status == 137 and .vmm == "qemu" and .report.signal == 9 and
		.report."stages-us".exit > 0 and .timedOut == false' out
}

it_stops_when_it_is_told_to() {
	local vmm status=0

	own_temp
	"${machine[@]}" -- 'trap "echo stopped; exit 3" TERM; echo ready; while :; do
		busybox sleep 0.1; done' >out 2>err &
	until grep -qx ready out; do sleep 0.2; done
	vmm=$(ps -o pid= --ppid $!)
	kill -TERM $!
	wait $! || status=$?
	cat out err
	[ "$status" -eq 3 ]
	grep -qx stopped out
	[ ! -e "/proc/${vmm// /}" ]
	expect_nothing_left
}

it_takes_its_vmm_along_when_it_is_killed() {
	local vmm

	own_temp
	"${machine[@]}" -- 'echo ready; busybox sleep 100' >out 2>err &
	until vmm=$(ps -o pid= --ppid $!) && [ -n "$vmm" ]; do sleep 0.1; done
	kill -KILL $!
	for _ in $(seq 50); do
		[ -e "/proc/${vmm// /}/exe" ] || return 0
		sleep 0.1
	done
	fail 'the VMM lives on'
}

it_stops_after_its_timeout() {
	own_temp
	expect 124 "${machine[@]}" --timeout 1 -- 'busybox sleep 100'
	grep -q '^vmbake: stopped, as --timeout says' err
	expect_nothing_left
}

it_gives_the_entrypoint_its_terminal() {
	expect 4 "$root/tests/e2e/on_terminal.py" 'ready=hello\r' 'got hello=\x1d' -- \
		"${machine[@]}" -t -- 'trap "exit 4" TERM; echo ready >/dev/tty; read x;
		echo "got $x"; while :; do busybox sleep 0.1; done'
	grep -q 'vmbake: exited code=4' out
	refuses 2 'is no terminal' "${machine[@]}" -t
}

it_says_why_a_kernel_cannot_begin() {
	expect 10 vmbake run "$work/image.ext4" --kernel "$kernel" --vmm qemu --accel tcg
	grep -q "^vmbake: the guest's kernel panicked: VFS: .*--initrd" err
}

it_prints_a_command_that_a_shell_can_run() {
	expect 0 "${machine[@]}" --print --folder "own 'folder'" -e "A=it's" -- 'echo "got $A"'
	[ "$(wc -l <out)" -eq 1 ]
	timeout 120 bash out </dev/null | tr -d '\r' >console
	cat console
	grep -qx "got it's" console
	grep -qx 'vmbake: exited code=0' console
}

# make_vmlinux: ./vmlinux, which says of itself what a kernel says
make_vmlinux() {
	echo 'const char linux_banner[] = "Linux version 6.1.0-made (us@here) #1";' |
		gcc -x c -c -o vmlinux -
}

it_prints_every_vmms_configuration_and_starts_nothing() {
	own_temp
	make_vmlinux
	expect 0 vmbake run "$work/image.ext4" --kernel "$kernel" --print --vmm cloud-hypervisor \
		--gpu 01:00.0
	grep -qF -- "--disk path=$work/image.ext4,readonly=on" out
	grep -qF -- '--device path=/sys/bus/pci/devices/0000:01:00.0/' out
	expect 0 vmbake run "$work/image.ext4" --kernel vmlinux --print --vmm firecracker -m 1G \
		--folder here -e A=b
	jq -e --arg here "$PWD" '."boot-source".kernel_image_path == $here + "/vmlinux" and
		(."boot-source".boot_args | contains(" init=/.vmbake/init ")) and
		([.drives[] | has("drive_id") and has("is_root_device")] | all) and
		.drives[1].path_on_host == $here + "/here/settings.img" and
		."machine-config" == { "vcpu_count": 1, "mem_size_mib": 1024 } and
		.vsock == { "guest_cid": 3, "uds_path": ($here + "/here/vsock.sock") }' out
	cmp out here/firecracker.json
	refuses 7 vmlinux vmbake run "$work/image.ext4" --kernel "$kernel" --print \
		--vmm firecracker
	refuses 7 GPU vmbake run "$work/image.ext4" --kernel vmlinux --print --vmm firecracker \
		--gpu 01:00.0
	expect 0 "${machine[@]}" --print --json
	jq -e '.vmm == "qemu" and .command[0] == "qemu-system-x86_64" and
		(.kernelArguments | startswith("console=ttyS0 root=/dev/vda rw "))' out
	refuses 2 --folder "${machine[@]}" --print -e A=b
	expect_nothing_left
}

it_refuses_what_it_cannot_run() {
	local run=(vmbake run --kernel "$kernel")

	refuses 2 --kernel vmbake run "$work/image.ext4"
	refuses 3 'no VMM in PATH' env PATH=/nowhere "$root/vmbake" "${run[@]:1}" \
		"$work/image.ext4"
	refuses 3 'qemu-system-x86' env PATH=/nowhere "$root/vmbake" "${run[@]:1}" --vmm qemu \
		"$work/image.ext4"
	refuses 3 nothere "${run[@]}" nothere.ext4
	refuses 3 nothere "${run[@]}" --initrd nothere "$work/image.ext4"
	echo 'no kernel' >text
	refuses 8 text vmbake run --kernel text "$work/image.ext4"
	refuses 8 text "${run[@]}" text
	truncate -s 16M other.ext4
	mke2fs -q -F other.ext4
	refuses 7 'not made by vmbake' "${run[@]}" other.ext4
	refuses 2 hostnam "${run[@]}" "$work/image.ext4" --set hostnam=x
	refuses 3 0000:99:00.0 "${run[@]}" "$work/image.ext4" --gpu 99:00.0
}

# What the other VMMs are told, and how they are asked to stop, by a stand-in: they need KVM.
runs_on() {
	local status=0 run=(vmbake run "$work/image.ext4" --kernel vmlinux --vmm "$1")

	"${run[@]}" -e A=b -- once >out 2>err || status=$?
	cat out err
	! grep -q 'needs KVM' err || skip "$(cat err)"
	[ "$status" -eq 5 ]
	grep -q "^$1: .*root=/dev/vda ro .*vmbake.overlay=tmpfs" out
	jq -e '. == { "cmd": ["once"], "env": { "A": "b" } }' < <(tail -n 1 out)
	status=0
	"${run[@]}" -- wait >out 2>err &
	until grep -q wait out; do sleep 0.1; done
	kill -INT $!
	wait $! || status=$?
	[ "$status" -eq 5 ]
}

it_runs_the_other_vmms() {
	local vmm

	own_temp
	make_vmlinux
	mkdir bin
	for vmm in cloud-hypervisor firecracker; do
		cp "$root/tests/e2e/fake_vmm.py" bin/$vmm
		PATH=$PWD/bin:$PATH runs_on $vmm
	done
	expect_nothing_left
}

it_says_that_there_is_no_kvm() {
	[ ! -e /dev/kvm ] || skip 'there is a /dev/kvm'
	mkdir bin
	ln -s /bin/true bin/cloud-hypervisor
	PATH=$PWD/bin:$PATH refuses 7 '/dev/kvm' vmbake run "$work/image.ext4" --kernel "$kernel" \
		--vmm cloud-hypervisor
}

run_promises
