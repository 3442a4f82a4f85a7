/* Manifests and indexes, OCI's and Docker's alike: JSON that was verified already becomes structs.
 *
 * What a document is, its own structure says; the Content-Type it came with does not count, since
 * it is not covered by any digest. Pure: no I/O.
 */
#pragma once

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "image.h"
#include "platform.h"

enum {
	MANIFEST_BYTES_MAX = 4 << 20, /* what registries take, distribution spec "pushing" */
	CONFIG_BYTES_MAX = 8 << 20,
	LAYER_COUNT_MAX = 512,
	URL_COUNT_MAX = 16, /* of one foreign layer */
	INDEX_ENTRY_COUNT_MAX = 4096,
};

/* Comma-separated, for the Accept header. */
extern const char manifest_media_types[];

struct descriptor {
	struct digest digest;
	uint64_t size_bytes;
	bool is_index;
	bool has_platform;
	struct platform platform;
	char name[256]; /* annotation org.opencontainers.image.ref.name, "" when none */
};

struct index {
	struct descriptor *entries; /* entries[count], in document order; owned */
	size_t count;
};

struct manifest {
	struct digest config_digest;
	uint64_t config_size_bytes;
	struct layer *layers; /* layers[layer_count], lowest first, without diff_ids; owned */
	size_t layer_count;
};

/* Exactly one of both is filled. */
struct document {
	bool is_index;
	struct index index;
	struct manifest manifest;
};

/* Entries that are no images (attestations, artifacts, other media types) are left out.
 * Errors: ERR_FORMAT       malformed, or index and manifest at once
 *         ERR_UNSUPPORTED  schema 1; a config or layer that is no container image's; over a cap
 * Source: OCI image-spec manifest.md, image-index.md; Docker image manifest v2 schema 2 */
MUST_CHECK bool document_parse(struct document *out, struct view text, struct err *err);
void document_freep(struct document *document);
void layers_free(struct layer *layers, size_t count);

/* The entries of the index that may hold an image for that platform, best first, as indexes into
 * entries: manifests for exactly it, manifests that fit, nested indexes, and manifests that do
 * not say. Returns the count; order has room for index->count. */
size_t index_candidates(const struct index *index, const struct platform *want, size_t *order);

/* "linux/amd64, linux/arm64/v8": what the entries say they are, for a sentence; cut with "…". */
void index_list_platforms(const struct index *index, char *out, size_t out_size);
