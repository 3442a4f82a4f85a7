/* What `docker save` and skopeo's docker-archive: write: manifest.json, configs, layer tars; also
 * what docker wrote before 2016 (docker_legacy.h).
 *
 * There is no manifest to take a digest of: the image is known by its config's digest. Layers are
 * known by their diff_ids, or by their own digest where the member's name holds it.
 */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "image.h"
#include "members.h"

struct docker_archive;

/* Errors: ERR_NOT_FOUND  no such file
 *         ERR_FORMAT     no docker archive */
MUST_CHECK bool docker_archive_open(struct docker_archive **out, const char *path, struct err *err);
void docker_archive_freep(struct docker_archive **archive);

/* The image under a tag ("busybox:1", in any spelling), or the only one for "".
 * Errors: ERR_NOT_FOUND  no such tag; those that are there are listed
 *         ERR_USAGE      several images and no tag */
MUST_CHECK bool docker_archive_image(struct docker_archive *archive, const char *tag,
				     struct image *out, struct err *err);
/* A layer of the image that docker_archive_image gave last. */
MUST_CHECK bool docker_archive_layer(struct docker_archive *archive, const struct digest *digest,
				     struct member_stream **out, uint64_t *size_bytes,
				     struct err *err);
