/* Outer archives and single compressed files, by libarchive: its only user in the house.
 *
 * For what other tools wrap: compressed kernels and modules (.gz .xz .zst .lz4), .deb, driver
 * archives, and the cpio of an initrd. Never layer tars, which layers/ reads itself (DESIGN.md §8).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"
#include "err.h"

/* The content of one file, decompressed if its magic says that it is compressed (nested filters
 * too), else as it is; appended to out, at most out's cap (beyond: ERR_UNSUPPORTED).
 * Errors: ERR_NOT_FOUND, ERR_FORMAT (broken compression), ERR_IO */
MUST_CHECK bool archive_slurp(struct bytes *out, const char *path, struct err *err);

/* A cpio archive (newc, as the kernel's initramfs wants it), the same bytes for the same calls:
 * mtime 0, ids 0, inode numbers in order of the calls. */
struct cpio;
MUST_CHECK bool cpio_open(struct cpio **out, int fd, struct err *err);
MUST_CHECK bool cpio_add_dir(struct cpio *cpio, const char *path, mode_t mode, struct err *err);
MUST_CHECK bool cpio_add_file(struct cpio *cpio, const char *path, mode_t mode, struct view content,
			      struct err *err);
MUST_CHECK bool cpio_add_symlink(struct cpio *cpio, const char *path, const char *target,
				 struct err *err);
MUST_CHECK bool cpio_add_device(struct cpio *cpio, const char *path, mode_t mode, dev_t device,
				struct err *err); /* S_IFCHR or S_IFBLK in mode */
MUST_CHECK bool cpio_finish(struct cpio *cpio, struct err *err); /* writes the trailer */
void cpio_freep(struct cpio **cpio);
