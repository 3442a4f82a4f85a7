"""What the registries of these tests serve: an OCI layout, and ranges of its blobs."""

import json
import os
import re


class Layout:
    def __init__(self, folder):
        self.folder = folder
        self.blobs = {}
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
            self.tags = {entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"]
                         for entry in json.load(file)["manifests"]}

    def blob(self, digest):
        """Its bytes, or None."""
        if digest not in self.blobs:
            try:
                with open(os.path.join(self.folder, "blobs", *digest.split(":")), "rb") as file:
                    self.blobs[digest] = file.read()
            except (FileNotFoundError, IsADirectoryError, TypeError):
                return None
        return self.blobs[digest]

    def find(self, path):
        """The body and media type of what a URL's path names, or (None, "")."""
        match = re.fullmatch(r"(?:/v2/.+)?/(manifests|blobs)/([^/]+)", path)
        if not match:
            return None, ""
        name = self.tags.get(match[2], match[2])
        body = self.blob(name) if ":" in name else None
        if match[1] == "blobs" or body is None:
            return body, "application/octet-stream"
        return body, json.loads(body).get("mediaType", "")


def range_of(header, length):
    """The first and last byte that a Range header asks for, or None: all of them."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", header or "")
    if not match:
        return None
    last = min(int(match[2]), length - 1) if match[2] else length - 1
    return int(match[1]), last
