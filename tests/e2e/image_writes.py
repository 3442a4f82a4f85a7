#!/usr/bin/env python3
"""What vmbake wrote to an image before the first body: "OFFSET BYTES" a line, as they came.

usage: image_writes.py CALLS      CALLS: of strace -f; the image is what ftruncate makes longest
"""
import re
import sys

CALL = re.compile(r"^(?:\d+ +)?(\w+)\((\d+), (.*)\) += (-?\d+)")


def main():
    with open(sys.argv[1], encoding="ascii", errors="replace") as file:
        calls = [match.groups() for match in map(CALL.match, file) if match]
    sizes = [(int(rest), fd) for name, fd, rest, _ in calls if name == "ftruncate"]
    image = max(sizes)[1]
    start = max(i for i, call in enumerate(calls) if call[0] == "ftruncate" and call[1] == image)
    for name, fd, rest, result in calls[start + 1:]:
        if "FICLONERANGE" in rest:
            break
        if fd == image and name.startswith(("pwrite", "write")):
            assert name != "write", "written without an offset"
            print(int(rest.rsplit(", ", 1)[1]), result)


main()
