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

/* The same for bytes at hand, as they lie inside another file: gzip, bzip2, xz, lzma, lz4 (the
 * kernel's legacy form too) or zstd. name is for the sentence only. */
MUST_CHECK bool archive_unpack(struct bytes *out, struct view packed, const char *name,
			       struct err *err);

/* The members of an archive, read once, front to back: tar, ar (.deb) or cpio, compressed or not;
 * what is passed over in one that is not compressed is not read. */
struct archive_reader;
/* Is it a tar, plain or packed, by its first bytes? head: 262 of them, or as many as there are */
bool archive_knows(struct view head);
enum archive_kind { ARCHIVE_FILE, ARCHIVE_SYMLINK, ARCHIVE_HARD_LINK, ARCHIVE_OTHER };
struct archive_member {
	const char *name; /* as it stands there; borrowed until the next member, like target */
	enum archive_kind kind;
	const char *target; /* of a link; "" for others */
	uint64_t size_bytes; /* of a file */
	uint32_t mode; /* 07777, without the type */
};
/* Errors: ERR_NOT_FOUND, ERR_USAGE (not a regular file), ERR_FORMAT */
MUST_CHECK bool archive_reader_open(struct archive_reader **out, const char *path,
				    struct err *err);
/* The same for an archive that starts inside a file and ends with it. */
MUST_CHECK bool archive_reader_open_at(struct archive_reader **out, const char *path,
				       uint64_t offset, struct err *err);
/* The archive that the current member of outer is (data.tar.xz in a .deb). outer and name, for
 * sentences, are borrowed; outer is not to be touched until this reader is freed. */
MUST_CHECK bool archive_reader_open_member(struct archive_reader **out,
					   struct archive_reader *outer, const char *name,
					   struct err *err);
void archive_reader_freep(struct archive_reader **reader);
/* The next member; *is_end instead when there is none. */
MUST_CHECK bool archive_reader_next(struct archive_reader *reader, struct archive_member *out,
				    bool *is_end, struct err *err);
/* Its content: *len is 0 only at the end. */
MUST_CHECK bool archive_reader_read(struct archive_reader *reader, void *buffer, size_t capacity,
				    size_t *len, struct err *err);

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
