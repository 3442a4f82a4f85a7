/* Files and folders of the host: whole reads and writes, maps, locks, and new files that appear
 * under their name only when they are whole.
 *
 * Every path may be absolute or relative to dir_fd (AT_FDCWD: the current folder). All descriptors
 * are O_CLOEXEC. EINTR and short transfers are handled here and nowhere else.
 */
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "bytes.h"
#include "cleanup.h"
#include "err.h"

/* openat. A path that does not exist is ERR_NOT_FOUND, all else ERR_IO. */
MUST_CHECK bool file_open(int *out, int dir_fd, const char *path, int flags, struct err *err);

/* All len bytes or an error; name is for the sentence only. A file that ends early is ERR_IO. */
MUST_CHECK bool file_write(int fd, const void *data, size_t len, const char *name, struct err *err);
MUST_CHECK bool file_pwrite(int fd, const void *data, size_t len, uint64_t offset,
			    const char *name, struct err *err);
MUST_CHECK bool file_pwritev(int fd, struct iovec *parts, size_t part_count, uint64_t offset,
			     const char *name, struct err *err); /* changes parts */
MUST_CHECK bool file_pread(int fd, void *data, size_t len, uint64_t offset, const char *name,
			   struct err *err);

/* Blocks for bytes that will be written soon; the file's length stays. On ext4 this saves a third
 * of what a write costs, and lets threads write around the page cache side by side; in memory
 * (tmpfs) it would only take the pages earlier, so there nothing is done. A hint: a file system
 * that cannot do it, or is full, goes on without. */
void file_reserve(int fd, uint64_t offset, uint64_t len);

/* Up to capacity bytes; *len is 0 only at the end of the file. */
MUST_CHECK bool file_read_some(int fd, void *data, size_t capacity, size_t *len, const char *name,
			       struct err *err);

/* All that is left to read, appended to out, at most out's cap (beyond: ERR_UNSUPPORTED); name is
 * for the sentence only. */
MUST_CHECK bool file_read_rest(struct bytes *out, int fd, const char *name, struct err *err);
/* The same for a whole file by its path. */
MUST_CHECK bool file_slurp(struct bytes *out, int dir_fd, const char *path, struct err *err);

/* mkdir -p; folders that are there are left as they are. */
MUST_CHECK bool file_make_dirs(int dir_fd, const char *path, mode_t mode, struct err *err);

/* rm -rf of a folder or file below dir_fd, never following a symlink. Missing is fine. */
MUST_CHECK bool file_remove_tree(int dir_fd, const char *path, struct err *err);

/* fsync the folder that holds path, so that a rename in it survives a power cut. */
MUST_CHECK bool file_sync_parent(int dir_fd, const char *path, struct err *err);

/* A read-only map of a whole file, guarded (map_guard.h) against its being cut short. */
struct file_map {
	const uint8_t *data; /* NULL when the file is empty */
	size_t len;
};
MUST_CHECK bool file_map_open(struct file_map *out, int dir_fd, const char *path, struct err *err);
void file_map_closep(struct file_map *map);

/* A file that does not exist under its name until new_file_commit. Where the file system can, it
 * has no name at all before that (O_TMPFILE), so a killed process leaves nothing; elsewhere its
 * name is ".NAME.vmbake", locked while in use, and reused by the next run. */
struct new_file {
	int fd; /* borrowed by users; -1 when not open */
	int dir_fd;
	char name[256];
	mode_t mode;
	bool is_named;
};
#define NEW_FILE_NONE (struct new_file){ .fd = -1, .dir_fd = -1 }

/* Errors: ERR_NOT_FOUND  no such folder
 *         ERR_USAGE      path is a folder or has no last component
 *         ERR_BUSY       another process is writing the same file (only without O_TMPFILE) */
MUST_CHECK bool new_file_open(struct new_file *out, int dir_fd, const char *path, mode_t mode,
			      struct err *err);
/* fsync, give it its name (replacing what stood there), fsync the folder, close.
 * Errors: ERR_IO  also when a file that was mapped was cut short, as this may be made of it */
MUST_CHECK bool new_file_commit(struct new_file *file, struct err *err);
void new_file_discardp(struct new_file *file);

/* Write a small file whole: open, write, commit. */
MUST_CHECK bool file_write_whole(int dir_fd, const char *path, mode_t mode, struct view content,
				 struct err *err);

/* Does path still name the file that fd has open? Who locks a file that others may rename or remove
 * asks this once the lock is his, and starts over if not. */
bool file_is_named(int fd, int dir_fd, const char *path);

/* Leave a trace of use: the mtime becomes now. path: "": what dir_fd itself has open.
 * Where that is not ours to write, nothing happens. */
void file_touch(int dir_fd, const char *path);

/* Has anybody else this regular file open, or mapped? Asked by a write lease, which the kernel
 * gives only to the one who has it open; false where it cannot be told (not our file, a file system
 * over the network). Meanwhile another's open waits, and we get SIGIO, which must be ignored. */
bool file_is_open_elsewhere(int fd);

/* An exclusive flock on path (made if missing), held until the descriptor is closed. The file may
 * be removed by who holds it.
 * timeout_ms: how long to wait; -1 for ever.   Errors: ERR_BUSY after it */
MUST_CHECK bool file_lock(int *out, int dir_fd, const char *path, int64_t timeout_ms,
			  struct err *err);
