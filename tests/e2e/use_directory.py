#!/usr/bin/env python3
"""Uses a mounted directory as a machine would: looks every name up, removes, adds.

usage: use_directory.py FOLDER NAMES      NAMES: a file, what the folder holds, one a line
"""
import os
import sys

CHANGED_MAX = 40000  # added are names of one file: ext4 counts to 65,000


def is_there(name):
    try:
        os.stat(name)
    except FileNotFoundError:
        return False
    return True


def main():
    with open(sys.argv[2], encoding="ascii") as file:
        names = file.read().split()
    os.chdir(sys.argv[1])
    removed = names[::3][:CHANGED_MAX]
    kept = sorted(set(names) - set(removed))
    added = [f"added-{i}" for i in range(min(len(names) // 2, CHANGED_MAX))]

    assert all(map(is_there, names)), "a name is not found"
    assert sorted(os.listdir(".")) == sorted(names), "the names differ"
    for name in removed:
        os.unlink(name)
    for name in added:  # more than there was room for
        os.link(kept[0], name)
    assert not any(map(is_there, removed)), "a removed name is found"
    assert all(map(is_there, kept + added)), "a name is not found any more"
    assert len(os.listdir(".")) == len(kept) + len(added), "the names differ afterwards"


main()
