#!/usr/bin/env bash
# Makes free memory hot again, before each run that writes. On a virtual machine with free page
# reporting the host takes back what was freed, and writing to such pages again costs several times
# more than writing to others: enough to hide whatever is being compared.
# usage: tests/bench/settle.sh FOLDER [MIB]      keeps a sparse file there: removing it frees the
# memory; MIB: no more than that, for a run that writes less
set -euo pipefail

file=${1:?usage: settle.sh FOLDER}/settle.sparse
sync
free_mib=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
[ $# -lt 2 ] || [ "$2" -gt "$free_mib" ] || free_mib=$2
truncate -s "${free_mib}M" "$file"
cat "$file" >/dev/null
