/* A tree as a flat list, sorted by path: the form in which trees of different origin are compared.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "case_file.h"
#include "layers/tree.h"

struct flat_node {
	struct view path; /* clean; "" is the root */
	enum entry_kind kind;
	uint32_t mode, uid, gid, rdev_major, rdev_minor;
	int64_t mtime_seconds;
	uint32_t mtime_ns;
	struct view target; /* of a symlink */
	uint64_t size;
	uint32_t body_crc32c;
	struct view xattrs; /* "name=value\n", ascending by name */
	struct view first_name; /* the least path of the same inode; its own mostly */
	bool is_made; /* no entry describes it; attributes are 0755 root:root */
	const struct case_entry *want; /* what a case leaves open, else NULL: nothing */
};

struct flat {
	struct arena arena; /* owned; what the views point into, where it is not the source */
	struct flat_node *nodes; /* owned by the arena; nodes[count], ascending by path */
	size_t count, capacity;
};

void flat_freep(struct flat *flat);
/* Append one; call flat_sort when all are in. */
struct flat_node *flat_add(struct flat *flat);
/* first_name of all is set from inode numbers: inodes[i] is nodes[i]'s before sorting. */
void flat_sort(struct flat *flat, const uint64_t *inodes);
/* Append what an entry of a case says of its inode; NULL: a directory that no entry describes. */
void flat_add_entry(struct flat *flat, struct view path, const struct case_entry *entry);
struct view flat_xattrs(struct flat *flat, const struct xattr *xattrs, size_t count);

/* All that tree says; borrowed from its indexes, which must outlive it. */
void flat_from_tree(struct flat *out, const struct tree *tree);
/* What a case expects; borrowed from it. */
void flat_from_case(struct flat *out, const struct case_file *file);

/* The first difference as a sentence in out; empty when there is none. */
void flat_compare(struct bytes *out, const struct flat *got, const struct flat *wanted);
