#include "flat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layers/crc.h"

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void flat_freep(struct flat *flat)
{
	arena_freep(&flat->arena);
}

struct flat_node *flat_add(struct flat *flat)
{
	if (flat->count == flat->capacity) {
		size_t wanted = flat->capacity ? flat->capacity * 2 : 64;
		struct flat_node *bigger =
			must(arena_take(&flat->arena, wanted * sizeof(*bigger)));

		if (flat->count > 0)
			memcpy(bigger, flat->nodes, flat->count * sizeof(*bigger));
		flat->nodes = bigger;
		flat->capacity = wanted;
	}
	return &flat->nodes[flat->count++];
}

static int compare_views(struct view a, struct view b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_path(const void *a, const void *b)
{
	return compare_views(((const struct flat_node *)a)->path,
			     ((const struct flat_node *)b)->path);
}

struct numbered {
	uint64_t inode;
	struct flat_node *node;
};

static int by_inode(const void *a_slot, const void *b_slot)
{
	const struct numbered *a = a_slot, *b = b_slot;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return by_path(a->node, b->node);
}

void flat_sort(struct flat *flat, const uint64_t *inodes)
{
	struct numbered *names = must(arena_take(&flat->arena, flat->count * sizeof(*names)));

	for (size_t i = 0; i < flat->count; i++)
		names[i] = (struct numbered){ inodes[i], &flat->nodes[i] };
	qsort(names, flat->count, sizeof(*names), by_inode);
	for (size_t i = 0; i < flat->count; i++) {
		bool is_first = i == 0 || names[i - 1].inode != names[i].inode;

		names[i].node->first_name =
			is_first ? names[i].node->path : names[i - 1].node->first_name;
	}
	qsort(flat->nodes, flat->count, sizeof(*flat->nodes), by_path);
}

static int by_name(const void *a, const void *b)
{
	return compare_views(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

struct view flat_xattrs(struct flat *flat, const struct xattr *xattrs, size_t count)
{
	struct xattr sorted[CASE_XATTRS_MAX];
	size_t len = 0, at = 0;

	if (count > CASE_XATTRS_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		sorted[i] = xattrs[i];
		len += xattrs[i].name.len + xattrs[i].value.len + 2;
	}
	if (count == 0)
		return (struct view){ 0 };
	qsort(sorted, count, sizeof(*sorted), by_name);
	char *text = must(arena_take(&flat->arena, len));

	for (size_t i = 0; i < count; i++) {
		memcpy(text + at, sorted[i].name.ptr, sorted[i].name.len);
		at += sorted[i].name.len;
		text[at++] = '=';
		memcpy(text + at, sorted[i].value.ptr, sorted[i].value.len);
		at += sorted[i].value.len;
		text[at++] = '\n';
	}
	return (struct view){ text, len };
}

static struct view tree_xattrs(struct flat *flat, const struct index *index,
			       const struct index_entry *entry)
{
	struct xattr_cursor cursor = index_xattrs(index, entry);
	struct xattr xattrs[CASE_XATTRS_MAX];
	size_t count = 0;

	while (count < CASE_XATTRS_MAX && xattr_next(&cursor, &xattrs[count]))
		count++;
	return flat_xattrs(flat, xattrs, count);
}

/* Up through the parents, twice: measure, then write from the end. */
static struct view path_of(struct flat *flat, const struct tree *tree, uint32_t name)
{
	size_t len = 0;

	for (uint32_t at = name; at != TREE_ROOT;) {
		len += tree_name(tree, at)->len + 1;
		at = tree_inode(tree, tree_name(tree, at)->parent)->name;
	}
	if (len == 0)
		return (struct view){ "", 0 };
	char *path = must(arena_take(&flat->arena, len));
	size_t start = len;

	for (uint32_t at = name; at != TREE_ROOT;) {
		const struct tree_name *part = tree_name(tree, at);

		start -= part->len + 1;
		memcpy(path + start + 1, part->ptr, part->len);
		path[start] = '/';
		at = tree_inode(tree, part->parent)->name;
	}
	return (struct view){ path + 1, len - 1 };
}

static void add_from_tree(struct flat *flat, const struct tree *tree, uint32_t name)
{
	const struct tree_inode *inode = tree_inode(tree, tree_name(tree, name)->inode);
	struct flat_node *node = flat_add(flat);

	*node = (struct flat_node){ .kind = ENTRY_DIR, .mode = 0755, .is_made = !inode->entry };
	if (inode->entry) {
		const struct index_entry *entry = inode->entry;

		node->kind = (enum entry_kind)entry->kind;
		node->mode = entry->mode;
		node->uid = entry->uid;
		node->gid = entry->gid;
		node->rdev_major = entry->rdev_major;
		node->rdev_minor = entry->rdev_minor;
		node->mtime_seconds = entry->mtime_seconds;
		node->mtime_ns = entry->mtime_ns;
		node->size = entry->size;
		node->body_crc32c = entry->body_crc32c;
		if (entry->kind == ENTRY_SYMLINK)
			node->target = index_link(inode->index, entry);
		node->xattrs = tree_xattrs(flat, inode->index, entry);
	}
	node->path = path_of(flat, tree, name);
}

void flat_from_tree(struct flat *out, const struct tree *tree)
{
	uint32_t name_max = tree_name_max(tree);
	uint64_t *inodes = must(calloc(name_max, sizeof(*inodes)));

	*out = (struct flat){ 0 };
	for (uint32_t name = TREE_ROOT; name <= name_max; name++) {
		if (tree_name(tree, name)->inode == TREE_NONE)
			continue;
		inodes[out->count] = tree_name(tree, name)->inode;
		add_from_tree(out, tree, name);
	}
	flat_sort(out, inodes);
	free(inodes);
}
