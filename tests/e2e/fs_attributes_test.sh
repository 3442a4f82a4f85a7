#!/usr/bin/env bash
# What a kernel reads of files beyond their names: ACLs, holes, and what lies behind their ends.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images acls huge zoo

# acl_of PATH: without the comments, numbers for names
acl_of() {
	getfacl -n -c -p "$1" | sed '/^$/d'
}

short_acl='user::rw-
user:1000:rwx
group::r--
mask::rwx
other::---'

it_keeps_acls_that_the_kernel_reads_back() {
	bake "oci:$layout:acls"
	check_filesystem image.ext4
	can_mount || skip "mounting needs root and a loop device"
	mkdir point
	mount -o loop image.ext4 point
	[ "$(acl_of point/short)" = "$short_acl" ]
	[ "$(acl_of point/dir | grep -v '^default:')" = "$short_acl" ]
	[ "$(acl_of point/dir | sed -n 's/^default://p')" = "$short_acl" ]
	[ "$(acl_of point/long)" = "$(
		echo user::rw-
		seq -f 'user:%g:r--' 2000 2039
		printf 'group::r--\ngroup:4000000000:r-x\nmask::r-x\nother::r--\n'
	)" ]
	# The kernel itself goes by them: what is made inside has the default.
	(umask 0 && : >point/dir/new)
	getfacl -n -c -p point/dir/new | grep -qE '^user:1000:rwx'
	umount point
	check_filesystem image.ext4
}

# block_of PATH: where its first block lies
block_of() {
	debugfs -R "bmap $1 0" image.ext4 2>/dev/null
}

it_has_zeros_behind_the_end_of_each_file() {
	local path size

	bake "oci:$layout:zoo"
	for path in d/plain size-1 size-60 size-4095; do
		size=$(inside image.ext4 "$path" | wc -c)
		dd if=image.ext4 bs=4096 skip="$(block_of "$path")" count=1 2>/dev/null >block
		cmp -n "$size" block <(inside image.ext4 "$path")
		cmp -i "$size:0" -n $((4096 - size)) block /dev/zero
	done
}

# blocks_of PATH: of 512 bytes
blocks_of() {
	debugfs -R "stat $1" image.ext4 2>/dev/null | sed -n 's/.*Blockcount: //p'
}

it_keeps_holes() {
	bake "oci:$layout:zoo"
	[ "$(blocks_of zeros)" -eq 0 ]
	[ "$(blocks_of holes)" -eq 16 ] # 1 MiB of nothing, then 5,000 bytes
	[ "$(blocks_of big)" -eq $((3 << 11)) ]
	can_mount || skip "mounting needs root and a loop device; the rest held"
	mount_image image.ext4 point
	[ "$(stat -c '%s %b' point/holes)" = "$(((1 << 20) + 5000)) 16" ]
	umount point
}

it_holds_files_beyond_128_gib() {
	bake "oci:$layout:huge"
	check_filesystem image.ext4
	[ "$(blocks_of huge)" -eq 24 ] # one block at the start, two at 150 GiB
	can_mount || skip "mounting needs root and a loop device; the rest held"
	mount_image image.ext4 point
	[ "$(stat -c %s point/huge)" -eq $((200 << 30)) ]
	[ "$(head -c 6 point/huge | tr '\0' .)" = start. ]
	[ "$(tail -c +$(((150 << 30) + 1)) point/huge | head -c 6001 | tr '\0' .)" = \
		"$(printf 'middle%.0s' $(seq 1000))." ]
	umount point
}

run_promises
