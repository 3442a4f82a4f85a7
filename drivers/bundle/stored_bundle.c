#include "stored_bundle.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

void stored_bundle_closep(struct stored_bundle *stored)
{
	bundle_freep(&stored->bundle);
	index_closep(&stored->index);
	fd_closep(&stored->data_fd);
}

/* One of the three files: in a folder that is there, a missing one is damage. */
static void missing_is_damage(struct err *err)
{
	if (err->kind == ERR_NOT_FOUND)
		err->kind = ERR_INTEGRITY;
}

MUST_CHECK static bool read_manifest(struct stored_bundle *stored, int folder_fd, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
	char name[BUNDLE_NAME_BYTES];

	if (!file_slurp(&text, folder_fd, "vmbake-driver.json", err)) {
		missing_is_damage(err);
		return false;
	}
	stored->manifest_digest = digest_of(text.data, text.len);
	if (!bundle_parse(&stored->bundle, bytes_view(&text), err))
		return err_wrap(err, "vmbake-driver.json");
	bundle_name(&stored->bundle, &stored->manifest_digest, name);
	return strcmp(name, stored->name) == 0 ||
	       err_set(err, ERR_INTEGRITY, "its manifest is that of %s", name);
}

MUST_CHECK static bool read_index(struct stored_bundle *stored, int folder_fd, struct err *err)
{
	struct stat stat;

	if (!index_open(&stored->index, folder_fd, "index", err) ||
	    !file_open(&stored->data_fd, folder_fd, "data", O_RDONLY, err)) {
		missing_is_damage(err);
		return false;
	}
	struct digest digest = digest_of(stored->index.map.data, stored->index.map.len);

	if (!digest_equal(&digest, &stored->bundle.index_digest))
		return err_set(err, ERR_INTEGRITY, "its index is not the one of its manifest");
	if (fstat(stored->data_fd, &stat) < 0)
		return err_os(err, "stat data");
	return (uint64_t)stat.st_size == stored->index.data_bytes ||
	       err_set(err, ERR_INTEGRITY, "its data has another length than its index says");
}

MUST_CHECK static bool check_entry(const struct stored_bundle *stored, const char *path,
				   uint64_t size_bytes, struct err *err)
{
	const struct index_entry *entry = stored_bundle_find(stored, path);

	if (!entry || entry->kind != ENTRY_FILE)
		return err_set(err, ERR_INTEGRITY, "its index has no file %s", path);
	return entry->size == size_bytes ||
	       err_set(err, ERR_INTEGRITY, "%s has %llu bytes, the manifest says %llu", path,
		       (unsigned long long)entry->size, (unsigned long long)size_bytes);
}

MUST_CHECK static bool check_files(const struct stored_bundle *stored, struct err *err)
{
	const struct bundle *bundle = &stored->bundle;

	for (size_t i = 0; i < bundle->file_count; i++)
		if (!check_entry(stored, bundle->files[i].path, bundle->files[i].size_bytes, err))
			return false;
	for (size_t i = 0; i < bundle->kernel_count; i++) {
		const struct bundle_kernel *kernel = &bundle->kernels[i];

		for (size_t j = 0; j < kernel->module_count; j++)
			if (!check_entry(stored, kernel->modules[j].path,
					 kernel->modules[j].size_bytes, err))
				return false;
	}
	return true;
}

MUST_CHECK static bool open_parts(struct stored_bundle *stored, int folder_fd, struct err *err)
{
	return read_manifest(stored, folder_fd, err) && read_index(stored, folder_fd, err) &&
	       check_files(stored, err);
}

bool stored_bundle_open(struct stored_bundle *out, int dir_fd, const char *name, struct err *err)
{
	CLEANUP(stored_bundle_closep) struct stored_bundle stored = STORED_BUNDLE_NONE;
	CLEANUP(fd_closep) int folder_fd = -1;
	struct err why = { 0 };

	if (strchr(name, '/') || name[0] == '.' || name[0] == '\0' ||
	    (size_t)snprintf(stored.name, sizeof(stored.name), "%s", name) >= sizeof(stored.name))
		return err_set(err, ERR_NOT_FOUND, "no driver %.200s in the store", name);
	if (!file_open(&folder_fd, dir_fd, name, O_RDONLY | O_DIRECTORY, &why)) {
		if (why.kind == ERR_NOT_FOUND)
			return err_set(err, ERR_NOT_FOUND, "no driver %s in the store", name);
		*err = why;
		return false;
	}
	if (!open_parts(&stored, folder_fd, err))
		return err_wrap(err, "driver %s", name);
	*out = stored;
	stored = STORED_BUNDLE_NONE;
	return true;
}

const struct index_entry *stored_bundle_find(const struct stored_bundle *stored, const char *path)
{
	size_t low = 0, high = stored->index.entry_count;
	const struct index *index = &stored->index;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct index_entry *entry = &index->entries[middle];
		int order = view_compare(index_path(index, entry), view_of(path));

		if (order == 0)
			return entry;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
