#!/usr/bin/env bash
# What a layer is called does not decide how it is read: its first bytes do.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images zoo zoo-zstd zoo-plain

# call TAG FILTER: the image of TAG as "renamed", the descriptors of its layers changed by jq.
call() {
	local digest

	digest=$(jq -r --arg tag "$1" '.manifests[] | select(.annotations[] == $tag) | .digest' \
		"$layout/index.json")
	jq ".layers[] |= ($2)" "$layout/blobs/${digest/://}" >manifest
	digest=$(sha256sum manifest | cut -d ' ' -f 1)
	cp manifest "$layout/blobs/sha256/$digest"
	jq --arg digest "sha256:$digest" --argjson size "$(stat -c %s manifest)" \
		'.manifests += [.manifests[0] | .digest = $digest | .size = $size |
			.annotations = {"org.opencontainers.image.ref.name": "renamed"}]' \
		"$layout/index.json" >index
	mv index "$layout/index.json"
}

# bakes_called TAG MEDIA_TYPE
bakes_called() {
	call "$1" ".mediaType = \"$2\""
	bake "oci:$layout:renamed"
	check_filesystem image.ext4
	compare_with_umoci image.ext4 zoo
	uncall
}

uncall() {
	jq 'del(.manifests[] | select(.annotations[] == "renamed"))' "$layout/index.json" >index
	mv index "$layout/index.json"
}

it_reads_a_plain_tar_called_gzip() {
	bakes_called zoo-plain application/vnd.oci.image.layer.v1.tar+gzip
}

it_reads_gzip_called_a_plain_tar() {
	bakes_called zoo application/vnd.oci.image.layer.v1.tar
}

it_reads_gzip_called_zstd() {
	bakes_called zoo application/vnd.oci.image.layer.v1.tar+zstd
}

it_reads_zstd_by_dockers_name_for_gzip() {
	bakes_called zoo-zstd application/vnd.docker.image.rootfs.diff.tar.gzip
}

it_reads_layers_that_must_not_be_passed_on() {
	bakes_called zoo application/vnd.oci.image.layer.nondistributable.v1.tar+gzip
}

it_reads_dockers_foreign_layers() {
	bakes_called zoo application/vnd.docker.image.rootfs.foreign.diff.tar.gzip
}

it_reads_layers_without_a_name() {
	call zoo 'del(.mediaType)'
	bake "oci:$layout:renamed"
	compare_with_umoci image.ext4 zoo
	uncall
}

it_refuses_what_is_no_layer() {
	call zoo '.mediaType = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"'
	refuses 7 'tar+gzip+encrypted is no layer' vmbake build --progress none -o image.ext4 \
		"oci:$layout:renamed"
	uncall
}

run_promises
