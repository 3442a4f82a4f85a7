#!/usr/bin/env python3
"""Compares what vmbake made of an image with what umoci makes of it, entry by entry.

usage: compare_trees.py [--contents-only] UMOCI_TREE VMBAKE_TREE

Prints each difference and fails if there is one. --contents-only compares what a tree keeps that
was copied out without root: kinds, sizes, contents and link targets.

Known and allowed: what vmbake adds (its own folder, lost+found, the mount points a guest needs, and
empty files for init to cover where the image has none), the time of a folder that umoci changed
after its tar entry, or made up (vmbake keeps what the tar said), and the time of a root that no
layer speaks of, where umoci takes 1970 and vmbake the image's time.
"""

import hashlib
import os
import stat
import sys
import time

ADDED = {b".vmbake", b"lost+found"}
MOUNT_POINTS = {b"dev", b"proc", b"run", b"sys", b"tmp", b"etc"}
COVERED_FILES = {b"etc/hostname", b"etc/hosts", b"etc/resolv.conf"}
RECENTLY_NS = 3600 * 10**9

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink", stat.S_IFCHR: "char",
         stat.S_IFBLK: "block", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


def content_of(path, kind, size):
    if kind == "symlink":
        return os.readlink(path)
    if kind != "file" or size == 0:
        return b""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def describe(path, contents_only):
    info = os.lstat(path)
    kind = KINDS[stat.S_IFMT(info.st_mode)]
    facts = {"kind": kind, "content": content_of(path, kind, info.st_size)}
    if kind != "dir":
        facts["size"] = info.st_size
    if contents_only:
        return facts
    facts.update(mode="%o" % stat.S_IMODE(info.st_mode), uid=info.st_uid, gid=info.st_gid,
                 mtime_ns=info.st_mtime_ns)
    if kind != "dir":
        facts["links"] = info.st_nlink
    if kind in ("char", "block"):
        facts["device"] = (os.major(info.st_rdev), os.minor(info.st_rdev))
    facts["xattrs"] = {name: os.getxattr(path, name, follow_symlinks=False)
                       for name in os.listxattr(path, follow_symlinks=False)}
    return facts


def read_tree(root, contents_only):
    """{relative path: facts} and the groups of names that share an inode."""
    tree, names_of = {}, {}
    for folder, dirs, files in os.walk(root):
        for name in [b"."] * (folder == root) + dirs + files:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            tree[relative] = describe(path, contents_only)
            if not contents_only and tree[relative]["kind"] != "dir":
                names_of.setdefault(os.lstat(path).st_ino, []).append(relative)
    for names in names_of.values():
        for name in names:
            tree[name]["names"] = sorted(names)
    return tree


def is_added(path, ours):
    """May vmbake have added this, which the image does not have?"""
    facts = ours[path]
    return (path in MOUNT_POINTS and facts["kind"] == "dir"
            or path in COVERED_FILES and facts["kind"] == "file" and facts["size"] == 0)


def is_made_up(path, fact, wanted, kind, start_ns):
    """A time that umoci took from the clock, or 1970 for a root that no layer speaks of."""
    if fact != "mtime_ns" or kind != "dir":
        return False
    return wanted > start_ns or (path == b"." and wanted == 0)


def differences(theirs, ours):
    start_ns = time.time_ns() - RECENTLY_NS
    for path in sorted(theirs.keys() | ours.keys()):
        if path.split(b"/")[0] in ADDED:
            continue
        if path not in ours:
            yield path, "is missing"
        elif path not in theirs:
            if not is_added(path, ours):
                yield path, "should not be there"
        else:
            for fact, wanted in theirs[path].items():
                if is_made_up(path, fact, wanted, theirs[path]["kind"], start_ns):
                    continue
                if ours[path].get(fact) != wanted:
                    yield path, "%s is %r, not %r" % (fact, ours[path].get(fact), wanted)


def main():
    contents_only = sys.argv[1:2] == ["--contents-only"]
    roots = sys.argv[2:] if contents_only else sys.argv[1:]
    if len(roots) != 2:
        sys.exit(__doc__)
    theirs, ours = (read_tree(os.fsencode(root), contents_only) for root in roots)
    found = list(differences(theirs, ours))
    for path, what in found:
        print("%s: %s" % (os.fsdecode(path).encode("utf-8", "backslashreplace").decode(), what))
    print("%d entries compared, %d differences" % (len(theirs), len(found)))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
