#include "replaced.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "path.h"

static int compare_views(struct view a, struct view b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_entries(const void *a_slot, const void *b_slot, void *context)
{
	const struct index *index = context;
	const struct index_entry *a = *(const struct index_entry *const *)a_slot;
	const struct index_entry *b = *(const struct index_entry *const *)b_slot;
	int order = compare_views(index_path(index, a), index_path(index, b));

	if (order == 0)
		order = a->kind - b->kind;
	return order != 0 ? order : compare_views(index_link(index, a), index_link(index, b));
}

/* Equal ones count once, so that a question looks at two entries of a path at most. */
static size_t drop_equal(const struct index_entry **entries, size_t count, struct index *index)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare_entries(&entries[kept - 1], &entries[i], index) != 0)
			entries[kept++] = entries[i];
	}
	return kept;
}

MUST_CHECK static bool sort_entries(struct replaced *replaced, const struct index *index,
				    struct err *err)
{
	struct index context = *index; /* qsort_r's context is not const */
	size_t count = index->entry_count;
	const struct index_entry **entries = calloc(count, sizeof(struct index_entry *));

	if (!entries)
		return err_memory(err, "sorting the names of a layer");
	for (size_t i = 0; i < count; i++)
		entries[i] = &index->entries[i];
	qsort_r(entries, count, sizeof(*entries), compare_entries, &context);
	replaced->entries = entries;
	replaced->entry_count = drop_equal(entries, count, &context);
	return true;
}

/* The first entry at that path or behind it. */
static size_t find_path(struct replaced *replaced, const struct index *index,
			struct view path)
{
	size_t low = 0, high = replaced->entry_count;

	replaced->lookup_count++;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_views(index_path(index, replaced->entries[middle]), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Does an entry take away what lower layers have below that directory? */
static bool is_emptied(struct replaced *replaced, const struct index *index, struct view path)
{
	for (size_t i = find_path(replaced, index, path); i < replaced->entry_count; i++) {
		const struct index_entry *entry = replaced->entries[i];

		if (!view_same(index_path(index, entry), path))
			return false;
		if (entry->kind != ENTRY_DIR)
			return true;
	}
	return false;
}

/* Does an entry make that symlink anything but the same symlink? An opaque marker does not: it
 * speaks of the directory behind it. */
static bool is_changed(struct replaced *replaced, const struct index *index, struct view path,
		       struct view target)
{
	for (size_t i = find_path(replaced, index, path); i < replaced->entry_count; i++) {
		const struct index_entry *entry = replaced->entries[i];
		bool is_same = entry->kind == ENTRY_OPAQUE ||
			       (entry->kind == ENTRY_SYMLINK &&
				view_same(index_link(index, entry), target));

		if (!view_same(index_path(index, entry), path))
			return false;
		if (!is_same)
			return true;
	}
	return false;
}

/* The path of a name, written to the end of the buffer. Empty when it is too long for any entry
 * to name it. */
static struct view path_of(const struct tree *tree, uint32_t name, char buffer[PATH_BYTES_MAX])
{
	size_t start = PATH_BYTES_MAX;

	while (name != TREE_ROOT) {
		const struct tree_name *at = tree_name(tree, name);
		size_t slash = start < PATH_BYTES_MAX;

		if (at->len + slash >= start)
			return (struct view){ 0 };
		if (slash)
			buffer[--start] = '/';
		start -= at->len;
		memcpy(buffer + start, at->ptr, at->len);
		name = tree_inode(tree, at->parent)->name;
	}
	return (struct view){ buffer + start, PATH_BYTES_MAX - start };
}

bool replaced_has(struct replaced *replaced, const struct tree *tree, const struct index *index,
		  uint32_t name, bool *out, struct err *err)
{
	char buffer[PATH_BYTES_MAX];
	struct view path = path_of(tree, name, buffer);
	const struct tree_inode *inode = tree_inode(tree, tree_name(tree, name)->inode);

	if (!replaced->entries && !sort_entries(replaced, index, err))
		return false;
	*out = is_emptied(replaced, index, (struct view){ 0 });
	for (size_t len = 0; len < path.len && !*out; len++) {
		if (path.ptr[len] == '/')
			*out = is_emptied(replaced, index, (struct view){ path.ptr, len });
	}
	if (!*out)
		*out = is_changed(replaced, index, path, index_link(inode->index, inode->entry));
	return true;
}

void replaced_freep(struct replaced *replaced)
{
	free(replaced->entries);
	*replaced = (struct replaced){ 0 };
}
