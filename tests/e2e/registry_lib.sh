# shellcheck shell=bash
# Sourced after lib.sh by tests/e2e/registry_*_test.sh: registry_server.py and what it saw.

# start_peer NAME PROGRAM [ARGUMENT...]: a program that prints its port and serves until it is
# killed; sets $peer to its address and $peer_pid; it logs to fake.NAME.
start_peer() {
	local name=$1 port

	shift
	: >"fake.$name.port"
	"${root:?}/tests/e2e/$1" "${@:2}" >"fake.$name.port" 2>"fake.$name" &
	peer_pid=$!
	for _ in $(seq 100); do
		port=$(cat "fake.$name.port")
		[ -z "$port" ] || break
		sleep 0.05
	done
	peer=127.0.0.1:${port:?$1 did not start}
}

# start_server NAME LAYOUT [OPTION...]: registry_server.py; sets $server to its address.
start_server() {
	start_peer "$1" registry_server.py "${@:2}"
	export server=$peer server_pid=$peer_pid
}

# mirrored FAULT...: a mirror of $images with these faults, the registry itself, and what says so of
# registry.invalid in fake.hosts; sets $mirror and $server
mirrored() {
	start_server mirror "${images:?}" "$@"
	export mirror=$server
	start_server real "$images"
	mkdir -p fake.hosts/registry.invalid
	printf 'server = "http://%s"\n[host."http://%s"]\n' "$server" "$mirror" \
		>fake.hosts/registry.invalid/hosts.toml
}

# start_proxy NAME PORT [OPTION...]: registry_proxy.py before that port; sets $proxy.
start_proxy() {
	start_peer "$1" registry_proxy.py "${@:2}"
	export proxy=$peer
}

# make_certificate NAME WHOM [END]: fake.NAME.pem and fake.NAME.key, its own authority; END: the
# time, as 20200102000000Z, since when it is no longer good
make_certificate() {
	local days=(-startdate 20200101000000Z -enddate "${3:-20400101000000Z}")

	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test \
		-keyout "fake.$1.key" -out fake.request 2>/dev/null
	: >fake.database
	printf '%s\n' '[ca]' 'default_ca = own' '[own]' 'database = fake.database' \
		'new_certs_dir = .' 'rand_serial = yes' 'default_md = sha256' 'policy = any' \
		'x509_extensions = whom' '[any]' 'commonName = supplied' '[whom]' \
		'basicConstraints = CA:TRUE' "subjectAltName = $2" >fake.ca
	openssl ca -batch -selfsign -notext -config fake.ca "${days[@]}" -keyfile "fake.$1.key" \
		-in fake.request -out "fake.$1.pem" 2>/dev/null
	rm ./[0-9A-F]*.pem
}

# requests NAME FILTER: of the requests that server saw, those that jq's FILTER selects, counted.
requests() {
	jq -s "map(select($2)) | length" "fake.$1"
}

# large_image LAYOUT TAG MEGABYTES [EXTRA...]
large_image() {
	"$root/tests/e2e/registry_image.py" "$@"
}

# layer_file LAYOUT: where the layer of its first image is
layer_file() {
	local manifest

	manifest=$(jq -r '.manifests[0].digest' "$1/index.json")
	manifest=$1/blobs/${manifest/://}
	echo "$1/blobs/$(jq -r '.layers[0].digest' "$manifest" | tr : /)"
}

# nest LAYOUT TAG: in place of that image an index that holds it
nest() {
	local outer digest

	outer=$(jq -c --arg tag "$2" '{schemaVersion: 2,
		mediaType: "application/vnd.oci.image.index.v1+json", manifests:
		[.manifests[] | select(.annotations[] == $tag) | del(.annotations)]}' \
		"$1/index.json")
	digest=$(printf %s "$outer" | sha256sum | cut -d ' ' -f 1)
	printf %s "$outer" >"$1/blobs/sha256/$digest"
	jq --arg tag "$2" --arg digest "sha256:$digest" --argjson size "${#outer}" \
		'.manifests |= map(if .annotations[] == $tag
		then .digest = $digest | .size = $size else . end)' "$1/index.json" >fake.index
	mv fake.index "$1/index.json"
}

# Neither an output nor anything else is left, not even part of a blob.
expect_nothing() {
	local left

	expect_no_trace
	left=$(find store/blobs -type f 2>/dev/null || true)
	[ -z "$left" ] || fail "left in the store: $left"
}
