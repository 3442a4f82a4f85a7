#!/usr/bin/env python3
"""An OCI layout whose one layer holds many files, evenly in some directories.

usage: make_many.py FOLDER FILES DIRECTORIES [BODY_BYTES]
"""
import hashlib
import json
import os
import sys


def header(name, kind, size):
    """A ustar header."""
    fields = bytearray(512)
    fields[0 : len(name)] = name
    fields[100:108] = b"0000755\0" if kind == b"5" else b"0000644\0"
    fields[108:124] = b"0000000\0" * 2
    fields[124:136] = b"%011o\0" % size
    fields[136:148] = b"%011o\0" % 1234567890
    fields[148:156] = b" " * 8
    fields[156:157] = kind
    fields[257:265] = b"ustar\x0000"
    fields[148:156] = b"%06o\0 " % sum(fields)
    return bytes(fields)


def members(files, directories, body_bytes):
    """The tar, piece by piece."""
    for directory in range(directories):
        yield header(b"d%06d/" % directory, b"5", 0)
        for number in range(files // directories):
            body = (b"%d in %d\n" % (number, directory)).ljust(body_bytes, b".")[:body_bytes]
            yield header(b"d%06d/file-%07d.txt" % (directory, number), b"0", body_bytes)
            yield body + bytes(-body_bytes % 512)
    yield bytes(1024)


def add_layer(blobs, pieces):
    """Returns digest and size; a plain tar, so its digest is its diff_id."""
    digest, size = hashlib.sha256(), 0
    with open(f"{blobs}/layer", "wb", 1 << 20) as tar:
        for piece in pieces:
            tar.write(piece)
            digest.update(piece)
            size += len(piece)
    os.rename(f"{blobs}/layer", f"{blobs}/{digest.hexdigest()}")
    return {"digest": f"sha256:{digest.hexdigest()}", "size": size}


def add_json(blobs, value):
    text = json.dumps(value).encode()
    digest = hashlib.sha256(text).hexdigest()
    with open(f"{blobs}/{digest}", "wb") as blob:
        blob.write(text)
    return {"digest": f"sha256:{digest}", "size": len(text)}


def main():
    folder, files, directories = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    body_bytes = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    media, blobs = "application/vnd.oci.image", f"{folder}/blobs/sha256"
    os.makedirs(blobs)
    layer = add_layer(blobs, members(files, directories, body_bytes))
    config = add_json(blobs, {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    })
    manifest = add_json(blobs, {
        "schemaVersion": 2,
        "mediaType": f"{media}.manifest.v1+json",
        "config": {"mediaType": f"{media}.config.v1+json", **config},
        "layers": [{"mediaType": f"{media}.layer.v1.tar", **layer}],
    })
    manifest["mediaType"] = f"{media}.manifest.v1+json"
    with open(f"{folder}/index.json", "w", encoding="ascii") as index:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, index)
    with open(f"{folder}/oci-layout", "w", encoding="ascii") as marker:
        json.dump({"imageLayoutVersion": "1.0.0"}, marker)


main()
