#include "run_folder.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "init/contract/settings_disk.h"

void run_folder_freep(struct run_folder *folder)
{
	struct err ignored;

	if (folder->is_ours)
		(void)!file_remove_tree(AT_FDCWD, folder->path.data, &ignored);
	folder->is_ours = false;
	bytes_freep(&folder->path);
}

bool run_absolute(struct bytes *out, const char *path, struct err *err)
{
	CLEANUP(freep) char *here = NULL;

	if (path[0] == '/')
		return bytes_print(out, err, "%s", path);
	here = getcwd(NULL, 0);
	if (!here)
		return err_os(err, "find out where we are");
	return bytes_print(out, err, "%s/%s", here[1] ? here : "", path);
}

bool run_folder_open(struct run_folder *out, const char *named, struct err *err)
{
	const char *temp = getenv("TMPDIR");

	if (named)
		return run_absolute(&out->path, named, err) &&
		       file_make_dirs(AT_FDCWD, out->path.data, 0700, err);
	if (!run_absolute(&out->path, temp && temp[0] ? temp : "/tmp", err) ||
	    !bytes_print(&out->path, err, "/vmbake-run.XXXXXX"))
		return false;
	if (!mkdtemp(out->path.data))
		return err_os_path(err, "make folder %s", out->path.data);
	out->is_ours = true;
	return true;
}

bool run_folder_path(struct bytes *out, const struct run_folder *folder, const char *name,
		     struct err *err)
{
	return bytes_print(out, err, "%s/%s", folder->path.data, name);
}

bool run_folder_write_settings(const char *path, const struct json_t *document, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes disk =
		bytes_capped(SETTINGS_BYTES_MAX + 2 * SETTINGS_SECTOR_BYTES);

	return settings_disk_print(&disk, document, err) &&
	       file_write_whole(AT_FDCWD, path, 0600, bytes_view(&disk), err);
}

bool run_folder_write_json(const char *path, const struct json_t *document, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);

	return json_print(&text, document, JSON_INDENTED, err) &&
	       bytes_append(&text, "\n", 1, err) &&
	       file_write_whole(AT_FDCWD, path, 0600, bytes_view(&text), err);
}
