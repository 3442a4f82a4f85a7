#include "run_folder.h"

#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "init/contract/settings_disk.h"

#define PRIVATE_NAME "vmbake-run."

void run_folder_freep(struct run_folder *folder)
{
	struct err ignored;

	if (folder->lock_fd >= 0)
		(void)!file_remove_tree(AT_FDCWD, folder->path.data, &ignored);
	fd_closep(&folder->lock_fd);
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

/* Of ours, with nobody alive behind it. One that has just been made may not be locked yet. */
static bool is_left_over(int temp_fd, const char *name)
{
	enum { YOUNG_SECONDS = 60 };
	CLEANUP(fd_closep) int fd = openat(temp_fd, name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat found;

	return fd >= 0 && fstat(fd, &found) == 0 && found.st_uid == geteuid() &&
	       found.st_mtime < time(NULL) - YOUNG_SECONDS && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void remove_left_over(const char *temp)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	CLEANUP(fd_closep) int temp_fd = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored;

	if (temp_fd < 0 || !folder_list(&names, temp_fd, ".", &ignored))
		return;
	for (size_t i = 0; i < names.count; i++)
		if (view_starts(view_of(names.items[i]), PRIVATE_NAME) &&
		    is_left_over(temp_fd, names.items[i]))
			(void)!file_remove_tree(temp_fd, names.items[i], &ignored);
}

MUST_CHECK static bool make_private(struct run_folder *folder, const char *temp, struct err *err)
{
	if (!run_absolute(&folder->path, temp, err))
		return false;
	remove_left_over(folder->path.data);
	if (!bytes_print(&folder->path, err, "/" PRIVATE_NAME "XXXXXX"))
		return false;
	if (!mkdtemp(folder->path.data))
		return err_os_path(err, "make folder %s", folder->path.data);
	folder->lock_fd = open(folder->path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (folder->lock_fd >= 0 && flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0) ||
	       err_os(err, "lock folder %s", folder->path.data);
}

bool run_folder_open(struct run_folder *out, const char *named, struct err *err)
{
	const char *temp = getenv("TMPDIR");

	if (!named)
		return make_private(out, temp && temp[0] ? temp : "/tmp", err);
	return run_absolute(&out->path, named, err) &&
	       file_make_dirs(AT_FDCWD, out->path.data, 0700, err);
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
