#!/usr/bin/env python3
"""Fails for keys that differ without a reason, and for reasons that nothing needs.

usage: crun_explain.py RUN DIFFERING REASONS      REASONS: lines "RUN KEY_PATTERN REASON"; RUN may
                                                  be "*"; DIFFERING: a key a line
"""

import fnmatch
import sys


def main():
    run, differing, reasons = sys.argv[1:4]
    with open(differing, encoding="utf-8") as file:
        keys = file.read().split()
    with open(reasons, encoding="utf-8") as file:
        rows = [line.split(None, 2) for line in file if line.strip() and line[0] != "#"]
    patterns = [key for runs, key, _ in rows if runs in ("*", run)]
    unexplained = [key for key in keys
                   if not any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)]
    idle = [pattern for pattern in patterns if not fnmatch.filter(keys, pattern)]
    for key in unexplained:
        print("differs, without a reason:", key)
    for pattern in idle:
        print("does not differ:", pattern)
    sys.exit(1 if unexplained or idle else 0)


if __name__ == "__main__":
    main()
