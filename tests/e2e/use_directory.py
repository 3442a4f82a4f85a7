#!/usr/bin/env python3
"""Uses a mounted directory as a machine would: looks every name up, removes, adds.

usage: use_directory.py FOLDER COUNT      its names are file-0000000.txt and so on
"""
import os
import sys


def is_there(name):
    try:
        os.stat(name)
    except FileNotFoundError:
        return False
    return True


def main():
    os.chdir(sys.argv[1])
    names = [f"file-{i:07}.txt" for i in range(int(sys.argv[2]))]
    removed, kept = names[::3], [name for i, name in enumerate(names) if i % 3]
    added = [f"added-{i}" for i in range(len(names) // 2)]

    assert all(map(is_there, names)), "a name is not found"
    assert sorted(os.listdir(".")) == names, "the names differ"
    for name in removed:
        os.unlink(name)
    for name in added:  # more than there was room for
        os.link(kept[0], name)
    assert not any(map(is_there, removed)), "a removed name is found"
    assert all(map(is_there, kept + added)), "a name is not found any more"


main()
