#!/usr/bin/env bash
# What no cold build on this machine can go below: each part that nobody can leave out, done by a
# public tool, in CPU seconds; their sum spread over the cores is the limit in wall time. So is, for
# unpacking blobs that are here already, the sum of the parts marked *.
# usage: tests/bench/limit.sh LAYOUT REGISTRY/NAME REGISTRY_PID [copy]
#   copy: count one copy of the contents too, for a file system without reflink
# The last two lines are for scripts: "build SECONDS" and "unpack SECONDS".
set -euo pipefail

layout=${1:?usage: limit.sh LAYOUT REGISTRY/NAME REGISTRY_PID [copy]}
image=${2:?} registry_pid=${3:?} with_copy=${4:-}
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d "${TMPDIR:-/var/tmp}/vmbake-limit.XXXXXX")
trap 'rm -rf "$temp"' EXIT

blob_path() {
	echo "$layout/blobs/${1/://}"
}

manifest=$(blob_path "$(jq -r '.manifests[0].digest' "$layout/index.json")")
mapfile -t digests < <(jq -r '.layers[].digest' "$manifest")
sum=0 unpack_sum=0

add() {
	awk "BEGIN { print $1 + $2 }"
}

# User and system seconds of a command.
cpu_of() {
	/usr/bin/time -o "$temp/time" -f '%U %S' "$@" >/dev/null
	awk '{ print $1 + $2 }' "$temp/time"
}

# cpu_of a command with each blob's path as its last argument; page cache warm.
cpu_of_blobs() {
	local total=0 digest path

	for digest in "${digests[@]}"; do
		path=$(blob_path "$digest")
		cat "$path" >/dev/null
		total=$(add "$total" "$(cpu_of "$@" "$path")")
	done
	echo "$total"
}

registry_cpu() {
	awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) / ticks }' "/proc/$registry_pid/stat"
}

receive() {
	local total=0 digest

	for digest in "${digests[@]}"; do
		total=$(add "$total" "$(cpu_of curl -s -o /dev/null \
			"http://${image%%/*}/v2/${image#*/}/blobs/$digest")")
	done
	echo "$total"
}

write_mib() {
	rm -f "$temp/out"
	"$here/settle.sh" "$temp"
	cpu_of dd if=/dev/zero of="$temp/out" bs=1M count="$1" status=none
}

part() {
	printf '  %-36s %7.2f\n' "$1" "$2"
	sum=$(add "$sum" "$2")
	case $1 in *\*) unpack_sum=$(add "$unpack_sum" "$2") ;; esac
}

over_cores() {
	awk "BEGIN { printf \"%.2f\", $1 / $(nproc) }"
}

echo "limit, CPU seconds:"
before=$(registry_cpu)
part "receive the blobs (curl)" "$(receive)"
part "the registry itself" "$(add "$(registry_cpu)" "-$before")"
part "sha256 of the blobs (openssl) *" "$(cpu_of_blobs openssl dgst -sha256)"
part "inflate (igzip) *" "$(cpu_of_blobs igzip -dc)"
blob_bytes=0
for digest in "${digests[@]}"; do
	blob_bytes=$((blob_bytes + $(stat -c %s "$(blob_path "$digest")")))
	igzip -dc "$(blob_path "$digest")"
done >"$temp/contents"
part "sha256 of the contents (openssl) *" "$(cpu_of openssl dgst -sha256 "$temp/contents")"
content_bytes=$(stat -c %s "$temp/contents")
rm "$temp/contents"
part "write the blobs once, to resume" "$(write_mib $((blob_bytes >> 20)))"
part "write the contents once *" "$(write_mib $((content_bytes >> 20)))"
[ -z "$with_copy" ] ||
	part "copy the contents once" "$(cpu_of cp --reflink=never "$temp/out" "$temp/copy")"
printf '  %-36s %7.2f\n' "sum" "$sum" "sum of *" "$unpack_sum"
echo "limit, seconds of wall time over $(nproc) cores:"
echo "build $(over_cores "$sum")"
echo "unpack $(over_cores "$unpack_sum")"
