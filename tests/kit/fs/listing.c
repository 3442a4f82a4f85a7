#include "listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "nodes.h"

static uint32_t type_bits(const struct tree_inode *inode)
{
	if (inode->is_dir)
		return S_IFDIR;
	switch (inode->entry->kind) {
	case ENTRY_SYMLINK:
		return S_IFLNK;
	case ENTRY_CHAR:
		return S_IFCHR;
	case ENTRY_BLOCK:
		return S_IFBLK;
	case ENTRY_FIFO:
		return S_IFIFO;
	default:
		return S_IFREG;
	}
}

static uint32_t count_links(const struct tree *tree, uint32_t number, bool has_lost_found)
{
	const struct tree_inode *inode = tree_inode(tree, number);
	uint32_t count = inode->is_dir ? 2 : inode->name_count;

	for (uint32_t name = inode->is_dir ? inode->first_child : TREE_NONE; name != TREE_NONE;
	     name = tree_name(tree, name)->next)
		count += tree_inode(tree, tree_name(tree, name)->inode)->is_dir;
	count += number == TREE_ROOT && !has_lost_found;
	return count > 65000 ? 1 : count;
}

static void print_xattrs(struct bytes *out, const struct tree_inode *inode)
{
	struct xattr_cursor cursor = index_xattrs(inode->index, inode->entry);
	struct xattr xattr;

	while (xattr_next(&cursor, &xattr))
		nodes_xattr(out, xattr.name.ptr, xattr.name.len, xattr.value.ptr, xattr.value.len);
}

static void print_entry(struct bytes *out, const struct tree_inode *inode, uint32_t links)
{
	const struct index_entry *entry = inode->entry;
	bool is_symlink = entry->kind == ENTRY_SYMLINK;
	struct view target = index_link(inode->index, entry);

	nodes_text(out, "%o %u:%u %lld.%09u", type_bits(inode) | (is_symlink ? 0777 : entry->mode),
		   entry->uid, entry->gid, (long long)entry->mtime_seconds, entry->mtime_ns);
	if (!inode->is_dir)
		nodes_text(out, " %llu",
			   (unsigned long long)(is_symlink ? target.len : entry->size));
	nodes_text(out, " %u", links);
	if (entry->kind == ENTRY_FILE)
		nodes_text(out, " %08x", entry->body_crc32c);
	if (is_symlink)
		nodes_text(out, " -> %.*s", VIEW_ARGS(target));
	if (entry->kind == ENTRY_CHAR || entry->kind == ENTRY_BLOCK)
		nodes_text(out, " %u,%u", entry->rdev_major, entry->rdev_minor);
	print_xattrs(out, inode);
}

/* The tree's path of a name: its parents' names in front of it. */
static void path_of(const struct tree *tree, uint32_t name, char *out, size_t out_bytes)
{
	const struct tree_name *part = tree_name(tree, name);
	size_t len = 0;

	out[0] = '\0';
	if (name == TREE_ROOT)
		return;
	path_of(tree, tree_inode(tree, part->parent)->name, out, out_bytes);
	len = strlen(out);
	if ((size_t)snprintf(out + len, out_bytes - len, "/%.*s", (int)part->len, part->ptr) >=
	    out_bytes - len)
		abort();
}

void listing_of_tree(struct bytes *out, const struct tree *tree, int64_t image_time)
{
	CLEANUP(nodes_freep) struct nodes nodes = { 0 };
	bool has_lost_found = tree_find(tree, TREE_ROOT, view_of("lost+found")) != TREE_NONE;
	char path[8192];

	for (uint32_t i = TREE_ROOT; i <= tree_name_max(tree); i++) {
		CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);
		uint32_t number = tree_name(tree, i)->inode;

		if (number == TREE_NONE)
			continue;
		uint32_t links = count_links(tree, number, has_lost_found);

		path_of(tree, i, path, sizeof(path));
		if (tree_inode(tree, number)->entry)
			print_entry(&text, tree_inode(tree, number), links);
		else
			nodes_text(&text, "40755 0:0 %lld.000000000 %u", (long long)image_time,
				   links);
		nodes_add(&nodes, path, text.data, number);
	}
	if (!has_lost_found) {
		snprintf(path, sizeof(path), "40700 0:0 %lld.000000000 2", (long long)image_time);
		nodes_add(&nodes, "/lost+found", path, UINT64_MAX);
	}
	nodes_print(&nodes, out);
}

void listing_difference(struct bytes *out, const struct bytes *got, const struct bytes *wanted)
{
	struct view left = bytes_view(got), right = bytes_view(wanted);

	while (left.len > 0 || right.len > 0) {
		struct view got_line = view_cut(&left, '\n'), wanted_line = view_cut(&right, '\n');

		if (view_same(got_line, wanted_line))
			continue;
		nodes_text(out, "got:    %.2000s\nwanted: %.2000s",
			   got_line.len ? view_copy(got_line) : "",
			   wanted_line.len ? view_copy(wanted_line) : "");
		return;
	}
}
