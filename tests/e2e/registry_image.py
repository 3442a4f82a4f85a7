#!/usr/bin/env python3
"""Adds an image of one uncompressed layer with one large file to an OCI layout.

usage: registry_image.py LAYOUT TAG MEGABYTES [url=URL...] [data]      the same bytes every time
  url=URL   the layer is foreign, to be had from there too
  data      the layer's bytes stand in the manifest
"""

import base64
import hashlib
import io
import json
import os
import random
import sys
import tarfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def put_blob(layout, body):
    digest = hashlib.sha256(body).hexdigest()
    with open(os.path.join(layout, "blobs", "sha256", digest), "wb") as file:
        file.write(body)
    return "sha256:" + digest


class Noise(io.RawIOBase):
    """Bytes that do not compress, the same for the same seed; a gigabyte takes no memory."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)

    def read(self, size=-1):
        return self.random.randbytes(size)


def put_layer(layout, megabytes):
    """Its digest and size."""
    path = os.path.join(layout, "blobs", "sha256", "new")
    with tarfile.open(path, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("large")
        entry.size = megabytes << 20
        archive.addfile(entry, Noise(megabytes))
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    os.rename(path, os.path.join(layout, "blobs", "sha256", digest))
    return "sha256:" + digest, os.path.getsize(os.path.join(layout, "blobs", "sha256", digest))


def put_json(layout, document):
    body = json.dumps(document).encode()
    return put_blob(layout, body), len(body)


def image_of(layout, megabytes, extras):
    digest, layer_size = put_layer(layout, megabytes)
    config, config_size = put_json(layout, {
        "os": "linux", "architecture": ARCHITECTURE, "config": {"Entrypoint": ["/large"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]}})
    descriptor = {"mediaType": "application/vnd.oci.image.layer.v1.tar",
                  "digest": digest, "size": layer_size}
    for extra in extras:
        if extra.startswith("url="):
            descriptor.setdefault("urls", []).append(extra[len("url="):])
        if extra == "data":
            with open(os.path.join(layout, "blobs", *digest.split(":")), "rb") as file:
                descriptor["data"] = base64.b64encode(file.read()).decode()
    return put_json(layout, {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                   "digest": config, "size": config_size},
        "layers": [descriptor]})


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    layout, tag, megabytes = sys.argv[1:4]
    os.makedirs(os.path.join(layout, "blobs", "sha256"), exist_ok=True)
    index_path = os.path.join(layout, "index.json")
    index = {"schemaVersion": 2, "manifests": []}
    if os.path.exists(index_path):
        with open(index_path, encoding="utf-8") as file:
            index = json.load(file)
    digest, size = image_of(layout, int(megabytes), sys.argv[4:])
    index["manifests"].append({
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
        "platform": {"os": "linux", "architecture": ARCHITECTURE},
        "annotations": {"org.opencontainers.image.ref.name": tag}})
    with open(index_path, "w", encoding="utf-8") as file:
        json.dump(index, file)
    with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')


if __name__ == "__main__":
    main()
