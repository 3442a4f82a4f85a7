/* The tar format, read once front to back: headers become entries, bodies are handed on in place.
 *
 * Our own because layer tars must come out exactly (DESIGN.md §8 lists what libarchive loses). Go's
 * archive/tar, which wrote most layers there are, is the reference: v7, ustar, GNU (long names,
 * sparse, base-256), PAX (local, global, GNU sparse 0.0, 0.1, 1.0), star. Knows nothing of
 * whiteouts, of what a path means, or of files: names come out as bytes, as they stand.
 * Foreign bytes: every length is checked, every size capped.
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "input.h"
#include "tar_caps.h"
#include "tar_entry.h"

struct tar_reader;
MUST_CHECK bool tar_open(struct tar_reader **out, struct input *input, const struct tar_caps *caps,
			 struct err *err);
void tar_freep(struct tar_reader **reader);

/* The next entry; *is_end instead when the archive ends (two zero blocks, one, or plain end of
 * stream on a block boundary). What is left of the body before is skipped. Entries of unknown type
 * are skipped or taken as files as POSIX says (pax, "typeflag"); volume headers and the like are
 * skipped.
 * Errors: ERR_FORMAT       a broken header, named by entry where it has a name; a truncation
 *         ERR_UNSUPPORTED  past a cap, an id over 2^32-1, a device number that Linux cannot hold,
 *                          a multi-volume archive */
MUST_CHECK bool tar_next(struct tar_reader *reader, struct tar_entry *out, bool *is_end,
			 struct err *err);

/* The next piece of the current entry's stored body, in place; empty when there is no more.
 * Borrowed until the next call. */
MUST_CHECK bool tar_body(struct tar_reader *reader, struct view *piece, struct err *err);
