#!/bin/sh
# Runs a command with a tmpfs at ./disk, inside a mount namespace that goes with it; what it leaves
# there is listed in ./left, file by file.
# usage: unshare --mount in_disk.sh MOUNT_OPTIONS COMMAND...
set -eu

options=$1
shift
mkdir -p disk
mount -t tmpfs -o "$options" tmpfs disk
status=0
"$@" || status=$?
find disk -type f >left
exit "$status"
