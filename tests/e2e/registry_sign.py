#!/usr/bin/env python3
"""Signs an image of an OCI layout as cosign does, with openssl: payload, config and manifest have
cosign's form, byte for byte as far as it is fixed (specs/SIGNATURE_SPEC.md there).

usage: registry_sign.py LAYOUT TAG KEY REFERENCE [digest=DIGEST] [referrer|tagged|bundle]
  KEY        a private key in PEM form
  REFERENCE  the name that the signature speaks for
  digest     what it says it signs, instead of what it is put at
  referrer   as a referrer of the image instead of the tag sha256-HEX.sig
  tagged     the same, for a registry that does not list referrers: under the tag sha256-HEX
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
INDEX = "application/vnd.oci.image.index.v1+json"
PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"


def sign(key, payload):
    with tempfile.NamedTemporaryFile() as file:
        file.write(payload)
        file.flush()
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, file.name],
                              check=True, capture_output=True).stdout


def manifest_of(layout, key, reference, claimed):
    payload = json.dumps({"critical": {
        "identity": {"docker-reference": reference},
        "image": {"docker-manifest-digest": claimed},
        "type": "cosign container image signature"}, "optional": None},
        separators=(",", ":")).encode()
    digest, never = put_blob(layout, payload), "0001-01-01T00:00:00Z"
    config, config_size = put_json(layout, {
        "architecture": "", "created": never, "history": [{"created": never}], "os": "",
        "rootfs": {"type": "layers", "diff_ids": [digest]}, "config": {}})
    return {"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                       "size": config_size, "digest": config},
            "layers": [{"mediaType": PAYLOAD, "size": len(payload), "digest": digest,
                        "annotations": {
                            "dev.cosignproject.cosign/signature":
                                base64.b64encode(sign(key, payload)).decode()}}]}


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
    manifest = manifest_of(layout, key, reference, claimed)
    if len(sys.argv) > 5 and sys.argv[-1] in ("referrer", "tagged", "bundle"):
        manifest["subject"] = {"mediaType": MANIFEST, "digest": digest, "size": 1}
    name = digest.replace(":", "-") + ".sig"
    if "bundle" in sys.argv[5:]:
        name, manifest["artifactType"] = "bundle", "application/vnd.dev.sigstore.bundle.v0.3+json"
    elif "referrer" in sys.argv[5:] or "tagged" in sys.argv[5:]:
        name = "referrer"
        manifest["artifactType"] = "application/vnd.dev.cosign.artifact.sig.v1+json"
    signature, size = put_json(layout, manifest)
    entry = {"mediaType": MANIFEST, "digest": signature, "size": size,
             "annotations": {"org.opencontainers.image.ref.name": name}}
    index["manifests"].append(entry)
    if "tagged" in sys.argv[5:]:
        entry["annotations"]["org.opencontainers.image.ref.name"] = "signature"
        listed = {"mediaType": MANIFEST, "digest": signature, "size": size,
                  "artifactType": manifest["artifactType"]}
        listing, size = put_json(layout, {"schemaVersion": 2, "mediaType": INDEX,
                                          "manifests": [listed]})
        index["manifests"].append({
            "mediaType": INDEX, "digest": listing, "size": size,
            "annotations": {"org.opencontainers.image.ref.name": digest.replace(":", "-")}})
    with open(index_path, "w", encoding="utf-8") as file:
        json.dump(index, file)


if __name__ == "__main__":
    main()
