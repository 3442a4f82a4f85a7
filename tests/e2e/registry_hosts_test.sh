#!/usr/bin/env bash
# Mirrors and certificates, as containerd's hosts.toml and docker's certs.d have them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images"
large_image "$images" small 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
	-subj /CN=test -addext subjectAltName=IP:127.0.0.1 \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null

# hosts NAME <<<TOML: hosts.toml for that registry
hosts() {
	mkdir -p "fake.hosts/$1"
	cat >"fake.hosts/$1/hosts.toml"
}

build() {
	vmbake build --progress none --retry 1 -o image.ext4 --hosts-dir fake.hosts "$@"
}

it_asks_the_mirror_and_says_for_which_registry() {
	start_server mirror "$images"
	hosts registry.invalid <<-TOML
		[host."http://$server"]
		header = { x-test = "told" }
	TOML
	expect 0 build registry.invalid/demo:small
	[ "$(requests mirror '.path | endswith("?ns=registry.invalid") | not')" -eq 0 ]
	[ "$(requests mirror '."x-test" != "told"')" -eq 0 ]
}

it_goes_on_to_the_next_host_and_to_the_server() {
	start_server broken "$images" status:/=500
	broken=$server
	start_server real "$images"
	hosts registry.invalid <<-TOML
		server = "http://$server"
		[host."http://$broken"]
		[host."http://127.0.0.1:1"]
	TOML
	expect 0 build registry.invalid/demo:small
	[ "$(requests broken true)" -gt 0 ]
}

it_keeps_the_order_of_the_file() {
	start_server second "$images"
	second=$server
	start_server first "$images"
	hosts registry.invalid <<-TOML
		[host."http://$server"]
		[host."http://$second"]
	TOML
	expect 0 build registry.invalid/demo:small
	[ "$(requests second true)" -eq 0 ]
}

it_asks_only_hosts_that_resolve_for_a_tag() {
	mirrored
	echo 'capabilities = ["pull"]' >>fake.hosts/registry.invalid/hosts.toml
	expect 0 build registry.invalid/demo:small
	[ "$(requests mirror '.path | contains("manifests/small")')" -eq 0 ]
	[ "$(requests mirror '.path | contains("blobs/")')" -gt 0 ]
}

it_takes_a_path_as_it_is_when_told_so() {
	start_server mirror "$images"
	hosts registry.invalid <<-TOML
		[host."http://$server/v2/proxied"]
		override_path = true
	TOML
	expect 0 build registry.invalid/demo:small
	[ "$(requests mirror '.path | startswith("/v2/proxied/demo/")')" -gt 0 ]
}

it_trusts_the_authority_that_is_named() {
	start_server tls "$images" "tls=$work/cert.pem,$work/key.pem"
	refuses 5 certificate build "$server/demo:small"
	cp "$work/cert.pem" fake.authority
	hosts "$server" <<-TOML
		server = "https://$server"
		ca = ["../../fake.authority"]
	TOML
	expect 0 build "$server/demo:small"
}

it_trusts_what_lies_in_dockers_folder() {
	start_server tls "$images" "tls=$work/cert.pem,$work/key.pem"
	mkdir -p "fake.hosts/${server/:/_}_"
	cp "$work/cert.pem" "fake.hosts/${server/:/_}_/ca.crt"
	expect 0 build "$server/demo:small"
}

it_takes_the_first_of_the_registrys_folders() {
	local name

	start_server real "$images"
	for name in "${server/:/_}_" "$server" _default; do
		hosts "$name" <<-TOML
			server = "http://$server"
			[header]
			x-test = "$name"
		TOML
	done
	for name in "${server/:/_}_" "$server" _default; do
		expect 0 build "$server/demo:small"
		[ "$(requests real ".\"x-test\" == \"$name\"")" -gt 0 ] || fail "$name is not read"
		rm -r "fake.hosts/$name" store image.ext4
	done
}

it_reads_the_usual_places_in_their_order() {
	local namespaces=(--mount)

	[ "$(id -u)" -eq 0 ] || namespaces+=(--map-root-user)
	unshare "${namespaces[@]}" mount -t tmpfs tmpfs /etc || skip "no right to mount a tmpfs"
	start_server real "$images"
	# shellcheck disable=SC2016 # for the shell inside
	expect 0 unshare "${namespaces[@]}" bash -ec 'mount -t tmpfs tmpfs /etc
		for name in docker vmbake containerd; do
			folder=/etc/$name/certs.d/registry.invalid
			mkdir -p "$folder"
			printf "server = \"http://%s\"\nheader = { x-test = \"%s\" }\n" \
				"$1" "$name" >"$folder/hosts.toml"
		done
		for name in containerd vmbake docker; do
			vmbake build --progress none -o image.ext4 registry.invalid/demo:small
			rm -r "/etc/$name" store image.ext4
		done' bash "$server"
	[ "$(jq -rs 'map(."x-test") | unique | join(" ")' fake.real)" = "containerd docker vmbake" ]
	[ "$(jq -rs '.[0]."x-test", .[-1]."x-test"' fake.real | xargs)" = "containerd docker" ]
}

it_tries_tls_first_where_a_plain_host_has_settings_for_it() {
	start_server tls "$images" "tls=$work/cert.pem,$work/key.pem"
	hosts registry.invalid <<-TOML
		[host."http://$server"]
		skip_verify = true
	TOML
	expect 0 build registry.invalid/demo:small
	rm -rf store image.ext4
	start_server plain "$images"
	hosts registry.invalid <<-TOML
		[host."http://$server"]
		skip_verify = true
	TOML
	expect 0 build registry.invalid/demo:small
}

# only_for_clients: a server that wants to be shown fake.me.pem
only_for_clients() {
	make_certificate me DNS:me.example
	start_server tls "$images" "tls=$work/cert.pem,$work/key.pem" client=fake.me.pem
	refuses 5 "$server" env SSL_CERT_FILE="$work/cert.pem" vmbake build --progress none \
		--retry 0 -o image.ext4 "$server/demo:small"
}

it_shows_the_certificate_that_is_named() {
	only_for_clients
	cat fake.me.pem fake.me.key >fake.both
	hosts "$server" <<-TOML
		ca = "$work/cert.pem"
		client = [["../../fake.me.pem", "../../fake.me.key"]]
	TOML
	expect 0 build "$server/demo:small"
	rm -rf store image.ext4
	hosts "$server" <<-TOML
		ca = "$work/cert.pem"
		client = "$PWD/fake.both"
	TOML
	expect 0 build "$server/demo:small"
}

it_shows_the_certificate_in_dockers_folder() {
	local folder

	only_for_clients
	folder=fake.hosts/$server
	mkdir -p "$folder"
	cp "$work/cert.pem" "$folder/ca.crt"
	cat fake.me.pem fake.me.key >"$folder/client.cert"
	: >"$folder/hosts.toml" # an empty one says nothing
	expect 0 build "$server/demo:small"
	rm -rf store image.ext4
	cp fake.me.pem "$folder/client.cert"
	cp fake.me.key "$folder/client.key"
	expect 0 build "$server/demo:small"
}

it_skips_verification_when_told_so() {
	start_server tls "$images" "tls=$work/cert.pem,$work/key.pem"
	hosts _default <<-TOML
		skip_verify = true
	TOML
	expect 0 build "$server/demo:small"
}

it_shows_nothing_of_the_mirror_to_a_redirects_target() {
	start_server elsewhere "$images"
	start_server mirror "$images" "blobs-at=http://$server"
	hosts registry.invalid <<-TOML
		[host."http://$server".header]
		x-test = ["told"]
	TOML
	expect 0 build registry.invalid/demo:small
	[ "$(requests elsewhere true)" -gt 0 ]
	[ "$(requests elsewhere '."x-test" != ""')" -eq 0 ]
}

it_tells_a_mirror_nothing_of_what_is_given_for_the_registry() {
	start_server mirror "$images" basic=me:secret
	mirror=$server
	start_server real "$images" basic=me:secret
	hosts "$server" <<-TOML
		server = "http://$server"
		[host."http://$mirror"]
	TOML
	expect 0 build --creds me:secret "$server/demo:small"
	[ "$(requests mirror true)" -gt 0 ]
	[ "$(requests mirror '.authorization != ""')" -eq 0 ] || fail "the mirror was told"
}

it_goes_on_with_a_mirror_that_breaks_off_where_it_broke() {
	local hex

	hex=$(basename "$(layer_file "$images")")
	mirrored "cut:blobs/sha256:$hex*2=300000"
	expect 0 build registry.invalid/demo:small
	[ "$(requests mirror '.range | startswith("bytes=300000-")')" -eq 1 ] || fail "asked anew"
	[ "$(requests real true)" -eq 0 ]
}

it_goes_on_to_the_next_host_from_a_mirror_that_gives_something_else() {
	mirrored flip:manifests/sha256:=
	expect 0 build "registry.invalid/demo@$(jq -r '.manifests[0].digest' "$images/index.json")"
	[ "$(requests mirror '.path | contains("manifests/")')" -eq 1 ]
	[ "$(requests real '.path | contains("manifests/")')" -eq 1 ]
}

it_waits_for_a_connection_as_long_as_the_file_says() {
	local start=$SECONDS

	start_server real "$images"
	hosts registry.invalid <<-TOML
		server = "http://$server"
		[host."http://192.0.2.1:5000"]
		dial_timeout = "200ms"
	TOML
	expect 0 build registry.invalid/demo:small
	[ $((SECONDS - start)) -lt 20 ] || fail "it took $((SECONDS - start)) s"
}

it_names_the_line_that_does_not_parse() {
	hosts registry.invalid <<-TOML
		server = "https://registry.invalid"
		[host."x"
	TOML
	refuses 8 "hosts.toml: line 2" build registry.invalid/demo:small
	expect_nothing
}

it_names_a_certificate_that_is_not_there() {
	hosts registry.invalid <<-TOML
		ca = "no-such.pem"
	TOML
	refuses 3 no-such.pem build registry.invalid/demo:small
}

it_goes_through_the_proxy_that_the_environment_names() {
	start_server proxy "$images"
	hosts registry.invalid <<-TOML
		server = "http://registry.invalid"
	TOML
	http_proxy=http://$server expect 0 build registry.invalid/demo:small
	[ "$(requests proxy '.host == "registry.invalid"')" -gt 0 ]
}

run_promises
