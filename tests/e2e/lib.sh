# shellcheck shell=bash
# Sourced by tests/e2e/*_test.sh. A test file sets up what its promises share, defines each promise
# as a function it_SAYS_WHAT, and ends in `run_promises`. Each promise runs in a subshell of its
# own, with `set -e`, in an empty folder, with an empty store.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath "${VMBAKE_BUILD:-$root/build}")
logs=$build/test-logs
suite_name=$(basename "$0" _test.sh)
PATH=$root:$PATH:/usr/sbin:/sbin
# shellcheck source=tests/registry.sh
. "$root/tests/registry.sh"
# shellcheck source=tests/boot.sh
. "$root/tests/boot.sh"

# Not in /tmp, which may be a tmpfs: those keep no user.* attributes on older kernels.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/vmbake-e2e.XXXXXX")

# Ends the processes that this shell started and the mounts below a folder, whatever a test left.
clean_up() {
	local pid path

	awk -v below="$1/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts |
		while read -r path; do umount -l "$path"; done
	for pid in $(jobs -p); do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

finish() {
	clean_up "$work"
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

unset SOURCE_DATE_EPOCH VMBAKE_STORE http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY

layout=$work/layout
make_images() {
	"$root/fixtures/make-image" "$layout" "$@"
}

start_registry() {
	registry_start "$build" "$work/registry"
	export registry=127.0.0.1:$registry_port
}

# push TAG [NAME:TAG [SKOPEO OPTION...]]: an image of the layout, as NAME:TAG or TAG:1
push() {
	registry_push "$layout:$1" "${2:-$1:1}" "${@:3}"
}

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# This machine cannot try that promise; it is named, and counts neither way.
skip() {
	echo "SKIPPED: $*" >&2
	exit 77
}

# expect CODE COMMAND...: the exit code it must have; what it says goes to ./out and ./err.
expect() {
	local wanted=$1 status=0

	shift
	"$@" >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || {
		echo "\$ $*"
		cat out err
		fail "exit code $status, not $wanted"
	}
}

notes_on_attempts='trying again|starting over without ranges|asking the next host'

# refuses CODE WORDS COMMAND...: the exit code, and exactly one sentence with these words. Notes on
# attempts that failed before are no errors.
refuses() {
	local code=$1 words=$2 sentence

	shift 2
	expect "$code" "$@"
	[ ! -s out ] || fail "said something on stdout: $(cat out)"
	sentence=$(grep -Ev "^vmbake: ($notes_on_attempts): " err)
	[[ $sentence == "vmbake: "* && $sentence != *$'\n'* && $sentence != *. ]] ||
		fail "not one sentence without a full stop: $(cat err)"
	[[ $sentence == *"$words"* ]] || fail "does not name '$words': $sentence"
}

# bake IMAGE [OPTION...]: to ./image.ext4, in silence.
bake() {
	expect 0 vmbake build --progress none -o image.ext4 "$@"
}

# What a failed build must not leave: an output, a half of one, or work in the store.
expect_no_trace() {
	local left

	left=$(find . -mindepth 1 -maxdepth 1 ! -name store ! -name out ! -name err \
		! -name 'fake.*')
	[ -z "$left" ] || fail "left behind: $left"
	left=$(find store/tmp store/images -type f 2>/dev/null || true)
	[ -z "$left" ] || fail "left in the store: $left"
}

check_filesystem() {
	e2fsck -fn "$1" >fsck 2>&1 || fail "e2fsck: $(cat fsck)"
	# It mends nothing with -n, but it may ask, and then says so and goes on.
	! grep -qE 'Fix|WARNING|ERROR' fsck || fail "e2fsck: $(cat fsck)"
}

can_mount() {
	[ "$(id -u)" -eq 0 ] && [ -n "$(losetup --find 2>/dev/null)" ]
}

mount_image() {
	local image=$1 point=$2

	mkdir -p "$point"
	mount -o loop,ro,noload "$image" "$point"
}

# Is the image's tree what umoci makes of LAYOUT:TAG?
compare_with_umoci() {
	local image=$1 tag=$2 status=0

	if can_mount; then
		umoci --log error unpack --image "$layout:$tag" bundle
		mount_image "$image" tree
		"$root/tests/e2e/compare_trees.py" bundle/rootfs tree || status=$?
		umount tree
	else
		umoci --log error unpack --rootless --image "$layout:$tag" bundle
		mkdir tree
		debugfs -R 'rdump / tree' "$image" 2>/dev/null
		"$root/tests/e2e/compare_trees.py" --contents-only bundle/rootfs tree || status=$?
	fi
	[ "$status" -eq 0 ] || fail "the trees differ"
}

# inside IMAGE PATH: a file's content, read without mounting.
inside() {
	debugfs -R "cat \"$2\"" "$1" 2>/dev/null
}

run_one() {
	local promise=$1 log=$logs/e2e-$suite_name-$1.log
	local start=$SECONDS status

	mkdir -p "$work/$promise"
	set +e
	(
		trap 'set +x; clean_up "$work/$promise"' EXIT
		exec 9>&1
		BASH_XTRACEFD=9 # the commands go to the log, whatever is redirected
		set -ex
		cd "$work/$promise"
		export VMBAKE_STORE=$PWD/store
		"$promise"
	) >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" -eq 0 ]; then
		echo "ok      $suite_name: ${promise#it_} ($((SECONDS - start)) s)"
		rm -rf "${work:?}/$promise"
	elif [ "$status" -eq 77 ]; then
		echo "skipped $suite_name: ${promise#it_}: $(sed -n 's/^SKIPPED: //p' "$log")"
	else
		echo "not ok  $suite_name: ${promise#it_}, $log:"
		tail -n 30 "$log" | sed 's/^/        /'
	fi
}

run_promises() {
	local promise promises

	mkdir -p "$logs"
	mapfile -t promises < <(sed -nE 's/^(it_[a-z0-9_]+)\(\).*/\1/p' "$0")
	for promise in "${promises[@]}"; do
		run_one "$promise"
	done
}
