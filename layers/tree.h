/* One tree of names and inodes: what the merged layers amount to, and what fs/ writes.
 *
 * Names and inodes are apart from the first day: removing a name leaves the inode to its other
 * names. An inode's attributes and body stay where they are, in a layer's index; the tree only
 * points there, so every index must outlive the tree. Nothing here knows of tars or of ext4.
 * Names and inodes are referred to by number (uint32_t), which never changes while they live.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "index.h"

enum {
	TREE_NONE = 0, /* no such name or inode: numbers start at 1 */
	TREE_ROOT = 1, /* the root directory's inode, and the name that leads to it */
	TREE_NUMBER_MAX = 1 << 30, /* of a name or an inode */
};

/* An inode. A directory that no entry describes (a missing parent) has index NULL: it is
 * 0755 root:root without xattrs, and takes the time that the writer gives such folders. */
struct tree_inode {
	const struct index *index; /* borrowed; where entry and its strings are, or NULL */
	const struct index_entry *entry; /* borrowed; never a hard link, whiteout or opaque */
	uint32_t layer; /* number of the layer that entry came from, 0 lowest */
	uint32_t first_child; /* directories: a name, or TREE_NONE; children are in no order */
	uint32_t name; /* directories: the one name that leads here, so that ".." has an answer */
	bool is_dir : 1; /* bit-fields keep an inode at 32 bytes */
	uint32_t name_count : 31; /* names that lead here; 0: dead, to be passed over */
};

/* A name in a directory. */
struct tree_name {
	const char *ptr; /* borrowed from an index; len bytes, 1 to 255, no '/' and no NUL */
	uint32_t len;
	uint32_t parent; /* inode of the directory it stands in */
	uint32_t inode; /* where it leads; TREE_NONE: removed, to be passed over */
	uint32_t next, previous; /* siblings, or TREE_NONE */
	uint32_t hash_next; /* tree.c's own */
};

struct tree; /* made by tree_new, filled by layers/merge.h */

MUST_CHECK bool tree_new(struct tree **out, struct err *err);
void tree_freep(struct tree **tree);
/* From now on at most so many names beside the root's, those that went included: an entry may bring
 * two thousand folders that no entry describes. */
void tree_cap(struct tree *tree, uint64_t name_max);

/* Numbers run from 1 to these, inclusive; some in between may be dead. */
uint32_t tree_inode_max(const struct tree *tree);
uint32_t tree_name_max(const struct tree *tree);

/* Borrowed until the tree is changed. */
const struct tree_inode *tree_inode(const struct tree *tree, uint32_t inode);
const struct tree_name *tree_name(const struct tree *tree, uint32_t name);

/* The name in that directory, or TREE_NONE. */
uint32_t tree_find(const struct tree *tree, uint32_t dir_inode, struct view name);

/* Building blocks of merge. tree_add_inode's entry is NULL for a folder that no entry describes. */
MUST_CHECK bool tree_add_inode(struct tree *tree, const struct index *index,
			       const struct index_entry *entry, uint32_t layer, uint32_t *out,
			       struct err *err);
/* Put a name into a directory that has none such yet. */
MUST_CHECK bool tree_link(struct tree *tree, uint32_t dir_inode, struct view name, uint32_t inode,
			  struct err *err);
/* Remove a name, and when it was the last of a directory all that is below it. */
void tree_unlink(struct tree *tree, uint32_t name);
/* Remove all names in a directory. */
void tree_empty(struct tree *tree, uint32_t dir_inode);
/* Give an inode other attributes and another body; its names and children stay. */
void tree_set_entry(struct tree *tree, uint32_t inode, const struct index *index,
		    const struct index_entry *entry, uint32_t layer);
