#!/usr/bin/env bash
# Images in files, as skopeo, podman and docker write them, give the same as a layout does.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

make_images demo small platforms
skopeo() {
	command skopeo --insecure-policy "$@" >/dev/null
}
skopeo copy "oci:$layout:demo" "oci-archive:$work/oci.tar:demo"
skopeo copy "oci:$layout:demo" "docker-archive:$work/docker.tar:demo:1"
skopeo copy --additional-tag other:2 "oci:$layout:small" \
	"docker-archive:$work/named.tar:small:1"

works() {
	bake "$1"
	[ -s image.ext4 ]
}

it_reads_an_oci_archive() { works "oci-archive:$work/oci.tar"; }
it_reads_an_oci_archive_by_tag() { works "oci-archive:$work/oci.tar:demo"; }
it_reads_a_docker_archive() { works "docker-archive:$work/docker.tar"; }
it_reads_a_docker_archive_by_name() { works "docker-archive:$work/docker.tar:demo:1"; }
it_takes_any_spelling_of_the_name() {
	works "docker-archive:$work/docker.tar:docker.io/library/demo:1"
}
it_reads_an_image_by_its_second_name() { works "docker-archive:$work/named.tar:other:2"; }

it_reads_a_compressed_archive() {
	gzip -c "$work/docker.tar" >"$work/docker.tar.gz"
	works "docker-archive:$work/docker.tar.gz"
}

it_reads_a_compressed_archive_with_its_manifest_last() {
	mkdir fake.members
	tar -C fake.members -xf "$work/docker.tar"
	tar -C fake.members --exclude manifest.json -cf fake.last .
	tar -C fake.members -rf fake.last manifest.json
	zstd -q fake.last -o fake.last.zst
	works docker-archive:fake.last.zst
}

it_gives_the_same_image_from_a_layout_and_from_an_archive_of_it() {
	bake "oci:$layout:demo"
	mv image.ext4 fake.image
	bake "oci-archive:$work/oci.tar"
	cmp fake.image image.ext4
}

it_reads_layers_that_are_shared_by_links() {
	bake "docker-archive:$work/docker.tar"
	mv image.ext4 fake.image
	mkdir -p fake.members/shared
	tar -C fake.members -xf "$work/docker.tar"
	while read -r name; do
		mv "fake.members/$name" "fake.members/shared/${name//\//_}"
		ln -s "shared/${name//\//_}" "fake.members/$name"
	done < <(jq -r '.[0].Layers[]' fake.members/manifest.json)
	tar -C fake.members -cf fake.linked .
	works docker-archive:fake.linked
	cmp fake.image image.ext4
}

it_knows_a_docker_archive_by_its_config() {
	local digest

	digest=$(tar -xOf "$work/docker.tar" manifest.json | jq -r '.[0].Config')
	expect 0 vmbake build --progress none --json -o image.ext4 \
		"docker-archive:$work/docker.tar"
	grep -q "sha256:${digest%.json}" out || fail "$(cat out)"
}

# before_2016 FOLDER: members of that archive, as docker wrote them then: no manifest.json, but a
# chain of layers that know their parents
before_2016() {
	local folder=$1 config parent='' id number=0 name

	config=$(jq -r '.[0].Config' "$folder/manifest.json")
	for name in $(jq -r '.[0].Layers[]' "$folder/manifest.json"); do
		number=$((number + 1))
		id=$(printf '%064d' "$number")
		mkdir "$folder/$id"
		echo 1.0 >"$folder/$id/VERSION"
		cp "$folder/$name" "$folder/$id/layer.tar"
		jq --arg id "$id" --arg parent "$parent" \
			'{id: $id, parent: $parent, created, config, architecture, os}
			| with_entries(select(.value != ""))' \
			"$folder/$config" >"$folder/$id/json"
		parent=$id
	done
	rm "$folder/manifest.json" "$folder/$config"
	printf '{"demo":{"1":"%s"}}' "$id" >"$folder/repositories"
}

it_reads_an_archive_from_before_2016() {
	bake "docker-archive:$work/docker.tar"
	mv image.ext4 fake.image
	mkdir fake.members
	tar -C fake.members -xf "$work/docker.tar"
	find fake.members -type l -delete
	before_2016 fake.members
	tar -C fake.members -cf fake.old .
	works docker-archive:fake.old
	compare_with_umoci image.ext4 demo
	works docker-archive:fake.old:demo:1
	refuses 3 demo:1 vmbake build --progress none -o image.ext4 docker-archive:fake.old:demo:2
	rm "fake.members/$(printf '%064d' 1)/json"
	tar -C fake.members -cf fake.torn .
	refuses 8 /json vmbake build --progress none -o image.ext4 docker-archive:fake.torn
}

it_reads_layers_that_stand_in_the_manifest() {
	large_image fake.images inline 1 data
	rm "$(layer_file fake.images)"
	works oci:fake.images:inline
}

it_finds_the_platform_in_nested_indexes() {
	cp -r "$layout" fake.layout
	nest fake.layout platforms
	nest fake.layout platforms
	bake --platform linux/arm64 oci:fake.layout:platforms
	[ "$(inside image.ext4 /etc/text)" = arm64 ]
	bake --platform linux/arm64/v8 oci:fake.layout:platforms
	refuses 3 "linux/amd64, linux/arm64" vmbake build --progress none -o image.ext4 \
		--platform linux/riscv64 oci:fake.layout:platforms
	nest fake.layout platforms
	nest fake.layout platforms
	refuses 7 nested vmbake build --progress none -o other.ext4 oci:fake.layout:platforms
}

it_lists_the_names_there_are() {
	refuses 3 demo:1 vmbake build --progress none -o image.ext4 \
		"docker-archive:$work/docker.tar:nothing:1"
}

it_refuses_what_cannot_be_read_twice() {
	refuses 2 "not a regular file" \
		vmbake build --progress none -o image.ext4 oci-archive:/dev/null
}

it_refuses_an_archive_that_is_none() {
	echo "no archive at all" >fake.text
	refuses 8 fake.text \
		vmbake build --progress none -o image.ext4 docker-archive:fake.text
}

it_refuses_an_archive_that_ends_early() {
	head -c 100000 "$work/docker.tar" >fake.cut
	refuses 8 fake.cut vmbake build --progress none -o image.ext4 docker-archive:fake.cut
	expect_no_trace
}

run_promises
