#!/usr/bin/env bash
# A registry with TLS is spoken to with TLS, and a certificate that does not hold is the end of it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

make_images small

# start_tls WHOM [END]: docker-registry with an image, and a certificate for WHOM
start_tls() {
	make_certificate own "$@"
	registry_start "$build" "$PWD/fake.registry" "$PWD/fake.own.pem" "$PWD/fake.own.key"
	registry_push "$layout:small" small:1
}

build() {
	vmbake build --progress none --retry 1 -o image.ext4 "$@"
}

it_pulls_over_tls_from_a_known_authority() {
	start_tls IP:127.0.0.1
	SSL_CERT_FILE=$PWD/fake.own.pem bake "127.0.0.1:$registry_port/small:1"
	[ "$(inside image.ext4 /etc/text)" = small ]
}

it_does_not_go_on_after_an_unknown_authority() {
	start_tls IP:127.0.0.1
	refuses 5 certificate build "127.0.0.1:$registry_port/small:1"
	expect_nothing
}

it_does_not_go_on_with_a_certificate_for_another_host() {
	start_tls DNS:other.example
	SSL_CERT_FILE=$PWD/fake.own.pem refuses 5 127.0.0.1 build "127.0.0.1:$registry_port/small:1"
	expect_nothing
}

it_does_not_go_on_with_a_certificate_that_has_expired() {
	start_tls IP:127.0.0.1 20200102000000Z
	SSL_CERT_FILE=$PWD/fake.own.pem refuses 5 expired build "127.0.0.1:$registry_port/small:1"
	expect_nothing
}

it_goes_to_a_registry_with_tls_through_a_proxy() {
	start_tls DNS:registry.invalid
	start_proxy tunnel "$registry_port" connect=fake.asked
	HTTPS_PROXY=http://$proxy SSL_CERT_FILE=$PWD/fake.own.pem expect 0 \
		build --creds me:secret registry.invalid/small:1
	grep -q '^CONNECT registry.invalid:443 ' fake.asked
	! grep -qi '^authorization' fake.asked || fail "the proxy was told who we are"
}

it_leaves_out_the_proxy_where_no_proxy_says_so() {
	start_tls DNS:registry.invalid
	start_proxy tunnel "$registry_port" connect=fake.asked
	HTTPS_PROXY=http://$proxy NO_PROXY=registry.invalid refuses 5 registry.invalid \
		build registry.invalid/small:1
	[ ! -e fake.asked ]
}

# docker-registry wants a name and a password, and skopeo has logged in there.
it_pulls_where_skopeo_has_logged_in() {
	local options=(--authfile fake.auth --cert-dir fake.certs)

	make_certificate own IP:127.0.0.1
	mkdir fake.certs
	cp fake.own.pem fake.certs/ca.crt
	# bcrypt of the word secret
	perl -e 'print "me:", crypt("secret", q($2b$05$abcdefghijklmnopqrstuu)), "\n"' \
		>fake.passwords
	registry_start "$build" "$PWD/fake.registry" "$PWD/fake.own.pem" "$PWD/fake.own.key" \
		"$PWD/fake.passwords"
	skopeo login "${options[@]}" -u me -p secret "127.0.0.1:$registry_port" >/dev/null
	skopeo copy -q --insecure-policy "${options[@]/cert-dir/dest-cert-dir}" \
		"oci:$layout:small" "docker://127.0.0.1:$registry_port/small:1"
	export SSL_CERT_FILE=$PWD/fake.own.pem
	refuses 4 "127.0.0.1:$registry_port" build "127.0.0.1:$registry_port/small:1"
	refuses 4 refuses build --creds me:other "127.0.0.1:$registry_port/small:1"
	expect_nothing
	expect 0 build --authfile fake.auth "127.0.0.1:$registry_port/small:1"
}

run_promises
