#include "dirs.h"

#include "base/le.h"
#include "block.h"

enum {
	HEAD_BYTES = 8, /* of an entry, without its name */
	TAIL_BYTES = 12, /* a fake entry that holds the checksum */
	ROOM_BYTES = BLOCK_BYTES - TAIL_BYTES,
	TAIL_TYPE = 0xde,
};

/* EXT4_FT_… by kind of entry. */
static const uint8_t file_types[ENTRY_KIND_END] = {
	[ENTRY_FILE] = 1, [ENTRY_DIR] = 2,  [ENTRY_CHAR] = 3,
	[ENTRY_BLOCK] = 4, [ENTRY_FIFO] = 5, [ENTRY_SYMLINK] = 7,
};

/* A block being filled. */
struct filling {
	uint8_t *block;
	size_t used;
	size_t last; /* where the last entry starts */
};

static size_t entry_bytes(size_t name_len)
{
	return (HEAD_BYTES + name_len + 3) & ~(size_t)3;
}

static bool put_entry(struct filling *filling, struct view name, uint32_t number, uint8_t type)
{
	size_t len = entry_bytes(name.len);
	uint8_t *entry = filling->block + filling->used;

	if (filling->used + len > ROOM_BYTES)
		return false;
	le32_put(entry, number);
	le16_put(entry + 4, (uint16_t)len);
	entry[6] = (uint8_t)name.len;
	entry[7] = type;
	if (name.len > 0)
		memcpy(entry + HEAD_BYTES, name.ptr, name.len);
	filling->last = filling->used;
	filling->used += len;
	return true;
}

static void put_dots(struct filling *filling, uint32_t self, uint32_t parent)
{
	put_entry(filling, view_of("."), self, file_types[ENTRY_DIR]);
	put_entry(filling, view_of(".."), parent, file_types[ENTRY_DIR]);
}

/* The last entry reaches to the tail; a block without entries holds one without an inode. */
static void finish_block(struct filling *filling)
{
	uint8_t *tail = filling->block + ROOM_BYTES;

	if (filling->used == 0)
		put_entry(filling, (struct view){ 0 }, 0, 0);
	le16_put(filling->block + filling->last + 4, (uint16_t)(ROOM_BYTES - filling->last));
	le16_put(tail + 4, TAIL_BYTES);
	tail[7] = TAIL_TYPE;
}

void dir_fill_empty(uint8_t *block, bool is_first, uint32_t self, uint32_t parent)
{
	struct filling filling = { .block = block };

	memset(block, 0, BLOCK_BYTES);
	if (is_first)
		put_dots(&filling, self, parent);
	finish_block(&filling);
}

void dir_writer_start(struct dir_writer *writer, const struct plan *plan, uint32_t inode)
{
	*writer = (struct dir_writer){ .plan = plan,
				       .inode = inode,
				       .next = tree_inode(plan->tree, inode)->first_child,
				       .owes_lost_found = inode == TREE_ROOT &&
							  plan->makes_lost_found };
}

static uint32_t parent_number(const struct dir_writer *writer)
{
	const struct tree *tree = writer->plan->tree;
	uint32_t own_name = tree_inode(tree, writer->inode)->name;

	return writer->plan->inodes[tree_name(tree, own_name)->parent].number;
}

/* Names until the block is full or there are no more. */
static void fill_names(struct dir_writer *writer, struct filling *filling)
{
	const struct tree *tree = writer->plan->tree;

	while (writer->next != TREE_NONE) {
		const struct tree_name *name = tree_name(tree, writer->next);
		const struct tree_inode *inode = tree_inode(tree, name->inode);
		uint8_t type = inode->is_dir ? file_types[ENTRY_DIR] :
					       file_types[inode->entry->kind];

		if (!put_entry(filling, (struct view){ name->ptr, name->len },
			       writer->plan->inodes[name->inode].number, type))
			return;
		writer->next = name->next;
	}
	if (writer->owes_lost_found &&
	    put_entry(filling, view_of("lost+found"), INODE_LOST_FOUND, file_types[ENTRY_DIR]))
		writer->owes_lost_found = false;
}

bool dir_writer_next(struct dir_writer *writer, uint8_t *block)
{
	struct filling filling = { .block = block };

	if (writer->has_begun && writer->next == TREE_NONE && !writer->owes_lost_found)
		return false;
	memset(block, 0, BLOCK_BYTES);
	if (!writer->has_begun)
		put_dots(&filling, writer->plan->inodes[writer->inode].number,
			 parent_number(writer));
	writer->has_begun = true;
	fill_names(writer, &filling);
	finish_block(&filling);
	return true;
}
