#!/usr/bin/env bash
# A baked image boots, runs its entrypoint, tells how it ended, and turns the machine off.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo exit7 killed
boot_prepare "$build" "$work/guest" >&2

# boots TAG: its console goes to ./console, without carriage returns.
boots() {
	bake "oci:$layout:$1"
	boot_run "$work/guest" image.ext4 | tr -d '\r' >console || fail "QEMU: $(tail console)"
	cat console
}

it_runs_the_entrypoint_as_the_image_says() {
	boots demo
	grep -q '^hello from a microVM, guest at Linux ' console
	grep -q '^a whiteout removed /etc/motd$' console
	grep -qE '^a hard link .* inode ([0-9]+) and \1$' console
	grep -q "went to /usr/bin/hello" console
	grep -q '^what the image says, done$' console
	grep -q '^vmbake: exited code=0$' console
}

it_brings_exit_code_7_through() {
	boots exit7
	grep -q '^leaving with 7$' console
	grep -q '^vmbake: exited code=7$' console
}

it_tells_the_signal_that_ended_the_entrypoint() {
	boots killed
	grep -q '^vmbake: exited signal=9$' console
}

it_leaves_a_sound_file_system_behind() {
	bake "oci:$layout:exit7"
	boot_command "$work/guest" image.ext4 | sed 's/,snapshot=on//' >qemu.sh
	timeout 120 bash qemu.sh </dev/null
	check_filesystem image.ext4
}

run_promises
