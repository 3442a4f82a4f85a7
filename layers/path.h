/* Names from archives, made safe once, at the door.
 *
 * Behind path_clean every name is relative to the image's root and has no empty, "." or ".."
 * component, so the rest of layers/ never meets one. Names are bytes: no locale, no UTF-8.
 * Pure: no I/O, no allocation.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum {
	PATH_BYTES_MAX = 4096, /* with the final NUL, as Linux's PATH_MAX */
	NAME_BYTES_MAX = 255, /* ext4: EXT4_NAME_LEN */
};

/* Bring an entry's name into its one clean form: "./a//b/../c/" becomes "a/c", "/" becomes "".
 * out:    PATH_BYTES_MAX bytes; NUL-terminated on success, untouched on failure
 * raw:    raw_len bytes as they stand in the archive; need not end in NUL
 * ".." at the root stays at the root, as in a kernel's path walk.
 * Errors: ERR_FORMAT       a NUL inside the name
 *         ERR_UNSUPPORTED  a component over NAME_BYTES_MAX, or a result over PATH_BYTES_MAX - 1
 * Source: containerd pkg/archive (filepath.Clean of the header name), POSIX path resolution */
MUST_CHECK bool path_clean(char *out, const char *raw, size_t raw_len, struct err *err);
