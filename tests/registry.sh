# shellcheck shell=bash
# Sourced: a registry of one's own. Debian's docker-registry on a free loopback port, with its data
# in a folder that the caller removes, and never a service of the machine.

# Unpacked by mk/fetch.sh, unless it is installed anyway.
registry_program() {
	local build=$1

	if command -v docker-registry; then
		return
	fi
	"$(dirname "${BASH_SOURCE[0]}")/../mk/fetch.sh" docker-registry \
		"$build/debian/docker-registry" >&2
	realpath "$build/debian/docker-registry/usr/bin/docker-registry"
}

free_port() {
	python3 -c 'import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    print(probe.getsockname()[1])'
}

is_listening() {
	(: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# registry_start BUILD FOLDER [CERTIFICATE KEY [HTPASSWD]]: sets registry_port and registry_pid;
# stop it with kill. The port is chosen before it is bound, so another process may be faster: then
# another one.
registry_start() {
	local program folder=$2 tls=${3:+, tls: {certificate: $3, key: $4\}} attempt wait
	local auth=${5:+auth: {htpasswd: {realm: test, path: $5\}\}}

	program=$(registry_program "$1") || return 1
	mkdir -p "$folder"
	for attempt in 1 2 3; do
		registry_port=$(free_port)
		cat >"$folder/config.yml" <<-CONFIG
			version: 0.1
			storage: {filesystem: {rootdirectory: $folder/data}}
			http: {addr: 127.0.0.1:$registry_port$tls}
			log: {level: error, accesslog: {disabled: true}}
			$auth
		CONFIG
		"$program" serve "$folder/config.yml" >"$folder/log" 2>&1 &
		registry_pid=$!
		for wait in $(seq 100); do
			! is_listening "$registry_port" || return 0
			kill -0 "$registry_pid" 2>/dev/null || break
			sleep 0.05
		done
		kill "$registry_pid" 2>/dev/null || true
	done
	echo "docker-registry does not start ($attempt attempts, the last of $wait steps):" >&2
	cat "$folder/log" >&2
	return 1
}

# registry_push LAYOUT:TAG NAME:TAG [SKOPEO OPTION...]
registry_push() {
	skopeo copy -q --insecure-policy --dest-tls-verify=false "${@:3}" \
		"oci:$1" "docker://127.0.0.1:$registry_port/$2"
}
