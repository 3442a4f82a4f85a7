#!/usr/bin/env python3
"""Adds an image of one uncompressed layer with one large file to an OCI layout.

usage: registry_image.py LAYOUT TAG MEGABYTES [url=URL] [data]      the same bytes every time
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


def layer_of(megabytes):
    content = random.Random(megabytes).randbytes(megabytes << 20)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("large")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return tar.getvalue()


def put_json(layout, document):
    body = json.dumps(document).encode()
    return put_blob(layout, body), len(body)


def image_of(layout, layer, extras):
    digest = put_blob(layout, layer)
    config, config_size = put_json(layout, {
        "os": "linux", "architecture": ARCHITECTURE, "config": {"Entrypoint": ["/large"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]}})
    descriptor = {"mediaType": "application/vnd.oci.image.layer.v1.tar",
                  "digest": digest, "size": len(layer)}
    for extra in extras:
        if extra.startswith("url="):
            descriptor["urls"] = [extra[len("url="):]]
        if extra == "data":
            descriptor["data"] = base64.b64encode(layer).decode()
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
    digest, size = image_of(layout, layer_of(int(megabytes)), sys.argv[4:])
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
