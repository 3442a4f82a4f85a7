#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

/* Exactly one is there. */
struct layout {
	int dir_fd; /* or -1 */
	struct members *members;
};

enum { BLOB_PATH_BYTES = sizeof("blobs/sha256/") + DIGEST_HEX_LEN };

/* A layout may come from anywhere: a pipe in it would keep us waiting, and some devices do things
 * when they are merely opened. */
MUST_CHECK static bool open_file(const struct layout *layout, const char *path, int *fd,
				 uint64_t *size_bytes, struct err *err)
{
	CLEANUP(fd_closep) int opened = -1;
	struct stat stat;

	if (fstatat(layout->dir_fd, path, &stat, 0) < 0)
		return err_os_path(err, "open %s", path);
	if (S_ISREG(stat.st_mode) &&
	    !file_open(&opened, layout->dir_fd, path, O_RDONLY | O_NONBLOCK, err))
		return false;
	if (opened >= 0 && fstat(opened, &stat) < 0)
		return err_os(err, "stat %s", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, ERR_FORMAT, "%s is not a regular file", path);
	*fd = fd_take(&opened);
	*size_bytes = (uint64_t)stat.st_size;
	return true;
}

MUST_CHECK static bool slurp_file(const struct layout *layout, const char *path, struct bytes *out,
				  struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	uint64_t size_bytes = 0;
	char *room = NULL;

	if (!open_file(layout, path, &fd, &size_bytes, err))
		return false;
	if (!bytes_grow(out, (size_t)size_bytes, &room, err))
		return err_wrap(err, "%s", path);
	return file_pread(fd, room, (size_t)size_bytes, 0, path, err);
}

MUST_CHECK static bool slurp(struct layout *layout, const char *name, struct bytes *out,
			     struct err *err)
{
	return layout->members ? members_slurp(layout->members, name, out, err)
			       : slurp_file(layout, name, out, err);
}

MUST_CHECK static bool check_version(struct layout *layout, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(64 << 10);
	CLEANUP(json_freep) struct json_t *json = NULL;
	const char *version = NULL;

	if (!slurp(layout, "oci-layout", &text, err))
		return false;
	if (!json_parse(&json, bytes_view(&text), err) ||
	    !json_need_string(json, "imageLayoutVersion", &version, err))
		return err_wrap(err, "oci-layout");
	if (strncmp(version, "1.", 2) != 0)
		return err_set(err, ERR_UNSUPPORTED, "an OCI layout of version %.40s", version);
	return true;
}

MUST_CHECK static bool open_either(struct layout **out, const char *path, bool is_archive,
				   struct err *err)
{
	CLEANUP(layout_freep) struct layout *layout = calloc(1, sizeof(*layout));

	if (!layout)
		return err_memory(err, "a layout");
	layout->dir_fd = -1;
	if (is_archive ? !members_open(&layout->members, path, err)
		       : !file_open(&layout->dir_fd, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, err))
		return false;
	if (!check_version(layout, err))
		return err->kind == ERR_NOT_FOUND
			       ? err_set(err, ERR_NOT_FOUND, "no OCI layout: it has no oci-layout")
			       : false;
	*out = ptr_take(&layout);
	return true;
}

bool layout_open(struct layout **out, const char *path, struct err *err)
{
	return open_either(out, path, false, err);
}

bool layout_open_archive(struct layout **out, const char *path, struct err *err)
{
	return open_either(out, path, true, err);
}

void layout_freep(struct layout **layout)
{
	if (!*layout)
		return;
	fd_closep(&(*layout)->dir_fd);
	members_freep(&(*layout)->members);
	free(*layout);
	*layout = NULL;
}

bool layout_index(struct layout *layout, struct bytes *out, struct err *err)
{
	return slurp(layout, "index.json", out, err);
}

static void blob_path(char out[BLOB_PATH_BYTES], const struct digest *digest)
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(digest, hex);
	snprintf(out, BLOB_PATH_BYTES, "blobs/sha256/%s", hex);
}

bool layout_small_blob(struct layout *layout, const struct digest *digest, struct bytes *out,
		       struct err *err)
{
	char path[BLOB_PATH_BYTES];

	blob_path(path, digest);
	if (!slurp(layout, path, out, err))
		return false;
	struct digest found = digest_of(out->data, out->len);

	if (!digest_equal(&found, digest))
		return err_set(err, ERR_INTEGRITY, "%s has another digest than its name", path);
	return true;
}

bool layout_open_blob(struct layout *layout, const struct digest *digest, int *fd,
		      struct member_stream **stream, uint64_t *size_bytes, struct err *err)
{
	char path[BLOB_PATH_BYTES];
	size_t place = 0;

	blob_path(path, digest);
	if (!layout->members)
		return open_file(layout, path, fd, size_bytes, err);
	return members_find(layout->members, path, &place, size_bytes, err) &&
	       member_stream_open(stream, layout->members, place, err);
}
