#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "layers/crc.h"

static uint32_t crc_of(const struct case_entry *entry)
{
	uint32_t crc = crc32c_add(0, entry->body.ptr, entry->body.len);

	return crc32c_add_zeros(crc, entry->size - entry->body.len);
}

static const struct case_entry *inode_of(const struct case_list *tree,
					 const struct case_entry *entry)
{
	if (entry->kind != ENTRY_HARDLINK)
		return entry;
	for (size_t i = 0; i < tree->count; i++) {
		if (tree->entries[i].kind != ENTRY_HARDLINK &&
		    view_same(tree->entries[i].path, entry->target))
			return &tree->entries[i];
	}
	fprintf(stderr, "line %u: a hard link to what the tree does not list\n", entry->line);
	abort();
}

void flat_add_entry(struct flat *flat, struct view path, const struct case_entry *entry)
{
	static const struct case_entry none = { .kind = ENTRY_DIR, .mode = 0755 };
	const struct case_entry *inode = entry ? entry : &none;
	struct view xattrs = flat_xattrs(flat, inode->xattrs, inode->xattr_count);

	*flat_add(flat) = (struct flat_node){
		.path = path,
		.kind = inode->kind,
		.mode = inode->mode,
		.uid = inode->uid,
		.gid = inode->gid,
		.rdev_major = inode->rdev_major,
		.rdev_minor = inode->rdev_minor,
		.mtime_seconds = inode->mtime_seconds,
		.mtime_ns = inode->mtime_ns,
		.target = inode->kind == ENTRY_SYMLINK ? inode->target : (struct view){ 0 },
		.size = inode->size,
		.body_crc32c = inode->kind == ENTRY_FILE ? crc_of(inode) : 0,
		.xattrs = xattrs,
		.is_made = !entry || entry->is_made,
	};
}

void flat_from_case(struct flat *out, const struct case_file *file)
{
	uint64_t *inodes = calloc(file->tree.count + 1, sizeof(*inodes));

	if (!inodes)
		abort();
	*out = (struct flat){ 0 };
	for (size_t i = 0; i < file->tree.count; i++) {
		const struct case_entry *name = &file->tree.entries[i];
		const struct case_entry *inode = inode_of(&file->tree, name);
		bool is_root = view_equal(name->path, "/");

		inodes[i] = (uint64_t)(inode - file->tree.entries);
		flat_add_entry(out, is_root ? view_of("") : name->path, inode);
		out->nodes[i].want = inode;
	}
	flat_sort(out, inodes);
	free(inodes);
}

static int path_order(const struct flat_node *a, const struct flat_node *b)
{
	size_t len = a->path.len < b->path.len ? a->path.len : b->path.len;
	int order = len > 0 ? memcmp(a->path.ptr, b->path.ptr, len) : 0;

	return order != 0 ? order : (a->path.len > b->path.len) - (a->path.len < b->path.len);
}

static void say(struct bytes *out, const struct flat_node *node, const char *what, uint64_t got,
		uint64_t wanted)
{
	struct err err;

	if (out->len == 0 && got != wanted &&
	    !bytes_print(out, &err, "/%.*s: %s is %" PRIu64 " (%#" PRIo64 "), not %" PRIu64
				    " (%#" PRIo64 ")",
			 VIEW_ARGS(node->path), what, got, got, wanted, wanted))
		abort();
}

static void say_text(struct bytes *out, const struct flat_node *node, const char *what,
		     struct view got, struct view wanted)
{
	struct err err;

	if (out->len == 0 && !view_same(got, wanted) &&
	    !bytes_print(out, &err, "/%.*s: %s is '%.*s', not '%.*s'", VIEW_ARGS(node->path), what,
			 VIEW_ARGS(got), VIEW_ARGS(wanted)))
		abort();
}

static void compare_nodes(struct bytes *out, const struct flat_node *got,
			  const struct flat_node *wanted)
{
	const struct case_entry *want = wanted->want;

	say(out, got, "kind", got->kind, wanted->kind);
	say(out, got, "made without an entry", got->is_made, wanted->is_made);
	if (!want || want->has_mode || wanted->is_made)
		say(out, got, "mode", got->mode, wanted->mode);
	if (!want || want->has_uid || wanted->is_made)
		say(out, got, "uid", got->uid, wanted->uid);
	if (!want || want->has_gid || wanted->is_made)
		say(out, got, "gid", got->gid, wanted->gid);
	if (!want || want->has_mtime) {
		say(out, got, "mtime", (uint64_t)got->mtime_seconds,
		    (uint64_t)wanted->mtime_seconds);
		say(out, got, "mtime's ns", got->mtime_ns, wanted->mtime_ns);
	}
	say(out, got, "major", got->rdev_major, wanted->rdev_major);
	say(out, got, "minor", got->rdev_minor, wanted->rdev_minor);
	say(out, got, "size", got->size, wanted->size);
	say(out, got, "body's CRC", got->body_crc32c, wanted->body_crc32c);
	say_text(out, got, "target", got->target, wanted->target);
	say_text(out, got, "first name", got->first_name, wanted->first_name);
	say_text(out, got, "list of xattrs", got->xattrs, wanted->xattrs);
}

void flat_compare(struct bytes *out, const struct flat *got, const struct flat *wanted)
{
	size_t i = 0, j = 0;
	struct err err;

	while (out->len == 0 && (i < got->count || j < wanted->count)) {
		int order = i == got->count	 ? 1
			    : j == wanted->count ? -1
						 : path_order(&got->nodes[i], &wanted->nodes[j]);
		const struct flat_node *node = order < 0 ? &got->nodes[i] : &wanted->nodes[j];

		if (order == 0)
			compare_nodes(out, &got->nodes[i], &wanted->nodes[j]);
		else if (!bytes_print(out, &err, "/%.*s is %s", VIEW_ARGS(node->path),
				      order < 0 ? "there and should not be"
						: "not there and should be"))
			abort();
		i += order <= 0;
		j += order >= 0;
	}
}
