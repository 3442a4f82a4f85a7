# shellcheck shell=bash
# Sourced by benches: where they work, times of commands, and what is said of them. Needs $here,
# tests/bench.

# begin NAME: sets $folder, which keeps what benches make once, and $work in it, which goes when the
# bench ends, with what it has mounted and started.
begin() {
	folder=${BENCH_FOLDER:-/var/tmp/vmbake-bench}
	mkdir -p "$folder"
	work=$(mktemp -d "$folder/$1.XXXXXX")
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

finish() {
	local pid

	for pid in $(jobs -p); do
		kill "$pid" 2>/dev/null || true
	done
	! mountpoint -q "$work/xfs" || umount "$work/xfs"
	rm -rf "$work"
}

# Sets $layout, the folder of the image `ml`, made the first time.
need_ml() {
	# shellcheck disable=SC2034 # the bench's
	layout=$folder/oci
	if [ ! -d "$layout" ] || [ -d "$folder/bundle" ]; then # or half made
		"${here:?}/make_ml.sh" "$folder"
	fi
}

# A disk with reflink, at $work/xfs.
mount_xfs() {
	truncate -s 16G "$work/disk"
	mkfs.xfs -q -m reflink=1 "$work/disk"
	mkdir "$work/xfs"
	mount -o loop "$work/disk" "$work/xfs"
}

# settle FOLDER [MIB]: makes memory hot, and takes away what that leaves in the folder.
settle() {
	"${here:?}/settle.sh" "$@"
	rm -f "$1"/settle.*
}

# timed FILE COMMAND...: adds the milliseconds it takes to FILE.
timed() {
	local file=$1 start=$EPOCHREALTIME

	shift
	"$@"
	echo $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) >>"$file"
}

# The middle one of the numbers on standard input.
median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# ratio OURS FILE THEIRS FILE: two medians in milliseconds, and how they compare
ratio() {
	local ours theirs

	ours=$(median <"$2")
	theirs=$(median <"$4")
	awk -v ours="$ours" -v theirs="$theirs" -v our_name="$1" -v their_name="$3" 'BEGIN {
		printf "  %s: %d ms, %s: %d ms, ", our_name, ours, their_name, theirs
		if (ours * 1.5 > theirs)
			printf "%.2f times as long\n", ours / theirs
		else
			printf "%.1f times faster\n", theirs / ours
	}'
}

# Stops the bench unless e2fsck finds nothing.
sound() {
	e2fsck -fn "$1" >/dev/null 2>&1 || { echo "e2fsck finds faults in $1" >&2; exit 1; }
}
