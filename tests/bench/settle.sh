#!/usr/bin/env bash
# Makes free memory hot again, before each run that writes. On a virtual machine with free page
# reporting the host takes back what was freed, and writing to such pages again costs several times
# more than writing to others: enough to hide whatever is being compared.
# usage: tests/bench/settle.sh FOLDER [MIB]      a sparse file more there, as large as what is free:
# removing it frees the memory; reading an older one again would make its pages count as in use, and
# push out what is written next. MIB: no more than that, for a run that writes less
set -euo pipefail

folder=${1:?usage: settle.sh FOLDER}
sync
free_mib=$(awk '$1 == "MemFree:" { print int($2 / 1024) }' /proc/meminfo)
[ $# -lt 2 ] || [ "$2" -gt "$free_mib" ] || free_mib=$2
file=$(mktemp "$folder/settle.XXXXXX")
truncate -s "${free_mib}M" "$file"
cat "$file" >/dev/null
