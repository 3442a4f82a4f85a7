#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "cleanup.h"
#include "file.h"

/* The library's own words; its errno tells a host's failure from malformed bytes. */
MUST_CHECK static bool err_archive(struct err *err, struct archive *archive, const char *what)
{
	const char *text = archive_error_string(archive);
	int code = archive_errno(archive);
	bool is_format = code <= 0 || code == EINVAL || code == EILSEQ; /* its FILE_FORMAT, MISC */
	enum err_kind kind = is_format ? ERR_FORMAT :
			     code == ENOENT ? ERR_NOT_FOUND :
			     code == ENOSPC ? ERR_SPACE :
					      ERR_IO;

	return err_set(err, kind, "%s: %s", what, text ? text : "libarchive gives no reason");
}

static void reader_closep(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

MUST_CHECK static bool read_to_end(struct archive *archive, struct bytes *out, const char *path,
				   struct err *err)
{
	enum { CHUNK_BYTES = 64 << 10 };
	CLEANUP(freep) char *chunk = malloc(CHUNK_BYTES);
	la_ssize_t len;

	if (!chunk)
		return err_memory(err, path);
	while ((len = archive_read_data(archive, chunk, CHUNK_BYTES)) > 0)
		if (!bytes_append(out, chunk, (size_t)len, err))
			return err_wrap(err, "%s", path);
	return len == 0 || err_archive(err, archive, path);
}

/* By name: "all" has filters that run a program of the host. */
static void support_filters(struct archive *archive)
{
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_lzma(archive);
	archive_read_support_filter_lz4(archive);
	archive_read_support_filter_zstd(archive);
}

bool archive_slurp(struct bytes *out, const char *path, struct err *err)
{
	CLEANUP(reader_closep) struct archive *archive = archive_read_new();
	CLEANUP(fd_closep) int fd = -1;
	struct archive_entry *entry = NULL;

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY, err))
		return false;
	if (!archive)
		return err_memory(err, path);
	support_filters(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	if (archive_read_open_fd(archive, fd, 64 << 10) != ARCHIVE_OK)
		return err_archive(err, archive, path);
	int status = archive_read_next_header(archive, &entry);

	if (status == ARCHIVE_EOF)
		return true;
	if (status != ARCHIVE_OK)
		return err_archive(err, archive, path);
	return read_to_end(archive, out, path, err);
}

bool archive_unpack(struct bytes *out, struct view packed, const char *name, struct err *err)
{
	CLEANUP(reader_closep) struct archive *archive = archive_read_new();
	struct archive_entry *entry = NULL;

	if (!archive)
		return err_memory(err, name);
	support_filters(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	if (archive_read_open_memory(archive, packed.ptr, packed.len) != ARCHIVE_OK)
		return err_archive(err, archive, name);
	int status = archive_read_next_header(archive, &entry);

	if (status == ARCHIVE_EOF)
		return true;
	if (status != ARCHIVE_OK)
		return err_archive(err, archive, name);
	return read_to_end(archive, out, name, err);
}

bool archive_knows(struct view head)
{
	static const char *const magics[] = { "\x1f\x8b", "\xfd\x37zXZ", "\x28\xb5\x2f\xfd",
					      "BZh" };
	enum { TAR_MAGIC_AT = 257 }; /* ustar and GNU */

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (view_starts(head, magics[i]))
			return true;
	return view_starts(view_from(head, TAR_MAGIC_AT), "ustar");
}

struct archive_reader {
	struct archive *archive; /* owned, as are the next three */
	char *path;
	int fd; /* -1 inside another archive */
	char *chunk; /* of outer's bytes */
	struct archive_reader *outer; /* borrowed; NULL for a file */
	struct err outer_failure; /* why outer could not be read, if so */
};

enum { OUTER_CHUNK_BYTES = 64 << 10 };

/* Why it failed: the outer archive knows better. */
MUST_CHECK static bool err_reader(struct err *err, const struct archive_reader *reader)
{
	if (reader->outer_failure.kind == ERR_NONE)
		return err_archive(err, reader->archive, reader->path);
	*err = reader->outer_failure;
	return err_wrap(err, "%s", reader->path);
}

MUST_CHECK static bool reader_new(struct archive_reader **out, const char *path, struct err *err)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return err_memory(err, path);
	reader->fd = -1;
	reader->path = view_copy(view_of(path));
	reader->archive = archive_read_new();
	if (!reader->path || !reader->archive)
		return err_memory(err, path);
	support_filters(reader->archive);
	archive_read_support_format_tar(reader->archive);
	archive_read_support_format_ar(reader->archive);
	archive_read_support_format_cpio(reader->archive);
	archive_read_support_format_empty(reader->archive);
	*out = ptr_take(&reader);
	return true;
}

MUST_CHECK static bool open_regular(int *out, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	struct stat stat;

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY | O_NONBLOCK, err))
		return false;
	if (fstat(fd, &stat) < 0)
		return err_os(err, "stat %s", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, ERR_USAGE, "%s is not a regular file", path);
	*out = fd_take(&fd);
	return true;
}

bool archive_reader_open_at(struct archive_reader **out, const char *path, uint64_t offset,
			    struct err *err)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;

	if (!reader_new(&reader, path, err) || !open_regular(&reader->fd, path, err))
		return false;
	if (offset > INT64_MAX || lseek(reader->fd, (off_t)offset, SEEK_SET) < 0)
		return err_os(err, "seek in %s", path);
	if (archive_read_open_fd(reader->archive, reader->fd, 64 << 10) != ARCHIVE_OK)
		return err_archive(err, reader->archive, path);
	*out = ptr_take(&reader);
	return true;
}

bool archive_reader_open(struct archive_reader **out, const char *path, struct err *err)
{
	return archive_reader_open_at(out, path, 0, err);
}

static la_ssize_t read_outer(struct archive *archive, void *context, const void **data)
{
	struct archive_reader *reader = context;
	size_t len = 0;

	*data = reader->chunk;
	if (archive_reader_read(reader->outer, reader->chunk, OUTER_CHUNK_BYTES, &len,
				&reader->outer_failure))
		return (la_ssize_t)len;
	archive_set_error(archive, EINVAL, "%s", reader->outer_failure.msg);
	return -1;
}

bool archive_reader_open_member(struct archive_reader **out, struct archive_reader *outer,
				const char *name, struct err *err)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;

	if (!reader_new(&reader, name, err))
		return false;
	reader->outer = outer;
	reader->chunk = malloc(OUTER_CHUNK_BYTES);
	if (!reader->chunk)
		return err_memory(err, name);
	if (archive_read_open(reader->archive, reader, NULL, read_outer, NULL) != ARCHIVE_OK)
		return err_reader(err, reader);
	*out = ptr_take(&reader);
	return true;
}

void archive_reader_freep(struct archive_reader **reader)
{
	if (!*reader)
		return;
	reader_closep(&(*reader)->archive);
	fd_closep(&(*reader)->fd);
	free((*reader)->chunk);
	free((*reader)->path);
	free(*reader);
	*reader = NULL;
}

static enum archive_kind kind_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return ARCHIVE_HARD_LINK;
	if (archive_entry_symlink(entry))
		return ARCHIVE_SYMLINK;
	return archive_entry_filetype(entry) == AE_IFREG ? ARCHIVE_FILE : ARCHIVE_OTHER;
}

bool archive_reader_next(struct archive_reader *reader, struct archive_member *out, bool *is_end,
			 struct err *err)
{
	struct archive_entry *entry = NULL;
	int status = archive_read_next_header(reader->archive, &entry);

	*is_end = status == ARCHIVE_EOF;
	if (*is_end)
		return true;
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
		return err_reader(err, reader);
	const char *name = archive_entry_pathname(entry);
	const char *hard_link = archive_entry_hardlink(entry);
	const char *symlink = archive_entry_symlink(entry);
	int64_t size_bytes = archive_entry_size(entry);

	if (!name || size_bytes < 0)
		return err_set(err, ERR_FORMAT, "%s: a member without a readable name or size",
			       reader->path);
	*out = (struct archive_member){
		.name = name,
		.kind = kind_of(entry),
		.target = hard_link ? hard_link : symlink ? symlink : "",
		.size_bytes = (uint64_t)size_bytes,
		.mode = archive_entry_mode(entry) & 07777,
	};
	return true;
}

bool archive_reader_read(struct archive_reader *reader, void *buffer, size_t capacity, size_t *len,
			 struct err *err)
{
	la_ssize_t got = archive_read_data(reader->archive, buffer, capacity);

	if (got < 0)
		return err_reader(err, reader);
	*len = (size_t)got;
	return true;
}

struct cpio {
	struct archive *archive;
	struct archive_entry *entry;
	int64_t next_inode;
};

bool cpio_open(struct cpio **out, int fd, struct err *err)
{
	CLEANUP(cpio_freep) struct cpio *cpio = calloc(1, sizeof(*cpio));

	if (!cpio)
		return err_memory(err, "a cpio archive");
	cpio->archive = archive_write_new();
	cpio->entry = archive_entry_new();
	if (!cpio->archive || !cpio->entry)
		return err_memory(err, "a cpio archive");
	if (archive_write_set_format_cpio_newc(cpio->archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(cpio->archive, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(cpio->archive, fd) != ARCHIVE_OK)
		return err_archive(err, cpio->archive, "write cpio");
	*out = ptr_take(&cpio);
	return true;
}

static void entry_start(struct cpio *cpio, const char *path, mode_t mode)
{
	archive_entry_clear(cpio->entry);
	archive_entry_set_pathname(cpio->entry, path);
	archive_entry_set_mode(cpio->entry, mode);
	archive_entry_set_ino64(cpio->entry, ++cpio->next_inode);
	archive_entry_set_nlink(cpio->entry, 1);
	archive_entry_set_mtime(cpio->entry, 0, 0);
	archive_entry_set_size(cpio->entry, 0);
}

MUST_CHECK static bool entry_put(struct cpio *cpio, const char *path, struct err *err)
{
	if (archive_write_header(cpio->archive, cpio->entry) != ARCHIVE_OK)
		return err_archive(err, cpio->archive, path);
	return true;
}

bool cpio_add_dir(struct cpio *cpio, const char *path, mode_t mode, struct err *err)
{
	entry_start(cpio, path, S_IFDIR | (mode & 07777));
	return entry_put(cpio, path, err);
}

bool cpio_add_file(struct cpio *cpio, const char *path, mode_t mode, struct view content,
		   struct err *err)
{
	entry_start(cpio, path, S_IFREG | (mode & 07777));
	archive_entry_set_size(cpio->entry, (la_int64_t)content.len);
	if (!entry_put(cpio, path, err))
		return false;
	if (archive_write_data(cpio->archive, content.ptr, content.len) != (la_ssize_t)content.len)
		return err_archive(err, cpio->archive, path);
	return true;
}

bool cpio_add_symlink(struct cpio *cpio, const char *path, const char *target, struct err *err)
{
	entry_start(cpio, path, S_IFLNK | 0777);
	archive_entry_set_symlink(cpio->entry, target);
	return entry_put(cpio, path, err);
}

bool cpio_add_device(struct cpio *cpio, const char *path, mode_t mode, dev_t device,
		     struct err *err)
{
	entry_start(cpio, path, mode);
	archive_entry_set_rdev(cpio->entry, device);
	return entry_put(cpio, path, err);
}

bool cpio_finish(struct cpio *cpio, struct err *err)
{
	if (archive_write_close(cpio->archive) != ARCHIVE_OK)
		return err_archive(err, cpio->archive, "write cpio");
	return true;
}

void cpio_freep(struct cpio **cpio)
{
	if (!*cpio)
		return;
	if ((*cpio)->archive)
		archive_write_free((*cpio)->archive);
	if ((*cpio)->entry)
		archive_entry_free((*cpio)->entry);
	free(*cpio);
	*cpio = NULL;
}
