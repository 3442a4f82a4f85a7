#!/usr/bin/env bash
# Installs what sections of mk/packages name and this machine lacks.
# usage: mk/deps.sh [--check] SECTION...      --check: only say what is missing, and fail then
set -euo pipefail

list=$(dirname "$0")/packages
only_check=
[ "${1:-}" != --check ] || { only_check=yes; shift; }
[ $# -gt 0 ] || { echo "usage: mk/deps.sh [--check] SECTION..." >&2; exit 2; }

wanted() {
	local section

	for section in "$@"; do
		awk -v section="$section" '$1 == section { print $2 }' "$list"
	done | sort -u
}

# dpkg-query fails when a package is unknown to it, which is an answer and no error.
missing() {
	comm -23 <(wanted "$@") <(wanted "$@" |
		xargs dpkg-query -W -f "\${Status}\t\${Package}\n" 2>/dev/null |
		awk -F '\t' '$1 == "install ok installed" { print $2 }' | sort -u)
}

if ! command -v dpkg-query >/dev/null; then
	[ -z "$only_check" ] || exit 0 # no Debian: the compiler will name what it lacks
	echo "this is no Debian system; please install what these packages hold:" >&2
	wanted "$@" | xargs echo " " >&2
	exit 1
fi

mapfile -t packages < <(missing "$@")
[ ${#packages[@]} -gt 0 ] || exit 0

install="apt-get install -y --no-install-recommends ${packages[*]}"
if [ -n "$only_check" ]; then
	echo "missing Debian packages: ${packages[*]}" >&2
	echo "install them with \`make deps\`, or as root: $install" >&2
	exit 1
fi

as_root=(env)
if [ "$(id -u)" -ne 0 ]; then
	if ! { [ -t 0 ] && command -v sudo >/dev/null; } && ! sudo -n true 2>/dev/null; then
		echo "packages are missing, without root or sudo to install them; as root:" >&2
		echo "  apt-get update && $install" >&2
		exit 1
	fi
	as_root=(sudo env)
fi

echo "installing: ${packages[*]}"
as_root+=(DEBIAN_FRONTEND=noninteractive)
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends \
	"${packages[@]}" >/dev/null
