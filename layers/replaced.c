#include "replaced.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "path.h"

enum { STEPS_A_LOOKUP = 16 }; /* in the sorted names of a layer */

static int compare_entries(const void *a_slot, const void *b_slot, void *context)
{
	const struct index *index = context;
	const struct index_entry *a = *(const struct index_entry *const *)a_slot;
	const struct index_entry *b = *(const struct index_entry *const *)b_slot;
	int order = view_compare(index_path(index, a), index_path(index, b));

	if (order == 0)
		order = a->kind - b->kind;
	return order != 0 ? order : view_compare(index_link(index, a), index_link(index, b));
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

	replaced->step_count += STEPS_A_LOOKUP;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (view_compare(index_path(index, replaced->entries[middle]), path) < 0)
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

static uint32_t name_above(const struct tree *tree, uint32_t name)
{
	return tree_inode(tree, tree_name(tree, name)->parent)->name;
}

/* The path of a name, or where that is longer than any entry's, of the last one above it that is
 * not. Written to the end of the buffer. */
static struct view path_of(struct replaced *replaced, const struct tree *tree, uint32_t name,
			   char buffer[PATH_BYTES_MAX], bool *is_whole)
{
	size_t len = 0, start = PATH_BYTES_MAX; /* len: with the slash in front */

	for (uint32_t at = name; at != TREE_ROOT; at = name_above(tree, at)) {
		len += tree_name(tree, at)->len + 1u;
		replaced->step_count++;
	}
	*is_whole = len <= PATH_BYTES_MAX;
	for (; name != TREE_ROOT; name = name_above(tree, name)) {
		const struct tree_name *at = tree_name(tree, name);

		if (len <= PATH_BYTES_MAX) {
			start -= at->len;
			memcpy(buffer + start, at->ptr, at->len);
			buffer[--start] = '/';
		}
		len -= at->len + 1u;
	}
	start += start < PATH_BYTES_MAX; /* without the slash in front */
	return (struct view){ buffer + start, PATH_BYTES_MAX - start };
}

bool replaced_has(struct replaced *replaced, const struct tree *tree, const struct index *index,
		  uint32_t name, bool *out, struct err *err)
{
	char buffer[PATH_BYTES_MAX];
	bool is_whole = false;
	struct view path = path_of(replaced, tree, name, buffer, &is_whole);
	const struct tree_inode *inode = tree_inode(tree, tree_name(tree, name)->inode);

	if (!replaced->entries && !sort_entries(replaced, index, err))
		return false;
	*out = is_emptied(replaced, index, (struct view){ 0 });
	for (size_t len = 0; len < path.len && !*out; len++) {
		if (path.ptr[len] == '/')
			*out = is_emptied(replaced, index, (struct view){ path.ptr, len });
	}
	if (!*out)
		*out = is_whole ? is_changed(replaced, index, path,
					     index_link(inode->index, inode->entry))
				: is_emptied(replaced, index, path);
	return true;
}

void replaced_freep(struct replaced *replaced)
{
	free(replaced->entries);
	*replaced = (struct replaced){ 0 };
}
