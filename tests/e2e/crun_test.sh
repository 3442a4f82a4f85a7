#!/usr/bin/env bash
# The same image as our guest runs it and as crun does, configured as docker would: what the process
# finds, and how it ends. crun runs in a guest of its own, so the kernel and its limits are the same
# and the host's do not matter. Every difference is in crun_differences, with its reason.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

boot_prepare "$build" "$work/guest" >&2
tree=$work/tree
process='"Entrypoint": ["/bin/probe", "an argument"], "Env": ["PATH=/bin", "A=b c"]'

prepare_image() {
	mkdir -p "$tree"/{bin,etc,home/guest,tmp,root,dev,proc,sys}
	gcc -std=gnu17 -D_GNU_SOURCE -O1 -static -o "$tree/bin/probe" \
		"$root/tests/e2e/process_probe.c"
	cp "$(command -v busybox)" "$tree/bin/"
	ln -s busybox "$tree/bin/sh"
	touch "$tree/bin/unexecutable"
	printf 'root:x:0:0::/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n' \
		>"$tree/etc/passwd"
	printf 'root:x:0:\nguest:x:1000:\nvideo:x:44:guest\nrender:x:105:a,guest\n' \
		>"$tree/etc/group"
	image crun "$(crun_tree)" '{ "Entrypoint": ["/usr/bin/crun"] }'
	image root "$tree" "{ $process }"
	image guest "$tree" "{ $process, \"User\": \"guest\", \"WorkingDir\": \"/home/guest\" }"
}

# crun with what it is linked to, and the tree as its container's.
crun_tree() {
	local folder=$work/crun library

	mkdir -p "$folder"/{usr/bin,lib,lib64,etc,tmp,bundle}
	cp "$(command -v crun)" "$folder/usr/bin/"
	ldd "$(command -v crun)" | grep -o '/[^ ]*' | while read -r library; do
		cp -L "$library" "$folder/lib/"
	done
	mv "$folder"/lib/ld-linux-* "$folder/lib64/"
	cp -a "$tree" "$folder/bundle/rootfs"
	echo "$folder"
}

# image NAME FOLDER CONFIG
image() {
	"$root/fixtures/folder-image" "$layout" "$1" "$2" "$3"
	VMBAKE_STORE=$work/store vmbake build --progress none -o "$work/$1.ext4" "oci:$layout:$1"
}
prepare_image >&2

# in_guest IMAGE [KERNEL_ARGUMENT...]: ./console
in_guest() {
	boot_run "$work/guest" "$work/$1.ext4" vmbake.hostname=box vmbake.capabilities=docker \
		"${@:2}" | tr -d '\r' >console
	cat console
}

# in_crun UID:GID,... CWD HOME ARGUMENT...: ./crun.out
in_crun() {
	"$root/tests/e2e/crun_config.py" "$1" "$2" "$3" box PATH=/bin 'A=b c' -- "${@:4}" \
		>config.json
	cp --sparse=always "$work/crun.ext4" crun.ext4
	debugfs -w -R 'write config.json /bundle/config.json' crun.ext4
	boot_run "$work/guest" crun.ext4 vmbake.env.LD_LIBRARY_PATH=/lib \
		'vmbake.cmd=["--cgroup-manager=disabled","run","-b","/bundle","x"]' |
		tr -d '\r' >crun.out
	rm crun.ext4
	cat crun.out
}

# The probe's lines, each key once, in order.
probed() {
	sed -n '/^env\./,/^end \.$/p' "$1" | sort
}

# Keys whose lines are not the same, and those whose difference has a reason.
compare() {
	probed console >ours
	probed crun.out >theirs
	grep -q '^end' ours
	grep -q '^end' theirs
	{ diff ours theirs || true; } | sed -n 's/^[<>] \([^ ]*\).*/\1/p' | sort -u >differing
	"$root/tests/e2e/crun_explain.py" "$1" differing "$root/tests/e2e/crun_differences" || {
		diff ours theirs
		fail 'see above'
	}
}

it_gives_root_the_same_process() {
	in_guest root
	in_crun 0:0 / /root /bin/probe 'an argument'
	compare root
}

it_gives_a_user_the_same_process() {
	in_guest guest
	in_crun 1000:1000,44,105 /home/guest /home/guest /bin/probe 'an argument'
	compare guest
}

# ends CODE COMMAND...: in both; a signal is 128 + its number, as docker puts it.
ends() {
	local code=$1 entrypoint

	shift
	entrypoint=$(printf '"%s",' "${@// /\\u0020}")
	in_guest root "vmbake.entrypoint=[${entrypoint%,}]"
	in_crun 0:0 / /root "$@"
	if [ "$code" -gt 128 ]; then
		grep -qx "vmbake: exited signal=$((code - 128))" console
	else
		grep -qx "vmbake: exited code=$code" console
	fi
	grep -qx "vmbake: exited code=${crun_code:-$code}" crun.out
}

it_ends_the_same_way() {
	ends 7 sh -c 'exit 7'
	ends $((128 + 4)) probe trap # by its own fault: PID 1 of a container hears no signal
	ends 0 busybox true
	# docker reads these off the runtime's message; the runtime itself says 1 and 126.
	crun_code=1 ends 127 /bin/nothing
	crun_code=1 ends 126 /bin/unexecutable
}

run_promises
