#include "source.h"

#include <string.h>

#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"

enum { MAGIC_BYTES = 512 };

MUST_CHECK static bool take_folder(struct source *out, struct intake *intake, const char *path,
				   struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	CLEANUP(bytes_freep) struct bytes deb = bytes_capped(8192);

	if (!folder_list(&names, AT_FDCWD, path, err))
		return false;
	out->type = "dir";
	for (size_t i = 0; i < names.count; i++) {
		if (!view_ends(view_of(names.items[i]), ".deb"))
			continue;
		out->type = "deb";
		bytes_clear(&deb);
		if (!bytes_print(&deb, err, "%s/%s", path, names.items[i]) ||
		    !source_take_deb(intake, deb.data, err))
			return false;
	}
	return strcmp(out->type, "deb") == 0 || source_take_folder(intake, path, err);
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
