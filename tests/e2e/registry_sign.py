#!/usr/bin/env python3
"""Signs an image of an OCI layout as cosign does, with openssl.

usage: registry_sign.py LAYOUT TAG KEY REFERENCE [digest=DIGEST] [referrer|bundle]
  KEY        a private key in PEM form
  REFERENCE  the name that the signature speaks for
  digest     what it says it signs, instead of what it is put at
  referrer   as a referrer of the image instead of the tag sha256-HEX.sig
  bundle     a sigstore bundle, also as a referrer
"""

import base64
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # so that the import leaves nothing beside the sources
from registry_image import put_blob, put_json

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"


def sign(key, payload):
    with tempfile.NamedTemporaryFile() as file:
        file.write(payload)
        file.flush()
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, file.name],
                              check=True, capture_output=True).stdout


def manifest_of(layout, key, reference, digest, claimed):
    payload = json.dumps({"critical": {
        "identity": {"docker-reference": reference},
        "image": {"docker-manifest-digest": claimed},
        "type": "cosign container image signature"}, "optional": None}).encode()
    config, config_size = put_json(layout, {})
    return {"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                       "digest": config, "size": config_size},
            "layers": [{"mediaType": PAYLOAD, "digest": put_blob(layout, payload),
                        "size": len(payload), "annotations": {
                            "dev.cosignproject.cosign/signature":
                                base64.b64encode(sign(key, payload)).decode()}}],
            "subject": {"mediaType": MANIFEST, "digest": digest, "size": 1}}


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    layout, tag, key, reference = sys.argv[1:5]
    index_path = os.path.join(layout, "index.json")
    with open(index_path, encoding="utf-8") as file:
        index = json.load(file)
    digest = next(entry["digest"] for entry in index["manifests"]
                  if entry["annotations"]["org.opencontainers.image.ref.name"] == tag)
    claimed = next((word[len("digest="):] for word in sys.argv[5:] if word.startswith("digest=")),
                   digest)
    manifest = manifest_of(layout, key, reference, digest, claimed)
    name = digest.replace(":", "-") + ".sig"
    if "bundle" in sys.argv[5:]:
        name, manifest["artifactType"] = "bundle", "application/vnd.dev.sigstore.bundle.v0.3+json"
    elif "referrer" in sys.argv[5:]:
        name = "referrer"
        manifest["artifactType"] = "application/vnd.dev.cosign.artifact.sig.v1+json"
    signature, size = put_json(layout, manifest)
    index["manifests"].append({
        "mediaType": MANIFEST, "digest": signature, "size": size,
        "annotations": {"org.opencontainers.image.ref.name": name}})
    with open(index_path, "w", encoding="utf-8") as file:
        json.dump(index, file)


if __name__ == "__main__":
    main()
