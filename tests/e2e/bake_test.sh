#!/usr/bin/env bash
# An image from a registry becomes the tree that umoci makes of it, in a sound file system.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images demo zoo zoo-zstd zoo-plain gnu small platforms
start_registry
for tag in demo zoo zoo-zstd zoo-plain gnu small; do
	push "$tag"
done
push demo docker:1 --format v2s2
push platforms platforms:1 --all

# bakes_as_umoci_does TAG [TAG OF THE SAME TREE]
bakes_as_umoci_does() {
	bake "$registry/$1:1"
	check_filesystem image.ext4
	compare_with_umoci image.ext4 "${2:-$1}"
}

it_bakes_a_small_image() {
	bakes_as_umoci_does demo
}

it_bakes_every_kind_of_entry_from_gzip_layers() {
	bakes_as_umoci_does zoo
}

# Debian's umoci does not know zstd.
it_bakes_zstd_layers() {
	bakes_as_umoci_does zoo-zstd zoo
}

it_bakes_uncompressed_layers() {
	bakes_as_umoci_does zoo-plain
}

it_bakes_layers_in_gnu_format() {
	bakes_as_umoci_does gnu
}

# The image's author writes with Go's archive/tar, as most do.
it_bakes_a_layer_that_umoci_packed() {
	local rootless=()

	[ "$(id -u)" -eq 0 ] || rootless=(--rootless)
	cp -r "$layout" layout
	layout=$PWD/layout
	umoci --log error unpack "${rootless[@]}" --image layout:demo bundle
	cp -r "$root/fixtures" bundle/rootfs/opt/
	rm bundle/rootfs/opt/again
	ln bundle/rootfs/opt/greeting bundle/rootfs/opt/hard-link
	umoci --log error repack --image layout:packed bundle
	rm -rf bundle
	bake "oci:layout:packed"
	check_filesystem image.ext4
	compare_with_umoci image.ext4 packed
}

it_bakes_docker_manifests_to_the_same_tree() {
	skopeo inspect --tls-verify=false --raw "docker://$registry/docker:1" >manifest
	grep -q vnd.docker.distribution.manifest.v2 manifest
	bake "$registry/docker:1"
	check_filesystem image.ext4
	compare_with_umoci image.ext4 demo
}

it_takes_the_image_of_the_asked_platform() {
	skopeo inspect --tls-verify=false --raw "docker://$registry/platforms:1" >index
	jq -e '.manifests | length == 3' index
	bake --platform linux/amd64 "$registry/platforms:1"
	[ "$(inside image.ext4 /etc/text)" = amd64 ]
	bake "oci:$layout:platforms"
	[ "$(inside image.ext4 /etc/text)" = amd64 ]
}

it_takes_a_layout_with_and_without_a_tag() {
	bake "oci:$layout:small"
	[ "$(inside image.ext4 /etc/text)" = small ]
	"$root/fixtures/make-image" single small
	bake "oci:single"
	[ "$(inside image.ext4 /etc/text)" = small ]
}

it_takes_a_digest_instead_of_a_tag() {
	local digest

	digest=$(jq -r '.manifests[] | select(.annotations[] == "small") | .digest' \
		"$layout/index.json")
	bake "$registry/small@$digest"
	[ "$(inside image.ext4 /etc/text)" = small ]
}

it_says_in_json_what_it_did() {
	bake --json "$registry/demo:1"
	jq -e '.file | endswith("image.ext4")' out
	jq -e '.image.manifest | test("^sha256:[0-9a-f]{64}$")' out
	jq -e '.image.layers | length == 3' out
	jq -e '.fetchedLayers == 3' out
	jq -e '.filesystem.uuid | length == 36' out
	[ "$(wc -l <out)" -eq 1 ]
	[ ! -s err ]
}

it_fetches_no_layer_twice() {
	bake "$registry/demo:1"
	bake --json "$registry/demo:1"
	jq -e '.fetchedLayers == 0' out
}

it_inspects_an_image_file_and_a_registry_image() {
	bake --json "$registry/demo:1"
	jq -r .image.manifest out >manifest
	expect 0 vmbake inspect --json image.ext4
	grep -qF "$(cat manifest)" out
	expect 0 vmbake inspect --json "$registry/demo:1"
	grep -qF "$(cat manifest)" out
	expect 0 vmbake inspect image.ext4
	grep -qF "$(cat manifest)" out
}

it_makes_an_image_of_the_asked_size() {
	bake --size 300M "$registry/demo:1"
	[ "$(stat -c %s image.ext4)" -eq $((300 << 20)) ]
	check_filesystem image.ext4
}

it_leaves_the_asked_space_free() {
	local free

	bake --free 64M "$registry/demo:1"
	check_filesystem image.ext4
	free=$(dumpe2fs -h image.ext4 2>/dev/null | awk '/^Free blocks:/ { print $3 * 4096 }')
	[ "$free" -ge $((64 << 20)) ] && [ "$free" -lt $((80 << 20)) ]
}

it_has_the_features_of_a_root_disk() {
	local features wanted

	bake "$registry/demo:1"
	features=$(dumpe2fs -h image.ext4 2>/dev/null | sed -n 's/^Filesystem features: *//p')
	for wanted in has_journal ext_attr dir_index filetype extent 64bit flex_bg sparse_super \
		large_file huge_file dir_nlink extra_isize metadata_csum resize_inode; do
		[[ " $features " == *" $wanted "* ]] || fail "$wanted is not among $features"
	done
	expect 0 dumpe2fs -h image.ext4
	grep -qE '^Reserved block count:\s+0$' out
	grep -qE '^Block size:\s+4096$' out
	grep -qE '^Inode size:\s+256$' out
}

run_promises
