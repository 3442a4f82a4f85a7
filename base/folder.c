#include "folder.h"

#include <dirent.h>
#include <stdlib.h>

#include "cleanup.h"
#include "view.h"

void folder_names_freep(struct folder_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct folder_names){ 0 };
}

static int is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct entries {
	struct dirent **items;
	int count;
};

static void entries_freep(struct entries *entries)
{
	for (int i = 0; i < entries->count; i++)
		free(entries->items[i]);
	free(entries->items);
}

bool folder_list(struct folder_names *out, int dir_fd, const char *path, struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	CLEANUP(entries_freep) struct entries entries = { 0 };
	int count = scandirat(dir_fd, path, &entries.items, is_name, compare_bytes);

	if (count < 0)
		return err_os_path(err, "read folder %s", path);
	entries.count = count;
	names.items = calloc((size_t)count + 1, sizeof(*names.items));
	if (!names.items)
		return err_memory(err, path);
	for (int i = 0; i < count; i++) {
		names.items[i] = view_copy(view_of(entries.items[i]->d_name));
		if (!names.items[i])
			return err_memory(err, path);
		names.count++;
	}
	*out = names;
	names = (struct folder_names){ 0 };
	return true;
}
