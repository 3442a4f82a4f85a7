#include "dirs.h"

#include "base/le.h"
#include "dir_entry.h"

enum { TAIL_TYPE = 0xde };

/* EXT4_FT_… by kind of entry. */
static const uint8_t file_types[ENTRY_KIND_END] = {
	[ENTRY_FILE] = 1, [ENTRY_DIR] = 2,  [ENTRY_CHAR] = 3,
	[ENTRY_BLOCK] = 4, [ENTRY_FIFO] = 5, [ENTRY_SYMLINK] = 7,
};

/* A block being filled; it has room for all that comes. */
struct filling {
	uint8_t *block;
	size_t used;
	size_t last; /* where the last entry starts */
};

static void put_entry(struct filling *filling, struct view name, uint32_t number, uint8_t type)
{
	size_t len = dir_entry_bytes(name.len);
	uint8_t *entry = filling->block + filling->used;

	le32_put(entry, number);
	le16_put(entry + 4, (uint16_t)len);
	entry[6] = (uint8_t)name.len;
	entry[7] = type;
	if (name.len > 0)
		memcpy(entry + DIR_HEAD_BYTES, name.ptr, name.len);
	filling->last = filling->used;
	filling->used += len;
}

static void put_dots(struct filling *filling, uint32_t self, uint32_t parent)
{
	put_entry(filling, view_of("."), self, file_types[ENTRY_DIR]);
	put_entry(filling, view_of(".."), parent, file_types[ENTRY_DIR]);
}

/* A name of the tree, or the one that is ours. */
static void put_name(struct filling *filling, const struct plan *plan, uint32_t number)
{
	const struct tree_name *name;
	const struct plan_inode *planned;

	if (number == TREE_NONE) {
		put_entry(filling, view_of("lost+found"), INODE_LOST_FOUND, file_types[ENTRY_DIR]);
		return;
	}
	name = tree_name(plan->tree, number);
	planned = &plan->inodes[name->inode];
	put_entry(filling, (struct view){ name->ptr, name->len }, planned->number,
		  file_types[planned->kind]);
}

/* The last entry reaches to the tail; a block without entries holds one without an inode. */
static void finish_block(struct filling *filling)
{
	uint8_t *tail = filling->block + DIR_ROOM_BYTES;

	if (filling->used == 0)
		put_entry(filling, (struct view){ 0 }, 0, 0);
	le16_put(filling->block + filling->last + 4, (uint16_t)(DIR_ROOM_BYTES - filling->last));
	le16_put(tail + 4, DIR_TAIL_BYTES);
	tail[7] = TAIL_TYPE;
}

void dir_fill_empty(uint8_t *block, bool is_first, uint32_t self, uint32_t parent)
{
	struct filling filling = { .block = block };

	if (is_first)
		put_dots(&filling, self, parent);
	finish_block(&filling);
}

static uint32_t parent_number(const struct plan *plan, uint32_t inode)
{
	uint32_t own_name = tree_inode(plan->tree, inode)->name;

	return plan->inodes[tree_name(plan->tree, own_name)->parent].number;
}

static void fill_single(const struct plan *plan, uint32_t inode, struct filling *filling)
{
	uint32_t name = tree_inode(plan->tree, inode)->first_child;

	for (; name != TREE_NONE; name = tree_name(plan->tree, name)->next)
		put_name(filling, plan, name);
	if (plan_adds_lost_found(plan, inode))
		put_name(filling, plan, TREE_NONE);
	finish_block(filling);
}

static void fill_leaf(const struct plan *plan, const struct htree *htree, uint32_t leaf,
		      uint8_t *block)
{
	struct filling filling = { .block = block };
	uint32_t end = htree_leaf_end(htree, leaf);

	for (uint32_t i = htree->leaves[leaf].first; i < end; i++)
		put_name(&filling, plan, htree->names[i]);
	finish_block(&filling);
}

/* "." and ".." stand before the root's entries; ".." reaches to the end, over all of them. */
static void fill_first(const struct plan *plan, uint32_t inode, uint8_t *block)
{
	const struct htree *htree = plan_htree(plan, inode);
	struct filling filling = { .block = block };

	put_dots(&filling, plan->inodes[inode].number, parent_number(plan, inode));
	if (!htree) {
		fill_single(plan, inode, &filling);
		return;
	}
	le16_put(block + filling.last + 4, (uint16_t)(BLOCK_BYTES - filling.last));
	htree_fill_root(htree, block);
}

bool dir_is_index(const struct plan *plan, uint32_t inode, uint32_t number)
{
	const struct htree *htree = plan_htree(plan, inode);

	return htree && number <= htree->node_count;
}

void dir_fill(const struct plan *plan, uint32_t inode, uint32_t number, uint8_t *block)
{
	const struct htree *htree = plan_htree(plan, inode);

	if (!htree || number == 0)
		fill_first(plan, inode, block);
	else if (number <= htree->node_count)
		htree_fill_node(htree, number - 1, block);
	else
		fill_leaf(plan, htree, number - 1 - htree->node_count, block);
}
