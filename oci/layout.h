/* An OCI image layout: index.json and blobs/sha256/HEX, in a folder or in an archive.
 *
 * Names inside come from digests, never from the layout's own documents. Read only. */
#pragma once

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "members.h"

struct layout;

/* Errors: ERR_NOT_FOUND  no such folder, or it is no layout
 *         ERR_UNSUPPORTED  another layout version
 * Source: OCI image-spec image-layout.md */
MUST_CHECK bool layout_open(struct layout **out, const char *path, struct err *err);
MUST_CHECK bool layout_open_archive(struct layout **out, const char *path, struct err *err);
void layout_freep(struct layout **layout);

MUST_CHECK bool layout_index(struct layout *layout, struct bytes *out, struct err *err);
/* A whole small blob, verified; out's cap bounds it. */
MUST_CHECK bool layout_small_blob(struct layout *layout, const struct digest *digest,
				  struct bytes *out, struct err *err);
/* A blob opened for reading, not verified: either fd or stream is there, owned. */
MUST_CHECK bool layout_open_blob(struct layout *layout, const struct digest *digest, int *fd,
				 struct member_stream **stream, uint64_t *size_bytes,
				 struct err *err);
