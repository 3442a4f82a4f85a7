#!/usr/bin/env python3
"""Adds an image of extreme layers to an OCI layout, tagged with its name.

usage: layers_image.py FOLDER deep|sparse|bomb|wide|wide-zstd|windows|folders|many
"""

import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "fixtures"))
from oci_layout import Layer, Layout  # noqa: E402

BLOCK = 512
SPARSE_BYTES = 150 << 30
BOMB_BYTES = 2 << 30


def deep(layout):
    """More layers than overlay can stack; some empty, one many times."""
    again = layout.layer(Layer().file("again", b"again\n").bytes())
    empty = layout.layer(Layer().bytes())
    layers = []
    for number in range(70):
        layer = Layer().dir(".").file("last", b"%d\n" % number).file("f%d" % number)
        if number:
            layer.remove("f%d" % (number - 1))
        layers += [layout.layer(layer.bytes()), again, empty]
    return layers


def sparse(layout):
    """One file of 150 GiB with data at both ends, in GNU's PAX form 1.0."""
    ends = [(0, b"start"), (SPARSE_BYTES - 3, b"end")]
    numbers = [len(ends)] + [number for at, text in ends for number in (at, len(text))]
    sparse_map = "".join("%d\n" % number for number in numbers).encode()
    body = sparse_map.ljust(BLOCK, b"\0") + b"".join(text for _, text in ends)
    entry = tarfile.TarInfo("GNUSparseFile.0/large")
    entry.size = len(body)
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                         "GNU.sparse.name": "large", "GNU.sparse.realsize": str(SPARSE_BYTES)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry, io.BytesIO(body))
    return [layout.layer(buffer.getvalue())]


class Zeros(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, buffer):
        buffer[:] = bytes(len(buffer))
        return len(buffer)


class Hashing:
    """Compresses what is written, and hashes it too."""

    def __init__(self, raw):
        self.hash = hashlib.sha256()
        self.zip = gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0)

    def write(self, data):
        self.hash.update(data)
        return self.zip.write(data)


def bomb(layout):
    """2 GiB of zeros in a few MB."""
    blob = io.BytesIO()
    sink = Hashing(blob)
    entry = tarfile.TarInfo("zeros")
    entry.size = BOMB_BYTES
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(entry, Zeros())
    sink.zip.close()
    descriptor = layout.blob(blob.getvalue(), "layer.v1.tar+gzip")
    return [(descriptor, "sha256:" + sink.hash.hexdigest())]


def wide(layout, compression="none", layer_count=40):
    """Layers that are each larger than all buffers of one."""
    numbers = random.Random(7)
    return [layout.layer(Layer().file("f%d" % number, numbers.randbytes(6 << 20)).bytes(),
                         compression)
            for number in range(layer_count)]


def wide_zstd(layout):
    return wide(layout, "zstd")


def windows(layout):
    """Two layers whose zstd windows are 32 MiB each."""
    layers = []
    for number in range(2):
        tar = Layer().file("w%d" % number, random.Random(number).randbytes(40 << 20)).bytes()
        blob = subprocess.run(["zstd", "-q", "-c", "--long=25"], input=tar,
                              stdout=subprocess.PIPE, check=True).stdout
        layers.append(layout.layer(tar, "zstd", blob))
    return layers


def folders(layout):
    """One entry, and a thousand folders that no entry describes."""
    return [layout.layer(Layer().file("d/" * 1000 + "f", b"x").bytes())]


def many(layout):
    """Layers that are small each: 1,000 files of 4 KiB together."""
    layers = []
    for number in range(10):
        layer = Layer()
        for file in range(100):
            layer.file("%d/%d" % (number, file), b"x" * 4096)
        layers.append(layout.layer(layer.bytes()))
    return layers


IMAGES = {"deep": deep, "sparse": sparse, "bomb": bomb, "wide": wide, "wide-zstd": wide_zstd,
          "windows": windows, "folders": folders, "many": many}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in IMAGES:
        sys.exit(__doc__)
    layout = Layout(sys.argv[1])
    layout.tag(layout.manifest(IMAGES[sys.argv[2]](layout), {"Cmd": ["/none"]}), sys.argv[2])


if __name__ == "__main__":
    main()
