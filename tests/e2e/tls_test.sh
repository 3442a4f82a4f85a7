#!/usr/bin/env bash
# A registry with TLS is spoken to with TLS, and a certificate that does not hold is the end of it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_images small
# make_certificate NAME WHOM: NAME.pem and NAME-key.pem, its own authority
make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=test -addext "subjectAltName=$2" -keyout "$work/$1-key.pem" \
		-out "$work/$1.pem" 2>/dev/null
}
make_certificate good IP:127.0.0.1
make_certificate other DNS:other.example

it_pulls_over_tls_from_a_known_authority() {
	registry_start "$build" "$PWD/registry" "$work/good.pem" "$work/good-key.pem"
	registry_push "$layout:small" small:1
	SSL_CERT_FILE=$work/good.pem bake "127.0.0.1:$registry_port/small:1"
	[ "$(inside image.ext4 /etc/text)" = small ]
}

it_does_not_go_on_after_an_unknown_authority() {
	registry_start "$build" "$PWD/registry" "$work/good.pem" "$work/good-key.pem"
	registry_push "$layout:small" small:1
	refuses 5 certificate vmbake build --progress none --retry 1 -o image.ext4 \
		"127.0.0.1:$registry_port/small:1"
	[ ! -e image.ext4 ]
}

it_does_not_go_on_with_a_certificate_for_another_host() {
	registry_start "$build" "$PWD/registry" "$work/other.pem" "$work/other-key.pem"
	SSL_CERT_FILE=$work/other.pem refuses 5 127.0.0.1 \
		vmbake build --progress none --retry 1 -o image.ext4 \
		"127.0.0.1:$registry_port/small:1"
	[ ! -e image.ext4 ]
}

run_promises
