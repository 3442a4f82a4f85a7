#include "plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "block.h"
#include "dir_entry.h"
#include "inode.h"
#include "symlink.h"
#include "xattrs.h"

enum { PATH_DEPTH_MAX = 64 }; /* components that a sentence shows */
static const uint64_t file_blocks_max = (uint64_t)UINT32_MAX; /* a file's blocks have 32 bits */

void plan_path(const struct tree *tree, uint32_t inode, char *out, size_t out_bytes)
{
	uint32_t chain[PATH_DEPTH_MAX], depth = 0, name = TREE_NONE;
	size_t len = 0;

	for (uint32_t i = 1; i <= tree_name_max(tree) && name == TREE_NONE; i++)
		if (tree_name(tree, i)->inode == inode)
			name = i;
	for (; name > TREE_ROOT && depth < PATH_DEPTH_MAX; depth++) {
		chain[depth] = name;
		name = tree_inode(tree, tree_name(tree, name)->parent)->name;
	}
	out[0] = '\0';
	while (depth > 0 && len < out_bytes) {
		const struct tree_name *part = tree_name(tree, chain[--depth]);
		int added =
			snprintf(out + len, out_bytes - len, "/%.*s", (int)part->len, part->ptr);

		len += added > 0 ? (size_t)added : 0;
	}
}

/* Root is 2, lost+found 11, everything else follows in the tree's order from 12 on. */
static void number_inodes(struct plan *plan)
{
	const struct tree *tree = plan->tree;
	uint32_t name = tree_find(tree, TREE_ROOT, view_of("lost+found"));
	uint32_t lost_found = name == TREE_NONE ? TREE_NONE : tree_name(tree, name)->inode;

	plan->makes_lost_found = lost_found == TREE_NONE;
	if (lost_found != TREE_NONE && !tree_inode(tree, lost_found)->is_dir)
		lost_found = TREE_NONE;
	plan->inode_last = INODE_LOST_FOUND;
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(tree); i++) {
		const struct tree_inode *inode = tree_inode(tree, i);

		if (inode->name_count == 0)
			continue;
		plan->inodes[i].kind = inode->is_dir ? ENTRY_DIR : inode->entry->kind;
		plan->inodes[i].number = i == TREE_ROOT	  ? INODE_ROOT :
					 i == lost_found ? INODE_LOST_FOUND :
							   ++plan->inode_last;
	}
}

static void count_subdirs(struct plan *plan)
{
	for (uint32_t i = TREE_ROOT + 1; i <= tree_name_max(plan->tree); i++) {
		const struct tree_name *name = tree_name(plan->tree, i);

		if (name->inode != TREE_NONE && tree_inode(plan->tree, name->inode)->is_dir)
			plan->inodes[name->parent].subdir_count++;
	}
	plan->inodes[TREE_ROOT].subdir_count += plan->makes_lost_found;
}

/* One more item in a doubling array; NULL when out of memory. */
static void *add_item(void *array_pointer, uint64_t *count, uint64_t *capacity, size_t item_bytes)
{
	void **array = array_pointer;

	if (*count == *capacity) {
		uint64_t wanted = *capacity ? *capacity * 2 : 1024;
		void *bigger = realloc(*array, wanted * item_bytes);

		if (!bigger)
			return NULL;
		*array = bigger;
		*capacity = wanted;
	}
	return (char *)*array + (*count)++ * item_bytes;
}

/* Whether a directory's names fit into one block; without an index then. */
static bool fits_block(const struct plan *plan, uint32_t inode)
{
	const struct tree *tree = plan->tree;
	uint32_t name = tree_inode(tree, inode)->first_child;
	size_t used = dir_entry_bytes(strlen(".")) + dir_entry_bytes(strlen(".."));

	if (plan_adds_lost_found(plan, inode))
		used += dir_entry_bytes(strlen("lost+found"));
	for (; name != TREE_NONE && used <= DIR_ROOM_BYTES; name = tree_name(tree, name)->next)
		used += dir_entry_bytes(tree_name(tree, name)->len);
	return used <= DIR_ROOM_BYTES;
}

MUST_CHECK static bool count_dir(struct plan *plan, uint32_t number, struct err *err)
{
	bool adds_lost_found = plan_adds_lost_found(plan, number);
	CLEANUP(htree_freep) struct htree htree = { 0 };
	struct htree *kept;

	if (fits_block(plan, number)) {
		plan->inodes[number].dir_blocks = 1;
		return true;
	}
	if (!htree_make(&htree, plan->tree, number, adds_lost_found, &plan->hash_seed, err))
		return false;
	kept = add_item(&plan->htrees, &plan->htree_count, &plan->htree_capacity, sizeof(*kept));
	if (!kept)
		return err_memory(err, "the image's plan");
	*kept = htree;
	htree = (struct htree){ 0 };
	plan->inodes[number].htree = (uint32_t)plan->htree_count;
	plan->inodes[number].dir_blocks = htree_block_count(kept);
	return true;
}

static uint64_t extent_blocks(const struct tree_inode *inode)
{
	const struct extent *extents = inode->index->extents + inode->entry->extent_first;
	uint64_t count = 0;

	for (uint32_t i = 0; i < inode->entry->extent_count; i++)
		count += extents[i].block_count;
	return count;
}

MUST_CHECK static bool count_inode(struct plan *plan, uint32_t number,
				   struct encoded_xattrs *scratch, struct err *err)
{
	const struct tree_inode *inode = tree_inode(plan->tree, number);
	struct plan_inode *planned = &plan->inodes[number];

	if (inode->is_dir && !count_dir(plan, number, err))
		return false;
	plan->head_blocks += planned->dir_blocks;
	if (!inode->entry)
		return true;
	if (inode->entry->xattrs_len > 0) {
		if (!xattrs_encode(scratch, inode->index, inode->entry, err))
			return false;
		planned->has_xattr_block = scratch->in_block;
		plan->head_blocks += scratch->in_block;
	}
	plan->head_blocks += symlink_is_long(inode);
	if (!inode->is_dir && inode->name_count > INODE_LINKS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "it has %u links, ext4 counts to %d",
			       (unsigned)inode->name_count, INODE_LINKS_MAX);
	if (inode->entry->size / BLOCK_BYTES >= file_blocks_max)
		return err_set(err, ERR_UNSUPPORTED, "a file over 16 TiB");
	plan->body_blocks += extent_blocks(inode);
	return true;
}

MUST_CHECK static bool count_all(struct plan *plan, struct err *err)
{
	CLEANUP(freep) struct encoded_xattrs *scratch = malloc(sizeof(*scratch));

	if (!scratch)
		return err_memory(err, "xattrs");
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree); i++) {
		char path[300];

		if (plan->inodes[i].number == 0 || count_inode(plan, i, scratch, err))
			continue;
		plan_path(plan->tree, i, path, sizeof(path));
		return err_wrap(err, "%s", path);
	}
	plan->head_blocks += plan->makes_lost_found ? LOST_FOUND_BLOCKS : 0;
	return true;
}

bool plan_count(struct plan *out, const struct tree *tree, const struct digest *identity,
		struct err *err)
{
	CLEANUP(plan_freep) struct plan plan = {
		.tree = tree, .hash_seed = hash_seed_of(identity->sha256 + IDENTITY_SEED_AT)
	};

	plan.inodes = calloc((size_t)tree_inode_max(tree) + 1, sizeof(*plan.inodes));
	if (!plan.inodes)
		return err_memory(err, "the image's plan");
	number_inodes(&plan);
	count_subdirs(&plan);
	if (!count_all(&plan, err))
		return false;
	*out = plan;
	plan = (struct plan){ 0 };
	return true;
}

void plan_freep(struct plan *plan)
{
	for (uint64_t i = 0; i < plan->htree_count; i++)
		htree_freep(&plan->htrees[i]);
	free(plan->htrees);
	free(plan->inodes);
	free(plan->extents);
	free(plan->copies);
	*plan = (struct plan){ 0 };
}

/* Blocks of a file that came to lie somewhere: longer than ext4's extents are, they are several. */
MUST_CHECK static bool add_extents(struct plan *plan, struct plan_inode *inode, uint64_t block,
				   struct run run, struct err *err)
{
	while (run.count > 0) {
		struct file_extent *last = inode->extent_count == 0 ?
						   NULL :
						   &plan->extents[plan->extent_count - 1];
		uint64_t count = run.count < EXTENT_BLOCKS_MAX ? run.count : EXTENT_BLOCKS_MAX;

		if (last && last->block + last->count == block &&
		    last->physical + last->count == run.start && last->count < EXTENT_BLOCKS_MAX) {
			uint64_t room = (uint64_t)EXTENT_BLOCKS_MAX - last->count;

			count = count < room ? count : room;
			last->count += (uint32_t)count;
		} else {
			struct file_extent *fresh =
				add_item(&plan->extents, &plan->extent_count,
					 &plan->extent_capacity, sizeof(*fresh));

			if (!fresh)
				return err_memory(err, "the image's plan");
			*fresh =
				(struct file_extent){ (uint32_t)block, (uint32_t)count, run.start };
			inode->extent_count++;
		}
		block += count;
		run.start += count;
		run.count -= count;
	}
	return true;
}

MUST_CHECK static bool add_copy(struct plan *plan, const struct copy *copy, struct err *err)
{
	struct copy *last = plan->copy_count == 0 ? NULL : &plan->copies[plan->copy_count - 1];

	if (last && last->layer == copy->layer &&
	    last->data_block + last->block_count == copy->data_block &&
	    last->image_block + last->block_count == copy->image_block) {
		last->block_count += copy->block_count;
		return true;
	}
	struct copy *fresh = add_item(&plan->copies, &plan->copy_count, &plan->copy_capacity,
				      sizeof(*fresh));

	if (!fresh)
		return err_memory(err, "the image's plan");
	*fresh = *copy;
	return true;
}

/* count blocks of a file from its block on; a directory or symlink has no layer to copy from. */
struct placing {
	struct plan *plan;
	struct space *space;
	bool is_full;
};

MUST_CHECK static bool place_blocks(struct placing *placing, struct plan_inode *inode,
				    uint64_t block, uint64_t count, const struct copy *source,
				    struct err *err)
{
	struct copy copy = source ? *source : (struct copy){ 0 };

	while (count > 0) {
		struct run run = space_take(placing->space, count);

		if (run.count == 0) {
			placing->is_full = true;
			return true;
		}
		if (!add_extents(placing->plan, inode, block, run, err))
			return false;
		copy.image_block = run.start;
		copy.block_count = run.count;
		if (source && !add_copy(placing->plan, &copy, err))
			return false;
		copy.data_block += run.count;
		block += run.count;
		count -= run.count;
	}
	return true;
}

/* Blocks in one piece, for what is found by its first; pieces too short are left free. */
static uint64_t place_piece(struct placing *placing, uint64_t count)
{
	for (;;) {
		struct run run = space_take(placing->space, count);

		if (run.count == count)
			return run.start;
		if (run.count == 0) {
			placing->is_full = true;
			return 0;
		}
	}
}

MUST_CHECK static bool place_heads(struct placing *placing, struct err *err)
{
	struct plan *plan = placing->plan;

	if (plan->makes_lost_found)
		plan->lost_found_block = place_piece(placing, LOST_FOUND_BLOCKS);
	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree) && !placing->is_full; i++) {
		struct plan_inode *planned = &plan->inodes[i];
		uint64_t count = 0;

		if (planned->number == 0)
			continue;
		planned->extent_first = plan->extent_count;
		count = planned->dir_blocks + symlink_is_long(tree_inode(plan->tree, i));
		if (!place_blocks(placing, planned, 0, count, NULL, err))
			return false;
		if (planned->has_xattr_block)
			planned->xattr_block = place_piece(placing, 1);
	}
	return true;
}

MUST_CHECK static bool place_body(struct placing *placing, uint32_t number, struct err *err)
{
	const struct tree_inode *inode = tree_inode(placing->plan->tree, number);
	const struct extent *extents = inode->index->extents + inode->entry->extent_first;
	struct plan_inode *planned = &placing->plan->inodes[number];

	planned->extent_first = placing->plan->extent_count;
	for (uint32_t i = 0; i < inode->entry->extent_count && !placing->is_full; i++) {
		struct copy source = { .layer = inode->layer, .data_block = extents[i].data_block };

		if (!place_blocks(placing, planned, extents[i].block, extents[i].block_count,
				  &source, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool place_bodies(struct placing *placing, struct err *err)
{
	struct plan *plan = placing->plan;

	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree) && !placing->is_full; i++) {
		const struct tree_inode *inode = tree_inode(plan->tree, i);

		if (plan->inodes[i].number == 0 || !inode->entry || inode->entry->extent_count == 0)
			continue;
		if (!place_body(placing, i, err))
			return false;
	}
	return true;
}

static void place_nodes(struct placing *placing)
{
	struct plan *plan = placing->plan;

	for (uint32_t i = TREE_ROOT; i <= tree_inode_max(plan->tree) && !placing->is_full; i++) {
		uint64_t count = extents_node_count(plan->inodes[i].extent_count, EXTENT_NODE_MAX);

		if (count > 0)
			plan->inodes[i].node_block = place_piece(placing, count);
	}
}

bool plan_place(struct plan *plan, struct space *space, bool *has_room, struct err *err)
{
	struct placing placing = { plan, space, false };

	plan->extent_count = 0;
	plan->copy_count = 0;
	for (uint32_t i = 0; i <= tree_inode_max(plan->tree); i++)
		plan->inodes[i].extent_count = 0;
	if (!place_heads(&placing, err) || !place_bodies(&placing, err))
		return false;
	place_nodes(&placing);
	*has_room = !placing.is_full;
	return true;
}
