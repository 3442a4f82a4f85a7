#!/usr/bin/env bash
# Who we are to a registry: found where podman and docker keep it, told to that registry alone.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images" "$work/home"
large_image "$images" small 1
large_image "$images" large 40
export HOME=$work/home XDG_RUNTIME_DIR=$work/run
unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME

build() {
	vmbake build --progress none --retry 1 -o image.ext4 "$@"
}

# auth_file FILE HOST USER:PASSWORD, as podman and docker write it
auth_file() {
	mkdir -p "$(dirname "$1")"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$2" "$(printf %s "$3" | base64 -w0)" >"$1"
}

# No sentence and no process list may hold what this password is.
secret=sEcReT-pAsSwOrD
expect_no_secret() {
	! grep -q "$secret" out err || fail "a secret was told"
}

it_gives_basic_credentials() {
	start_server one "$images" "basic=me:$secret"
	expect 0 build --creds "me:$secret" "$server/demo:small"
}

it_says_who_wants_credentials() {
	start_server one "$images" "basic=me:$secret"
	refuses 4 "$server" build "$server/demo:small"
	expect_nothing
}

it_stops_when_credentials_are_refused() {
	start_server one "$images" basic=me:other
	refuses 4 refuses build --creds "me:$secret" "$server/demo:small"
	expect_no_secret
	[ "$(requests one true)" -le 4 ] || fail "it went on asking"
}

it_gets_an_anonymous_token() {
	start_server one "$images" token=:
	expect 0 build "$server/demo:small"
}

it_gets_a_token_for_a_user() {
	start_server one "$images" "token=me:$secret"
	expect 0 build --creds "me:$secret" "$server/demo:small"
	[ "$(requests one '.path | startswith("/token") and contains("service=test") and
		contains("account=me") and contains("scope=repository%3Ademo%3Apull")')" -eq 1 ]
}

it_tells_no_secret_in_json() {
	start_server one "$images" basic=me:other
	expect 4 build --json --creds "me:$secret" "$server/demo:small"
	[ "$(jq -r .error.kind err)" = auth ]
	expect_no_secret
}

it_stops_when_the_token_server_refuses() {
	start_server one "$images" token=me:other
	refuses 4 "token server" build --creds "me:$secret" "$server/demo:small"
	expect_no_secret
}

it_tries_again_when_the_token_server_is_down() {
	start_server one "$images" token=: "status:/token*1=503"
	expect 0 build "$server/demo:small"
}

it_gives_up_when_the_token_server_stays_down() {
	start_server one "$images" token=: status:/token=503
	refuses 5 "token server" build "$server/demo:small"
	expect_nothing
}

it_refuses_a_token_of_ten_megabytes() {
	start_server one "$images" token=: token-bytes=10000000
	refuses 7 "token server" build "$server/demo:small"
	expect_nothing
}

it_follows_the_token_servers_redirects() {
	start_server one "$images" "token=me:$secret" "redirect:/token*1=308,"
	expect 0 build --creds "me:$secret" "$server/demo:small"
	[ "$(requests one '(.path | startswith("/token")) and .authorization == "Basic"')" -eq 2 ]
}

it_tells_a_token_servers_redirect_target_nothing() {
	start_server elsewhere "$images" token=:
	elsewhere=$server
	start_server one "$images" "token=me:$secret" "redirect:/token=307,http://$elsewhere"
	refuses 4 "$server" build --creds "me:$secret" "$server/demo:small"
	expect_no_secret
	[ "$(requests elsewhere '.path | startswith("/token")')" -gt 0 ] || fail "not followed"
	[ "$(requests elsewhere '.authorization != ""')" -eq 0 ] || fail "a secret went along"
}

it_gives_up_on_a_token_server_that_redirects_for_ever() {
	start_server one "$images" token=: loop:/token=
	refuses 5 "token server" build "$server/demo:small"
}

it_sends_an_identity_token_to_nobody_else() {
	start_server elsewhere "$images" "identity=$secret"
	elsewhere=$server
	start_server one "$images" "identity=$secret" "redirect:/token=307,http://$elsewhere"
	printf '{"auths":{"%s":{"identitytoken":"%s"}}}' "$server" "$secret" >fake.auth
	refuses 4 "token server" build --authfile fake.auth "$server/demo:small"
	expect_no_secret
	[ "$(requests elsewhere true)" -eq 0 ]
}

it_sends_an_identity_token_again_within_the_same_host() {
	start_server one "$images" "identity=$secret" "redirect:/token*1=307,"
	printf '{"auths":{"%s":{"identitytoken":"%s"}}}' "$server" "$secret" >fake.auth
	expect 0 build --authfile fake.auth "$server/demo:small"
	[ "$(requests one '.method == "POST"')" -eq 2 ]
}

it_renews_a_token_in_the_middle_of_a_blob() {
	start_server one "$images" token=: token-uses=3 slow:blobs=80000000
	expect 0 build "$server/demo:large"
	[ "$(requests one '.path | startswith("/token")')" -gt 2 ] || fail "no token was renewed"
}

it_uses_the_file_that_is_named_and_no_other() {
	start_server one "$images" "basic=me:$secret"
	auth_file "$HOME/.config/containers/auth.json" "$server" "me:$secret"
	auth_file named.json other.example me:x
	mv named.json fake.named
	refuses 4 "$server" build --authfile fake.named "$server/demo:small"
	auth_file fake.named "$server" "me:$secret"
	expect 0 build --authfile fake.named "$server/demo:small"
}

it_names_an_auth_file_that_is_not_there() {
	start_server one "$images" "basic=me:$secret"
	refuses 3 no-such-file build --authfile no-such-file "$server/demo:small"
}

it_uses_what_registry_auth_file_names() {
	start_server one "$images" "basic=me:$secret"
	auth_file "$work/from-environment" "$server" "me:$secret"
	REGISTRY_AUTH_FILE=$work/from-environment expect 0 build "$server/demo:small"
}

# finds PATH [KEY]: credentials in that file are found.
finds() {
	start_server one "$images" "basic=me:$secret"
	auth_file "$1" "${2:-$server}" "me:$secret"
	expect 0 build "$server/demo:small"
}

it_finds_the_file_of_podman_login() { finds "$XDG_RUNTIME_DIR/containers/auth.json"; }
it_finds_the_lasting_file_of_podman() { finds "$HOME/.config/containers/auth.json"; }
it_finds_the_file_of_docker_login() { finds "$HOME/.docker/config.json"; }
it_finds_what_docker_config_names() {
	export DOCKER_CONFIG=$work/docker
	finds "$DOCKER_CONFIG/config.json"
}

it_finds_the_file_of_podman_login_without_a_session() {
	local namespaces=(--mount)

	[ "$(id -u)" -eq 0 ] || namespaces+=(--map-root-user)
	unshare "${namespaces[@]}" mount -t tmpfs tmpfs /run || skip "no right to mount a tmpfs"
	start_server one "$images" "basic=me:$secret"
	auth_file fake.auth "$server" "me:$secret"
	unset XDG_RUNTIME_DIR
	expect 0 unshare "${namespaces[@]}" sh -ec 'mount -t tmpfs tmpfs /run
		mkdir -p /run/containers/0
		cp fake.auth /run/containers/0/auth.json
		exec "$@"' sh vmbake build --progress none -o image.ext4 "$server/demo:small"
}

it_goes_on_to_the_file_that_knows_the_registry() {
	auth_file "$XDG_RUNTIME_DIR/containers/auth.json" other.example me:x
	finds "$HOME/.docker/config.json"
	rm "$XDG_RUNTIME_DIR/containers/auth.json"
}

it_finds_the_oldest_file_of_docker() {
	start_server one "$images" "basic=me:$secret"
	printf '{"https://%s/v1/":{"auth":"%s"}}' "$server" \
		"$(printf %s "me:$secret" | base64 -w0)" >"$HOME/.dockercfg"
	expect 0 build "$server/demo:small"
}

it_prefers_the_entry_of_the_repository() {
	start_server one "$images" "basic=me:$secret"
	printf '{"auths":{"%s":{"auth":"%s"},"%s/demo":{"auth":"%s"}}}' \
		"$server" "$(printf me:x | base64 -w0)" \
		"$server" "$(printf %s "me:$secret" | base64 -w0)" >fake.auth
	expect 0 build --authfile fake.auth "$server/demo:small"
}

it_reads_what_skopeo_login_writes() {
	start_server one "$images" "basic=me:$secret"
	skopeo login --tls-verify=false --authfile fake.auth -u me -p "$secret" \
		"$server" >/dev/null ||
		fail "skopeo cannot log in"
	expect 0 build --authfile fake.auth "$server/demo:small"
}

# helper ANSWER [CODE [NAME]]: docker-credential-test, which writes down how it was called; NAME: it
# knows that alone.
helper() {
	mkdir -p "$work/bin"
	cat >"$work/bin/docker-credential-test" <<-HELPER
		#!/bin/sh
		name=\$(cat)
		echo "\$name" >>'$PWD/fake.question'
		echo "\$*" >'$PWD/fake.arguments'
		case \$name in
		${3:-*}) echo '$1'; exit ${2:-0} ;;
		*) echo credentials not found in native keychain; exit 1 ;;
		esac
	HELPER
	chmod +x "$work/bin/docker-credential-test"
	export PATH=$work/bin:$PATH
}

it_asks_a_credential_helper() {
	start_server one "$images" "basic=me:$secret"
	helper "{\"ServerURL\":\"x\",\"Username\":\"me\",\"Secret\":\"$secret\"}"
	printf '{"credHelpers":{"%s":"test"}}' "$server" >fake.auth
	expect 0 build --authfile fake.auth "$server/demo:small"
	[ "$(cat fake.question)" = "$server" ]
	[ "$(cat fake.arguments)" = get ]
}

it_asks_the_store_of_docker() {
	start_server one "$images" "token=me:$secret"
	helper "{\"Username\":\"me\",\"Secret\":\"$secret\"}"
	printf '{"auths":{"%s":{}},"credsStore":"test"}' "$server" >fake.auth
	expect 0 build --authfile fake.auth "$server/demo:small"
}

# hub FILE KNOWN ASKED...: what stands for Docker Hub behind a proxy; the helper knows KNOWN alone,
# and is asked for these names in this order
hub() {
	make_certificate own DNS:registry-1.docker.io
	start_server one "$images" "basic=me:$secret" tls=fake.own.pem,fake.own.key
	start_proxy tunnel "${server#*:}" connect=fake.asked
	export HTTPS_PROXY=http://$proxy SSL_CERT_FILE=$PWD/fake.own.pem
	helper "{\"Username\":\"me\",\"Secret\":\"$secret\"}" 0 "$2"
	echo "$1" >fake.auth
	expect 0 build --authfile fake.auth docker.io/x/demo:small
	[ "$(cat fake.question)" = "$(printf '%s\n' "${@:3}")" ] || fail "$(cat fake.question)"
}

index=https://index.docker.io/v1/
it_asks_dockers_store_for_docker_hub() { hub '{"credsStore":"test"}' "$index" "$index"; }
it_asks_dockers_store_for_what_podman_put_there() {
	hub '{"credsStore":"test"}' docker.io "$index" docker.io
}
it_asks_podmans_helper_for_docker_hub() {
	hub '{"credHelpers":{"docker.io":"test"}}' docker.io docker.io
}
it_asks_podmans_helper_for_what_docker_put_there() {
	hub '{"credHelpers":{"docker.io":"test"}}' "$index" docker.io "$index"
}
it_asks_dockers_helper_for_docker_hub() {
	hub "{\"credHelpers\":{\"$index\":\"test\"}}" "$index" "$index"
}
it_asks_a_helper_for_docker_hub_by_the_name_in_the_file() {
	hub '{"credHelpers":{"index.docker.io":"test"}}' index.docker.io index.docker.io
}
it_asks_docker_hub_for_an_official_image() {
	hub '{"credsStore":"test"}' "$index" "$index"
	expect 0 build --authfile fake.auth demo:small
	grep -q '^CONNECT registry-1.docker.io:443 ' fake.asked
	[ "$(requests one '.path == "/v2/library/demo/manifests/small"')" -gt 0 ]
}
it_prefers_the_helper_of_the_registrys_own_name() {
	hub "{\"credHelpers\":{\"$index\":\"other\",\"docker.io\":\"test\"}}" docker.io docker.io
}

it_gives_an_identity_token() {
	start_server one "$images" "identity=$secret"
	helper "{\"Username\":\"<token>\",\"Secret\":\"$secret\"}"
	printf '{"credsStore":"test"}' >fake.auth
	expect 0 build --authfile fake.auth "$server/demo:small"
	[ "$(requests one '.method == "POST"')" -eq 1 ]
}

it_takes_a_helper_that_knows_nothing_for_no_credentials() {
	start_server one "$images" token=:
	helper "credentials not found in native keychain" 1
	printf '{"credsStore":"test"}' >fake.auth
	expect 0 build --authfile fake.auth "$server/demo:small"
}

it_names_a_helper_that_fails() {
	start_server one "$images" "basic=me:$secret"
	helper "out of order" 1
	printf '{"credsStore":"test"}' >fake.auth
	refuses 4 docker-credential-test build --authfile fake.auth "$server/demo:small"
}

it_names_an_auth_file_that_is_malformed() {
	start_server one "$images" "basic=me:$secret"
	printf '{"auths":{"%s":{"auth":"***"}}}' "$server" >fake.auth
	refuses 8 fake.auth build --authfile fake.auth "$server/demo:small"
}

it_tells_nothing_to_the_target_of_a_redirect() {
	start_server elsewhere "$images"
	start_server one "$images" "basic=me:$secret" "blobs-at=http://$server"
	expect 0 build --creds "me:$secret" "$server/demo:large"
	[ "$(requests elsewhere true)" -gt 1 ] || fail "nothing was redirected"
	[ "$(requests elsewhere '.authorization != ""')" -eq 0 ] || fail "a secret went along"
}

it_asks_anew_when_a_signed_address_expires() {
	start_server elsewhere "$images" signed-uses=2 slow:blobs=80000000
	start_server one "$images" "blobs-at=http://$server"
	expect 0 build --blob-connections 2 "$server/demo:large"
	[ "$(requests elsewhere '.status == 403')" -gt 0 ] || fail "no address expired"
}

it_keeps_the_target_of_a_redirect_for_later_chunks() {
	large_image "$PWD/fake.images" larger 100 # 13 chunks
	start_server elsewhere "$PWD/fake.images"
	start_server one "$PWD/fake.images" "blobs-at=http://$server"
	expect 0 build --blob-connections 2 "$server/demo:larger"
	[ "$(requests one '.path | contains("blobs/")')" -le 4 ] || fail "asked for each chunk"
}

it_closes_with_an_answer_when_it_is_refused_for_ever() {
	start_server one "$images" token=: token-uses=0
	refuses 4 "$server" build "$server/demo:small"
	expect_nothing
}

run_promises
