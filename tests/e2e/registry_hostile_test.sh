#!/usr/bin/env bash
# Whoever makes a registry, a layout or an archive is no friend: the right exit code, one sentence,
# nothing in the store, nothing asked of hosts that it is not for us to ask.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images"
large_image "$images" small 1
manifest=$images/blobs/$(jq -r '.manifests[0].digest' "$images/index.json" | tr : /)
config=$(jq -r .config.digest "$manifest")
layer=$(jq -r '.layers[0].digest' "$manifest")

# refused CODE WORDS FAULT...: what a build says to a server with these faults.
refused() {
	local code=$1 words=$2

	shift 2
	start_server one "$images" "$@"
	refuses "$code" "$words" timeout 60 vmbake build --progress none --retry 0 \
		-o image.ext4 "$server/demo:small"
	expect_nothing
}

# says CODE WORDS ANSWER: to that answer to the first question, in printf's form
says() {
	# shellcheck disable=SC2059 # it is a format
	printf "$3" >fake.answer
	refused "$1" "$2" raw:manifests=fake.answer
}

# manifested CODE WORDS FILTER: to the manifest, changed by jq
manifested() {
	jq "$3" "$manifest" >fake.manifest
	refused "$1" "$2" body:manifests=fake.manifest
}

it_refuses_many_headers() {
	says 7 "headers over" "HTTP/1.1 200 OK\r\n$(printf 'X-Bomb: %01000d\\r\\n' $(seq 400))\r\n"
}
it_refuses_a_header_without_end() {
	local value

	value=$(head -c 250000 /dev/zero | tr '\0' a)
	says 7 "over 100 KiB" "HTTP/1.1 200 OK\r\nX-Bomb: $value\r\n\r\n"
}
it_refuses_what_is_not_http() { says 5 127.0.0.1 'SSH-2.0-OpenSSH_9.2p1\r\n'; }
it_refuses_http_0_9() { says 5 127.0.0.1 '{"schemaVersion":2}'; }
it_refuses_a_chunk_of_any_length() {
	says 5 127.0.0.1 \
		'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}'
}
it_refuses_a_chunk_that_is_cut() {
	says 5 127.0.0.1 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\n{}'
}
it_refuses_a_length_that_is_no_number() {
	says 5 127.0.0.1 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}'
}
it_refuses_answers_before_the_answer_without_end() {
	says 7 "headers over" "$(printf 'HTTP/1.1 100 Continue\\r\\n\\r\\n%.0s' $(seq 12000))"
}
it_refuses_a_realm_that_is_no_url() {
	says 8 "no URL" \
		'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="file:///etc/passwd"\r\n\r\n'
}
it_refuses_a_realm_that_would_give_everything_away() {
	says 4 "no TLS" \
		'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="http://192.0.2.1/token"\r\n\r\n'
}
it_refuses_what_is_compressed_unasked() { refused 6 manifest gzip:manifests=; }
it_refuses_a_blob_that_is_compressed_unasked() { refused 6 "$layer" "gzip:blobs/$layer="; }
it_refuses_a_blob_without_a_length_that_is_longer() {
	refused 6 more "chunked:blobs/$layer=3000000"
}
it_refuses_a_blob_without_a_length_that_is_shorter() {
	refused 6 "ends after" "chunked:blobs/$layer=1000"
}
it_refuses_a_redirect_to_a_file() { refused 5 neither location:manifests=file:///etc/passwd; }
it_refuses_a_redirect_to_another_protocol() {
	refused 5 neither location:blobs=gopher://127.0.0.1:1/
}
it_refuses_a_redirect_to_nothing() { refused 5 127.0.0.1 location:manifests=http:///; }
it_says_no_password_that_a_redirect_holds() {
	refused 5 127.0.0.1:1 location:blobs=http://me:sEcReT@127.0.0.1:1/
	! grep -q sEcReT err || fail "$(cat err)"
}
it_does_not_leave_tls_for_a_redirect() {
	start_server elsewhere "$images"
	make_certificate own IP:127.0.0.1
	export SSL_CERT_FILE=$PWD/fake.own.pem
	refused 5 "from https to http" tls=fake.own.pem,fake.own.key "blobs-at=http://$server"
	[ "$(requests elsewhere true)" -eq 0 ]
}
it_sends_no_cookie_back() {
	printf 'HTTP/1.1 307 No\r\nSet-Cookie: a=b; Path=/\r\nLocation: /again\r\n%s\r\n\r\n' \
		'Content-Length: 0' >fake.answer
	start_server one "$images" "raw:blobs/$config*1=fake.answer"
	refuses 3 404 vmbake build --progress none --retry 0 -o image.ext4 "$server/demo:small"
	[ "$(requests one '.path == "/again"')" -eq 1 ]
	[ "$(requests one '.cookie != ""')" -eq 0 ] || fail "a cookie was sent"
}

it_refuses_a_digest_that_is_a_path() {
	manifested 8 digest '.layers[0].digest = "sha256:../../../../etc/passwd"'
}
it_refuses_a_digest_with_a_line_in_it() {
	manifested 8 digest '.config.digest += "\r\nX: y"'
}
it_refuses_a_size_below_nothing() { manifested 8 size '.layers[0].size = -1'; }
it_refuses_a_size_that_is_no_integer() { manifested 8 size '.layers[0].size = 1.5'; }
it_refuses_a_size_beyond_all_disks() { manifested 7 bytes '.layers[0].size = 9007199254740993'; }
it_refuses_a_size_that_does_not_fit() { manifested 6 bytes '.layers[0].size += 1'; }
it_refuses_more_layers_than_anybody_makes() {
	# shellcheck disable=SC2016 # jq's
	manifested 7 layers '.layers[0] as $one | .layers = [range(1000) | $one]'
}
it_refuses_a_manifest_that_is_an_index_too() {
	manifested 8 both 'del(.mediaType) | .manifests = []'
}
it_refuses_a_url_with_a_line_in_it() {
	jq '.layers[0].urls = ["https://127.0.0.1:1/\r\nX: y"]' "$manifest" >fake.manifest
	refused 5 127.0.0.1:1 body:manifests=fake.manifest "status:blobs/$layer=404"
}

it_refuses_names_that_leave_the_registry() {
	local name

	for name in 127.0.0.1:1/../demo:small 127.0.0.1:1/demo/../../x 127.0.0.1:1/demo:a/b \
		$'127.0.0.1:1/demo:small\r\nX: y' 127.0.0.1:1/demo%2f..:small "127.0.0.1:1/demo?x" \
		127.0.0.1:1/demo@sha256:../../etc me:secret@127.0.0.1:1/demo 127.0.0.1:1/demo#x; do
		refuses 2 "" vmbake build --progress none -o image.ext4 "$name"
	done
}

# layout: fake.layout, a copy of the images that a test may change
layout() {
	cp -r "$images" fake.layout
}

# refused_layout CODE WORDS: what a build says to it
refused_layout() {
	refuses "$1" "$2" timeout 20 vmbake build --progress none -o image.ext4 \
		oci:fake.layout:small
	expect_nothing
}

it_does_not_wait_for_a_pipe_in_a_layout() {
	local name

	layout
	for name in "blobs/${config/://}" "blobs/${layer/://}" index.json oci-layout; do
		mv "fake.layout/$name" fake.kept
		mkfifo "fake.layout/$name"
		refused_layout 8 "not a regular file"
		mv -f fake.kept "fake.layout/$name"
	done
}
it_does_not_read_a_device_in_a_layout() {
	layout
	ln -sf /dev/zero "fake.layout/blobs/${config/://}"
	refused_layout 8 "not a regular file"
	cp "$images/blobs/${config/://}" "fake.layout/blobs/"
	layout
	ln -sf /dev/zero "fake.layout/blobs/${layer/://}"
	refused_layout 8 "not a regular file"
}
it_takes_nothing_from_outside_of_a_layout() {
	layout
	head -c "$(stat -c %s "$images/blobs/${layer/://}")" /dev/urandom >fake.secret
	ln -sf "$PWD/fake.secret" "fake.layout/blobs/${layer/://}"
	refused_layout 6 "$layer"
	ln -sf /etc/passwd "fake.layout/blobs/${layer/://}"
	refused_layout 6 "$layer"
}
it_refuses_a_folder_in_place_of_a_blob() {
	layout
	rm "fake.layout/blobs/${layer/://}"
	mkdir "fake.layout/blobs/${layer/://}"
	refused_layout 8 "not a regular file"
}
# archive CODE WORDS COMMAND...: a docker-archive, changed by that command in its folder
archive() {
	local code=$1 words=$2

	shift 2
	rm -rf fake.folder fake.tar fake.docker
	skopeo --insecure-policy copy -q "oci:$images:small" docker-archive:fake.docker:a:1
	mkdir fake.folder
	tar -C fake.folder -xf fake.docker
	(cd fake.folder && "$@")
	tar -C fake.folder -cf fake.tar .
	refuses "$code" "$words" timeout 20 vmbake build --progress none -o image.ext4 \
		docker-archive:fake.tar
	expect_nothing
}
link_layer() {
	ln -sf "$1" "$(jq -r '.[0].Layers[0]' manifest.json)"
}
link_layer_twice() {
	link_layer other
	ln -s "$(jq -r '.[0].Layers[0]' manifest.json)" other
}
make_layer_a_pipe() {
	local name

	name=$(jq -r '.[0].Layers[0]' manifest.json)
	rm "$name"
	mkfifo "$name"
}
name_layer() {
	jq --arg name "$1" '.[0].Layers[0] = $name' manifest.json >new
	mv new manifest.json
}
it_refuses_a_layer_that_links_to_itself() {
	archive 8 "there is no" link_layer_twice
}
it_refuses_a_layer_that_links_out_of_the_archive() {
	archive 8 "there is no" link_layer ../../../etc/passwd
	archive 8 "there is no" link_layer /etc/passwd
}
it_refuses_a_layer_that_is_a_pipe() { archive 8 "there is no" make_layer_a_pipe; }
it_refuses_a_layer_named_outside_of_the_archive() {
	archive 8 "no name in an archive" name_layer ../../etc/passwd
	archive 8 "" name_layer ''
}

run_promises
