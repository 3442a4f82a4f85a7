/* A layer's blob becomes a stored layer: inflate → hash → tar → data and index.
 *
 * Four things overlap: whatever feeds the stream, inflating and hashing (a thread each), and
 * parsing and writing (the caller's thread). Memory does not grow with the bodies.
 * What a name means is decided here, once: whiteouts and opaque markers, clean paths, which xattrs
 * an image keeps. What the entries amount to is decided by merge.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/report.h"
#include "base/stream.h"
#include "memory.h"
#include "tar.h"

/* How much there is in layers. */
struct pack_amount {
	uint64_t entries;
	uint64_t body_bytes; /* sum of the logical sizes */
	uint64_t string_bytes; /* names, link targets, xattrs: what stays in memory … */
	uint64_t extents; /* … as do these */
};

/* The same of several layers, so that they stay below an image's caps while they are unpacked, not
 * only in the end. A layer that fails takes back what it has added. */
struct pack_sum {
	_Atomic uint64_t entries, body_bytes, string_bytes, extents;
};

struct pack_caps {
	struct pack_sum *sum; /* borrowed; NULL: the next two are for each layer by itself */
	uint64_t entries; /* for each, 256 of string_bytes (and 64 MiB) and 2 extents */
	uint64_t body_bytes;
	uint64_t ratio; /* of uncompressed to compressed bytes */
	uint64_t path_bytes; /* of one entry's clean path */
	struct tar_caps tar;
};
extern const struct pack_caps pack_caps_default;

/* Errors: ERR_UNSUPPORTED  so much is past a cap */
MUST_CHECK bool pack_check_caps(const struct pack_caps *caps, const struct pack_amount *amount,
				struct err *err);

/* source:   the compressed blob; read to its verified end
 * diff_id:  what the uncompressed stream must hash to
 * dir_fd:   an empty folder; the files "data" and "index" are made in it, synced. On failure what
 *           is there is rubbish that the caller removes.
 * memory:   shared with the layers that are unpacked at the same time
 * report:   notes on what was left out; REPORT_UNPACK counts compressed bytes
 * Errors: ERR_INTEGRITY    the blob or the diff_id differs
 *         ERR_FORMAT       broken compression or tar, named by entry
 *         ERR_UNSUPPORTED  past a cap, or nothing an image can hold
 *         ERR_SPACE, ERR_IO, and those of source */
MUST_CHECK bool layer_pack(struct stream *source, const struct digest *diff_id, int dir_fd,
			   const struct pack_caps *caps, struct memory *memory,
			   struct report *report, struct err *err);
