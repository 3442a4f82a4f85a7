#include "source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { MAGIC_BYTES = 512 };

static int is_deb(const struct dirent *entry)
{
	return view_ends(view_of(entry->d_name), ".deb");
}

/* The .debs of a folder, by name; *count is 0 when it has none. */
struct deb_names {
	struct dirent **items;
	int count;
};

static void deb_names_freep(struct deb_names *names)
{
	for (int i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

MUST_CHECK static bool take_folder(struct source *out, struct intake *intake, const char *path,
				   struct err *err)
{
	CLEANUP(deb_names_freep) struct deb_names names = { 0 };
	CLEANUP(bytes_freep) struct bytes deb = bytes_capped(8192);
	int count = scandir(path, &names.items, is_deb, compare_bytes);

	if (count < 0)
		return err_os_path(err, "read folder %s", path);
	names.count = count;
	out->type = count > 0 ? "deb" : "dir";
	if (count == 0)
		return source_take_folder(intake, path, err);
	for (int i = 0; i < count; i++) {
		bytes_clear(&deb);
		if (!bytes_print(&deb, err, "%s/%s", path, names.items[i]->d_name) ||
		    !source_take_deb(intake, deb.data, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool take_file(struct source *out, struct intake *intake, const char *path,
				 struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	char magic[MAGIC_BYTES];
	size_t len = 0;

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY | O_NONBLOCK, err) ||
	    !file_read_some(fd, magic, sizeof(magic), &len, path, err))
		return false;
	struct view head = { magic, len };

	if (view_starts(head, "!<arch>\n")) {
		out->type = "deb";
		return source_take_deb(intake, path, err);
	}
	if (view_starts(head, "#!")) {
		out->type = "run";
		return source_take_run(intake, path, err);
	}
	if (archive_knows(head)) {
		out->type = "redist";
		return source_take_archive(intake, path, err);
	}
	return err_set(err, ERR_UNSUPPORTED,
		       "%s is neither a .run, a .deb, a tar archive nor a folder", path);
}

bool source_take(struct source *out, struct intake *intake, const char *path, struct err *err)
{
	struct source source = { 0 };
	struct stat status;

	if (stat(path, &status) < 0)
		return err_os_path(err, "%s", path);
	if (S_ISDIR(status.st_mode) ? !take_folder(&source, intake, path, err) :
				      !take_file(&source, intake, path, err))
		return false;
	*out = source;
	return true;
}
