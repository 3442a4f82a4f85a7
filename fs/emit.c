#include "emit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "block.h"
#include "dirs.h"
#include "inode.h"
#include "seal.h"
#include "symlink.h"
#include "xattrs.h"

struct emitter {
	const struct plan *plan;
	struct ext4 *ext4;
	struct seal seal;
	int64_t image_time;
	struct span *span;
	struct encoded_xattrs *xattrs; /* owned scratch */
	struct run used; /* blocks that are used but not yet accounted for */
	uint64_t clamped_mtime_count;
};

static void emitter_freep(struct emitter *emitter)
{
	free(emitter->xattrs);
}

/* Neighbours are accounted for together. */
static void use_blocks(struct emitter *emitter, uint64_t start, uint64_t count)
{
	if (emitter->used.start + emitter->used.count != start) {
		ext4_use_blocks(emitter->ext4, emitter->used);
		emitter->used = (struct run){ start, 0 };
	}
	emitter->used.count += count;
}

MUST_CHECK static bool add_block(struct emitter *emitter, uint64_t at, uint8_t **room,
				 struct err *err)
{
	use_blocks(emitter, at, 1);
	return span_add(emitter->span, at * BLOCK_BYTES, BLOCK_BYTES, room, err);
}

MUST_CHECK static bool emit_lost_found(struct emitter *emitter, struct err *err)
{
	uint8_t *block = NULL;

	for (uint64_t i = 0; i < LOST_FOUND_BLOCKS; i++) {
		if (!add_block(emitter, emitter->plan->lost_found_block + i, &block, err))
			return false;
		dir_fill_empty(block, i == 0, INODE_LOST_FOUND, INODE_ROOT);
		seal_names(&emitter->seal, INODE_LOST_FOUND, block);
	}
	return true;
}

static void seal_dir(const struct emitter *emitter, uint32_t inode, uint32_t number,
		     uint8_t *block)
{
	uint32_t owner = emitter->plan->inodes[inode].number;

	if (dir_is_index(emitter->plan, inode, number))
		seal_index(&emitter->seal, owner, block, number == 0);
	else
		seal_names(&emitter->seal, owner, block);
}

MUST_CHECK static bool emit_dir(struct emitter *emitter, uint32_t inode, struct err *err)
{
	const struct plan_inode *planned = &emitter->plan->inodes[inode];
	const struct file_extent *extents = emitter->plan->extents + planned->extent_first;
	uint32_t number = 0;
	uint8_t *block = NULL;

	for (uint32_t i = 0; i < planned->extent_count; i++) {
		for (uint32_t j = 0; j < extents[i].count; j++) {
			if (!add_block(emitter, extents[i].physical + j, &block, err))
				return false;
			dir_fill(emitter->plan, inode, number, block);
			seal_dir(emitter, inode, number++, block);
		}
	}
	return true;
}

MUST_CHECK static bool emit_symlink(struct emitter *emitter, uint32_t number, struct err *err)
{
	const struct plan_inode *planned = &emitter->plan->inodes[number];
	const struct tree_inode *inode = tree_inode(emitter->plan->tree, number);
	struct view target = index_link(inode->index, inode->entry);
	uint8_t *block = NULL;

	if (target.len >= BLOCK_BYTES)
		return err_set(err, ERR_UNSUPPORTED, "a symlink's target of %zu bytes", target.len);
	if (!add_block(emitter, emitter->plan->extents[planned->extent_first].physical, &block,
		       err))
		return false;
	memcpy(block, target.ptr, target.len);
	return true;
}

MUST_CHECK static bool emit_xattr_block(struct emitter *emitter, uint32_t number, struct err *err)
{
	const struct plan_inode *planned = &emitter->plan->inodes[number];
	const struct tree_inode *inode = tree_inode(emitter->plan->tree, number);
	uint8_t *block = NULL;

	if (!xattrs_encode(emitter->xattrs, inode->index, inode->entry, err) ||
	    !add_block(emitter, planned->xattr_block, &block, err))
		return false;
	memcpy(block, emitter->xattrs->block, BLOCK_BYTES);
	seal_xattrs(&emitter->seal, planned->xattr_block, block);
	return true;
}

/* In the order in which plan_place handed the blocks out, so that they are written in a row. */
MUST_CHECK static bool emit_heads(struct emitter *emitter, struct err *err)
{
	const struct plan *plan = emitter->plan;

	if (plan->makes_lost_found && !emit_lost_found(emitter, err))
		return false;
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree); i++) {
		const struct tree_inode *inode = tree_inode(plan->tree, i);

		if (plan->inodes[i].number == 0)
			continue;
		if (inode->is_dir && !emit_dir(emitter, i, err))
			return false;
		if (symlink_is_long(inode) && !emit_symlink(emitter, i, err))
			return false;
		if (plan->inodes[i].has_xattr_block && !emit_xattr_block(emitter, i, err))
			return false;
	}
	return true;
}

static void use_bodies(struct emitter *emitter)
{
	for (uint64_t i = 0; i < emitter->plan->copy_count; i++)
		use_blocks(emitter, emitter->plan->copies[i].image_block,
			   emitter->plan->copies[i].block_count);
}

/* The extent tree of one file, when it needs one besides the inode. */
MUST_CHECK static bool emit_nodes(struct emitter *emitter, uint32_t number, struct err *err)
{
	const struct plan_inode *planned = &emitter->plan->inodes[number];
	uint64_t count = extents_node_count(planned->extent_count, EXTENT_NODE_MAX);
	CLEANUP(freep) uint8_t *nodes = NULL;
	uint8_t root[EXTENT_ROOT_BYTES], *block = NULL;

	if (count == 0)
		return true;
	nodes = calloc(count, BLOCK_BYTES);
	if (!nodes)
		return err_memory(err, "an extent tree");
	extents_encode(root, nodes, planned->node_block,
		       emitter->plan->extents + planned->extent_first, planned->extent_count,
		       EXTENT_NODE_MAX);
	for (uint64_t i = 0; i < count; i++) {
		if (!add_block(emitter, planned->node_block + i, &block, err))
			return false;
		memcpy(block, nodes + i * BLOCK_BYTES, BLOCK_BYTES);
		seal_extents(&emitter->seal, planned->number, block);
	}
	return true;
}

static uint32_t mode_of(const struct tree_inode *inode)
{
	static const uint32_t types[ENTRY_KIND_END] = {
		[ENTRY_FILE] = S_IFREG, [ENTRY_DIR] = S_IFDIR,	 [ENTRY_SYMLINK] = S_IFLNK,
		[ENTRY_CHAR] = S_IFCHR, [ENTRY_BLOCK] = S_IFBLK, [ENTRY_FIFO] = S_IFIFO,
	};

	if (!inode->entry)
		return S_IFDIR | 0755;
	return types[inode->entry->kind] |
	       (inode->entry->kind == ENTRY_SYMLINK ? 0777 : inode->entry->mode);
}

/* i_block of what has extents; node blocks were written by emit_nodes. */
MUST_CHECK static bool encode_root(const struct plan *plan, const struct plan_inode *planned,
				   struct inode *out, struct err *err)
{
	uint64_t count = extents_node_count(planned->extent_count, EXTENT_NODE_MAX);
	CLEANUP(freep) uint8_t *nodes = count > 0 ? calloc(count, BLOCK_BYTES) : NULL;

	if (count > 0 && !nodes)
		return err_memory(err, "an extent tree");
	extents_encode(out->root, nodes, planned->node_block, plan->extents + planned->extent_first,
		       planned->extent_count, EXTENT_NODE_MAX);
	out->flags |= INODE_HAS_EXTENTS;
	out->block_count += count;
	for (uint32_t i = 0; i < planned->extent_count; i++)
		out->block_count += plan->extents[planned->extent_first + i].count;
	return true;
}

MUST_CHECK static bool fill_content(struct emitter *emitter, uint32_t number, struct inode *out,
				    struct err *err)
{
	const struct tree_inode *inode = tree_inode(emitter->plan->tree, number);
	const struct plan_inode *planned = &emitter->plan->inodes[number];
	struct view target = { 0 };

	if (inode->is_dir) {
		out->size = (uint64_t)planned->dir_blocks * BLOCK_BYTES;
		out->link_count = 2 + planned->subdir_count;
		out->flags |= planned->htree == 0 ? 0 : INODE_HAS_INDEX;
		return encode_root(emitter->plan, planned, out, err);
	}
	switch (inode->entry->kind) {
	case ENTRY_SYMLINK:
		target = index_link(inode->index, inode->entry);
		out->size = target.len;
		if (symlink_is_long(inode))
			return encode_root(emitter->plan, planned, out, err);
		memcpy(out->root, target.ptr, target.len);
		return true;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		inode_encode_device(out->root, inode->entry->rdev_major, inode->entry->rdev_minor);
		return true;
	case ENTRY_FILE:
		out->size = inode->entry->size;
		return encode_root(emitter->plan, planned, out, err);
	default:
		return true;
	}
}

MUST_CHECK static bool fill_entry(struct emitter *emitter, uint32_t number, struct inode *out,
				  struct err *err)
{
	const struct tree_inode *inode = tree_inode(emitter->plan->tree, number);
	const struct plan_inode *planned = &emitter->plan->inodes[number];

	if (!inode->entry)
		return true;
	out->uid = inode->entry->uid;
	out->gid = inode->entry->gid;
	out->mtime_seconds = inode->entry->mtime_seconds;
	out->mtime_ns = inode->entry->mtime_ns;
	emitter->clamped_mtime_count += inode_clamp_time(&out->mtime_seconds, &out->mtime_ns);
	if (inode->entry->xattrs_len == 0)
		return true;
	if (!xattrs_encode(emitter->xattrs, inode->index, inode->entry, err))
		return false;
	out->xattrs = emitter->xattrs->in_inode ? emitter->xattrs->inode : NULL;
	out->xattr_block = planned->xattr_block;
	out->block_count += planned->has_xattr_block;
	return true;
}

/* Put one inode into its table and account for it. */
MUST_CHECK static bool put_inode(struct emitter *emitter, uint32_t number,
				 const struct inode *inode, struct err *err)
{
	uint8_t *room = NULL;

	if (!span_add(emitter->span, ext4_inode_offset(emitter->ext4, number), INODE_BYTES, &room,
		      err))
		return false;
	inode_encode(room, inode);
	ext4_use_inode(emitter->ext4, number, S_ISDIR(inode->mode));
	seal_inode(&emitter->seal, number, room);
	return true;
}

MUST_CHECK static bool emit_inode(struct emitter *emitter, uint32_t number, struct err *err)
{
	const struct tree_inode *inode = tree_inode(emitter->plan->tree, number);
	struct inode fields = { .mode = mode_of(inode),
				.link_count = inode->name_count,
				.mtime_seconds = emitter->image_time,
				.image_time = emitter->image_time };

	return fill_entry(emitter, number, &fields, err) &&
	       fill_content(emitter, number, &fields, err) &&
	       put_inode(emitter, emitter->plan->inodes[number].number, &fields, err);
}

MUST_CHECK static bool emit_lost_found_inode(struct emitter *emitter, struct err *err)
{
	struct inode inode = { .mode = S_IFDIR | 0700,
			       .link_count = 2,
			       .size = (uint64_t)LOST_FOUND_BLOCKS * BLOCK_BYTES,
			       .block_count = LOST_FOUND_BLOCKS,
			       .mtime_seconds = emitter->image_time,
			       .image_time = emitter->image_time,
			       .flags = INODE_HAS_EXTENTS };
	struct file_extent extent = { 0, LOST_FOUND_BLOCKS, emitter->plan->lost_found_block };

	extents_encode(inode.root, NULL, 0, &extent, 1, EXTENT_NODE_MAX);
	return put_inode(emitter, INODE_LOST_FOUND, &inode, err);
}

/* Below the first ordinary inode: root, what ext4_add_reserved made, and zeros. */
MUST_CHECK static bool emit_reserved(struct emitter *emitter, struct err *err)
{
	for (uint32_t number = 1; number < INODE_LOST_FOUND; number++) {
		uint64_t offset = ext4_inode_offset(emitter->ext4, number);
		uint8_t *room = NULL;

		if (number == INODE_ROOT) {
			if (!emit_inode(emitter, TREE_ROOT, err))
				return false;
			continue;
		}
		if (!span_add(emitter->span, offset, INODE_BYTES, &room, err))
			return false;
		if ((number == INODE_RESIZE || number == INODE_JOURNAL) &&
		    !ext4_read_inode(emitter->ext4, number, room, err))
			return false;
		ext4_use_inode(emitter->ext4, number, false);
	}
	return true;
}

/* The tree's lost+found is number 11 wherever it stands among the others. */
MUST_CHECK static bool emit_eleventh(struct emitter *emitter, struct err *err)
{
	const struct plan *plan = emitter->plan;

	if (plan->makes_lost_found)
		return emit_lost_found_inode(emitter, err);
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree); i++)
		if (plan->inodes[i].number == INODE_LOST_FOUND)
			return emit_inode(emitter, i, err);
	return true;
}

MUST_CHECK static bool emit_inodes(struct emitter *emitter, struct err *err)
{
	const struct plan *plan = emitter->plan;

	if (!emit_reserved(emitter, err) || !emit_eleventh(emitter, err))
		return false;
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree); i++)
		if (plan->inodes[i].number > INODE_LOST_FOUND && !emit_inode(emitter, i, err))
			return false;
	return true;
}

bool emit_metadata(struct span *span, const struct plan *plan, struct ext4 *ext4,
		   int64_t image_time, struct emit_result *out, struct err *err)
{
	CLEANUP(emitter_freep) struct emitter emitter = { .plan = plan,
							  .ext4 = ext4,
							  .seal = ext4_seal(ext4),
							  .image_time = image_time,
							  .span = span };

	emitter.xattrs = malloc(sizeof(*emitter.xattrs));
	if (!emitter.xattrs)
		return err_memory(err, "xattrs");
	if (!emit_heads(&emitter, err))
		return false;
	use_bodies(&emitter);
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree); i++)
		if (!emit_nodes(&emitter, i, err))
			return false;
	ext4_use_blocks(ext4, emitter.used);
	if (!emit_inodes(&emitter, err))
		return false;
	out->clamped_mtime_count = emitter.clamped_mtime_count;
	return true;
}
