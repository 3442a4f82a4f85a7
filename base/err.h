/* Errors: one sentence that grows outwards.
 *
 * The one who knows the fact sets it, each caller prefixes what it alone knows, and main prints
 * the result once. The value lives on the caller's stack: nothing to allocate, nothing to free.
 * A fallible function returns bool, is MUST_CHECK, and takes struct err last; on success err is
 * untouched, on failure every output is. Control characters, whoever they come from, become '?'.
 */
#pragma once

#include <stdbool.h>

#include "banned.h"

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(string, first) __attribute__((format(printf, string, first)))

/* What went wrong, as the caller of vmbake may act on it; exit codes map from it one to one. */
enum err_kind {
	ERR_NONE,
	ERR_USAGE,
	ERR_NOT_FOUND,
	ERR_AUTH,
	ERR_NETWORK,
	ERR_INTEGRITY, /* a digest, size or checksum differs from what was promised */
	ERR_UNSUPPORTED,
	ERR_FORMAT, /* malformed foreign bytes */
	ERR_SPACE,
	ERR_MISMATCH, /* driver, kernel, image and GPU do not fit together */
	ERR_BUSY,
	ERR_IO, /* the host failed us; os_errno says how */
	ERR_INTERNAL, /* our own mistake */
	ERR_KIND_COUNT,
};

struct err {
	enum err_kind kind;
	int os_errno; /* 0 unless err_os set it */
	char msg[512]; /* one sentence, lower case, no full stop */
};

/* Set the fact. Returns false, so that a function can end in `return err_set(…)`. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF(3, 4);

/* Set ERR_IO (ERR_SPACE for ENOSPC and EDQUOT) from errno, as in "open /x: Permission denied".
 * Returns false. */
bool err_os(struct err *err, const char *format, ...) PRINTF(2, 3);

/* As err_os, but a path that does not exist (ENOENT, ENOTDIR) is ERR_NOT_FOUND: for files that
 * the user named. Returns false. */
bool err_os_path(struct err *err, const char *format, ...) PRINTF(2, 3);

/* Out of memory while doing what. Returns false. */
bool err_memory(struct err *err, const char *what);

/* Put "prefix: " before the sentence. Where both do not fit, the prefix is dropped, never the
 * cause. Returns false. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF(2, 3);

/* The process's exit code for a kind (DESIGN.md §6; 0 for ERR_NONE) and its name in --json. */
int err_exit_code(enum err_kind kind);
const char *err_kind_name(enum err_kind kind);
