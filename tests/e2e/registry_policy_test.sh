#!/usr/bin/env bash
# A policy.json decides what may be used, before a layer is fetched.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/registry_lib.sh
. "$root/tests/e2e/registry_lib.sh"

images=$work/images
mkdir "$images" "$work/home"
large_image "$images" small 1
export HOME=$work/home
export XDG_CONFIG_HOME=$work/elsewhere # which does not count for policies
for key in good other; do
	openssl ecparam -genkey -name prime256v1 -noout -out "$work/$key.pem" 2>/dev/null
	openssl pkey -in "$work/$key.pem" -pubout -out "$work/$key.pub" 2>/dev/null
done

# signed KEY NAME [HOW...]: a server with a copy of the images, where small is signed for NAME;
# the word SERVER in it stands for the server's address.
signed() {
	local key=$1 name=$2 port

	shift 2
	cp -r "$images" fake.images
	start_server one fake.images
	kill "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	port=${server#*:}
	"$root/tests/e2e/registry_sign.py" fake.images small "$work/$key.pem" \
		"${name//SERVER/$server}" "$@"
	start_server one fake.images "port=$port"
}

# policy REQUIREMENT: the file fake.policy with that for everything
policy() {
	echo "{\"default\":[$1]}" >fake.policy
}

by_key() {
	echo "{\"type\":\"sigstoreSigned\",\"keyPath\":\"$work/good.pub\"${1:+,$1}}"
}

build() {
	vmbake build --progress none --retry 1 -o image.ext4 --policy fake.policy "$@"
}

# rejected CODE WORDS: and no layer was fetched
rejected() {
	refuses "$1" "$2" build "${3:-$server/demo:small}"
	expect_nothing
	[ "$(requests one '.range != ""')" -eq 0 ]
}

it_accepts_what_the_key_has_signed_for_that_name() {
	signed good SERVER/demo:small
	policy "$(by_key)"
	expect 0 build "$server/demo:small"
}

it_accepts_a_key_inside_the_policy() {
	signed good SERVER/demo:small
	policy "{\"type\":\"sigstoreSigned\",\"keyData\":\"$(base64 -w0 "$work/good.pub")\"}"
	expect 0 build "$server/demo:small"
}

it_accepts_a_signature_of_the_index() {
	cp -r "$images" fake.nested
	nest fake.nested small
	images=fake.nested signed good SERVER/demo:small
	policy "$(by_key)"
	expect 0 build "$server/demo:small"
}

it_accepts_a_signature_that_is_a_referrer() {
	signed good SERVER/demo:small referrer
	policy "$(by_key)"
	expect 0 build "$server/demo:small"
}

it_accepts_a_signature_that_is_listed_under_a_tag() {
	signed good SERVER/demo:small tagged
	kill "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	start_server one fake.images no-referrers= "port=${server#*:}"
	policy "$(by_key)"
	expect 0 build "$server/demo:small"
}

it_rejects_what_is_not_signed() {
	start_server one "$images"
	policy "$(by_key)"
	rejected 6 "not signed"
}

it_rejects_what_is_not_signed_where_there_are_no_referrers() {
	start_server one "$images" no-referrers=
	policy "$(by_key)"
	rejected 6 "not signed"
}

it_rejects_a_signature_by_another_key() {
	signed other SERVER/demo:small
	policy "$(by_key)"
	rejected 6 "another key"
}

it_rejects_a_signature_of_another_digest() {
	signed good SERVER/demo:small "digest=sha256:$(printf '1%.0s' $(seq 64))"
	policy "$(by_key)"
	rejected 6 "another digest"
}

it_rejects_a_signature_for_another_repository() {
	signed good SERVER/other:small
	policy "$(by_key)"
	rejected 6 /other:small
}

it_rejects_a_signature_for_another_tag() {
	signed good SERVER/demo:other
	policy "$(by_key)"
	rejected 6 demo:other
}

it_takes_any_tag_of_the_repository_when_told_so() {
	signed good SERVER/demo
	policy "$(by_key '"signedIdentity":{"type":"matchRepository"}')"
	expect 0 build "$server/demo:small"
}

it_takes_the_name_of_the_original_for_its_mirror() {
	signed good original.example/x/demo:small
	policy "$(by_key "\"signedIdentity\":{\"type\":\"remapIdentity\",\"prefix\":\"$server\",
		\"signedPrefix\":\"original.example/x\"}")"
	expect 0 build "$server/demo:small"
}

it_rejects_what_the_policy_rejects() {
	start_server one "$images"
	policy '{"type":"reject"}'
	rejected 6 "policy rejects"
}

it_holds_all_requirements_of_a_scope() {
	signed good SERVER/demo:small
	policy "$(by_key), {\"type\":\"sigstoreSigned\",\"keyPath\":\"$work/other.pub\"}"
	rejected 6 "another key"
}

it_prefers_the_narrower_scope() {
	start_server one "$images"
	echo "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":
		{\"$server/demo\":[{\"type\":\"insecureAcceptAnything\"}]}}}" >fake.policy
	expect 0 build "$server/demo:small"
	rm -rf store image.ext4
	rejected 6 "policy rejects" "oci:$images:small"
}

it_does_not_let_a_bundle_pass() {
	signed good SERVER/demo:small bundle
	policy "$(by_key)"
	rejected 7 bundle
}

it_does_not_pass_over_what_it_does_not_know() {
	start_server one "$images"
	policy '{"type":"signedBy","keyType":"GPGKeys","keyPath":"x"}'
	rejected 7 signedBy
	policy "$(by_key '"rekorPublicKeyPath":"x"')"
	rejected 7 rekorPublicKeyPath
	policy '{"type":"sigstoreSigned","fulcio":{}}'
	rejected 7 fulcio
	policy '{"type":"somethingElse"}'
	rejected 7 somethingElse
}

it_refuses_a_policy_that_is_broken() {
	start_server one "$images"
	echo '{"default":' >fake.policy
	rejected 7 fake.policy
	echo '{"default":[]}' >fake.policy
	rejected 7 requirements
}

it_reads_the_policy_of_the_user() {
	start_server one "$images"
	mkdir -p "$HOME/.config/containers"
	echo '{"default":[{"type":"reject"}]}' >"$HOME/.config/containers/policy.json"
	refuses 6 "policy rejects" \
		vmbake build --progress none -o image.ext4 "$server/demo:small"
}

run_promises
