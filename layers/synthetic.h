/* A layer that vmbake makes itself: entries and their bodies, put together in memory, that merge
 * and fs/ cannot tell from one that came out of a tar.
 *
 * Bodies are either new bytes (they lie in a file in memory that the layer owns) or those of a
 * stored layer (borrowed data: cloned into the image, never copied before); one layer has only one
 * of both, since an index speaks of one data file.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "body.h"
#include "index.h"

struct synthetic_layer {
	struct index index; /* in index_bytes; as if it came from a stored layer */
	struct bytes index_bytes; /* owned */
	int data_fd; /* the bodies */
	bool owns_data; /* data_fd is a file in memory of its own */
};
#define SYNTHETIC_LAYER_NONE (struct synthetic_layer){ .data_fd = -1 }
void synthetic_layer_freep(struct synthetic_layer *layer);

struct synthetic {
	struct index_builder *index; /* owned, as are the next two */
	struct body_writer *bodies; /* NULL over a stored layer */
	int data_fd;
	const struct index *stored; /* borrowed; NULL with bodies of its own */
	int stored_fd; /* borrowed */
	int64_t time_seconds; /* mtime of every entry */
};
#define SYNTHETIC_NONE (struct synthetic){ .data_fd = -1, .stored_fd = -1 }
void synthetic_freep(struct synthetic *synthetic);

/* New bodies. */
MUST_CHECK bool synthetic_start(struct synthetic *out, int64_t time_seconds, struct err *err);
/* Bodies of a stored layer; index and data_fd must outlive what is made. */
MUST_CHECK bool synthetic_start_over(struct synthetic *out, const struct index *index, int data_fd,
				     int64_t time_seconds, struct err *err);

/* Paths are clean (layers/path.h); everything belongs to root. */
MUST_CHECK bool synthetic_add_dir(struct synthetic *synthetic, const char *path, uint32_t mode,
				  struct err *err);
MUST_CHECK bool synthetic_add_symlink(struct synthetic *synthetic, const char *path,
				      const char *target, struct err *err);
/* Removes what lower layers have under that path. */
MUST_CHECK bool synthetic_add_whiteout(struct synthetic *synthetic, const char *path,
				       struct err *err);
/* After synthetic_start. */
MUST_CHECK bool synthetic_add_file(struct synthetic *synthetic, const char *path, uint32_t mode,
				   struct view content, struct err *err);
/* After synthetic_start_over: a file of the stored layer, under another path. */
MUST_CHECK bool synthetic_add_stored(struct synthetic *synthetic, const char *path, uint32_t mode,
				     const struct index_entry *entry, struct err *err);

/* The synthetic is not to be used further. */
MUST_CHECK bool synthetic_finish(struct synthetic_layer *out, struct synthetic *synthetic,
				 struct err *err);
