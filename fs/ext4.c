#include "ext4.h"

#include <stdio.h>
#include <stdlib.h>

#include <ext2fs/ext2fs.h>

#include "base/cleanup.h"
#include "block.h"
#include "ext2_errors.h"
#include "gather.h"

enum {
	GROUPS_PER_FLEX_LOG = 4, /* 16 groups keep their tables together, as mke2fs */
	DESC_PER_BLOCK = BLOCK_BYTES / 64, /* 64-byte group descriptors: 64bit */
	MOUNT_OPTIONS = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL,
	EXTRA_BYTES = 32,
};
static const uint64_t blocks_max = (uint64_t)1 << 32; /* 16 TiB */
static const uint64_t growable_groups = (uint64_t)1 << 13; /* room to grow to 1 TiB in place */

struct ext4 {
	ext2_filsys fs;
};

/* The library's own words. */
MUST_CHECK static bool err_ext2(struct err *err, errcode_t code, const char *what)
{
	bool is_full = code == EXT2_ET_BLOCK_ALLOC_FAIL || code == ENOSPC;

	return err_set(err, is_full ? ERR_SPACE : ERR_IO, "%s: %s", what, error_message(code));
}

static void fill_features(struct ext2_super_block *super, bool is_read_only)
{
	if (is_read_only)
		ext2fs_set_feature_readonly(super);
	else
		ext2fs_set_feature_resize_inode(super);
	ext2fs_set_feature_xattr(super);
	ext2fs_set_feature_dir_index(super);
	ext2fs_set_feature_filetype(super);
	ext2fs_set_feature_extents(super);
	ext2fs_set_feature_64bit(super);
	ext2fs_set_feature_flex_bg(super);
	ext2fs_set_feature_sparse_super(super);
	ext2fs_set_feature_large_file(super);
	ext2fs_set_feature_huge_file(super);
	ext2fs_set_feature_dir_nlink(super);
	ext2fs_set_feature_extra_isize(super);
	ext2fs_set_feature_metadata_csum(super);
}

/* Group descriptor blocks kept free behind the used ones, so that resize2fs needs to move nothing:
 * up to 1 TiB, and for what is larger already up to twice its size. */
static uint32_t reserved_descriptors(uint64_t block_count)
{
	uint64_t groups = (block_count + BLOCKS_PER_GROUP - 1) / BLOCKS_PER_GROUP;
	uint64_t wanted = groups < growable_groups / 2 ? growable_groups : groups * 2;
	uint64_t used = (groups + DESC_PER_BLOCK - 1) / DESC_PER_BLOCK;
	uint64_t reserved = wanted / DESC_PER_BLOCK - used;

	return reserved < BLOCK_BYTES / 4 ? (uint32_t)reserved : BLOCK_BYTES / 4;
}

static void fill_request(struct ext2_super_block *super, const struct ext4_request *request)
{
	memset(super, 0, sizeof(*super));
	fill_features(super, request->is_read_only);
	ext2fs_blocks_count_set(super, request->block_count);
	super->s_inodes_count = (uint32_t)request->inode_count;
	super->s_rev_level = EXT2_DYNAMIC_REV;
	super->s_log_block_size = 2; /* 4,096 bytes */
	super->s_log_cluster_size = 2;
	super->s_inode_size = INODE_BYTES;
	super->s_log_groups_per_flex = GROUPS_PER_FLEX_LOG;
	if (!request->is_read_only)
		super->s_reserved_gdt_blocks =
			(uint16_t)reserved_descriptors(request->block_count);
	super->s_default_mount_opts = MOUNT_OPTIONS;
}

/* What the library takes from the clock, from chance, or from the environment. */
static void fill_identity(ext2_filsys fs, const struct ext4_request *request)
{
	struct ext2_super_block *super = fs->super;
	uint32_t time = (uint32_t)request->time_seconds;

	fs->now = request->time_seconds;
	super->s_mkfs_time = time;
	super->s_lastcheck = time;
	super->s_wtime = time;
	super->s_mkfs_time_hi = 0;
	super->s_lastcheck_hi = 0;
	super->s_wtime_hi = 0;
	digest_uuid(&request->identity, super->s_uuid);
	memcpy(super->s_hash_seed, request->identity.sha256 + IDENTITY_SEED_AT,
	       sizeof(super->s_hash_seed));
	super->s_def_hash_version = EXT2_HASH_HALF_MD4;
	super->s_flags &= ~(uint32_t)(EXT2_FLAGS_SIGNED_HASH | EXT2_FLAGS_UNSIGNED_HASH);
	super->s_flags |= EXT2_FLAGS_SIGNED_HASH; /* this decides, not the host's char */
	super->s_max_mnt_count = -1;
	super->s_min_extra_isize = EXTRA_BYTES;
	super->s_want_extra_isize = EXTRA_BYTES;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	memcpy(super->s_volume_name, request->label, strnlen(request->label, 16));
	ext2fs_init_csum_seed(fs);
}

static bool is_shape_failure(errcode_t code)
{
	return code == EXT2_ET_TOOSMALL || code == EXT2_ET_TOO_MANY_INODES ||
	       code == EXT2_ET_INVALID_ARGUMENT || code == EXT2_ET_BLOCK_ALLOC_FAIL;
}

MUST_CHECK static bool initialize(struct ext4 *ext4, int fd, const struct ext4_request *request,
				  bool *is_possible, struct err *err)
{
	struct ext2_super_block super;
	char name[32];

	ext2_errors_load();
	fill_request(&super, request);
	snprintf(name, sizeof(name), "%d", fd);
	errcode_t code = ext2fs_initialize(name, EXT2_FLAG_64BITS, &super, gather_manager(),
					   &ext4->fs);

	if (!code) {
		fill_identity(ext4->fs, request);
		code = ext2fs_allocate_tables(ext4->fs);
	}
	*is_possible = !is_shape_failure(code);
	return !code || !*is_possible || err_ext2(err, code, "lay out an ext4 file system");
}

bool ext4_new(struct ext4 **out, int fd, const struct ext4_request *request, bool *is_possible,
	      struct err *err)
{
	CLEANUP(ext4_freep) struct ext4 *ext4 = calloc(1, sizeof(*ext4));

	if (!ext4)
		return err_memory(err, "an ext4 file system");
	if (request->block_count > blocks_max || request->inode_count > UINT32_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "an image of %llu blocks, ext4 here ends at 16 TiB",
			       (unsigned long long)request->block_count);
	if (!initialize(ext4, fd, request, is_possible, err))
		return false;
	if (*is_possible)
		*out = ptr_take(&ext4);
	return true;
}

void ext4_freep(struct ext4 **ext4)
{
	if (!*ext4)
		return;
	if ((*ext4)->fs)
		ext2fs_free((*ext4)->fs);
	free(*ext4);
	*ext4 = NULL;
}

struct ext4_shape ext4_shape(const struct ext4 *ext4)
{
	ext2_filsys fs = ext4->fs;
	struct ext4_shape shape = {
		.block_count = ext2fs_blocks_count(fs->super),
		.free_blocks = ext2fs_free_blocks_count(fs->super),
		.inode_count = fs->super->s_inodes_count,
		.inodes_per_group = fs->super->s_inodes_per_group,
		.group_min_blocks = fs->inode_blocks_per_group + fs->desc_blocks +
				    fs->super->s_reserved_gdt_blocks + 60u,
	};

	return shape;
}

uint64_t ext4_journal_blocks(uint64_t block_count)
{
	int blocks = ext2fs_default_journal_size(block_count);

	return blocks > 0 ? (uint64_t)blocks : JOURNAL_BLOCKS_MIN;
}

bool ext4_add_reserved(struct ext4 *ext4, uint64_t journal_blocks, uint64_t goal, struct err *err)
{
	struct ext2fs_journal_params params = { .num_journal_blocks = (blk_t)journal_blocks };
	errcode_t code = 0;

	if (ext2fs_has_feature_resize_inode(ext4->fs->super))
		code = ext2fs_create_resize_inode(ext4->fs);
	if (code)
		return err_ext2(err, code, "add the resize inode");
	if (journal_blocks > 0)
		code = ext2fs_add_journal_inode3(ext4->fs, &params, goal,
						 EXT2_MKJOURNAL_LAZYINIT |
							 EXT2_MKJOURNAL_NO_MNT_CHECK);
	return !code || err_ext2(err, code, "add the journal");
}

static struct run next_free_run(ext2_filsys fs, uint64_t from)
{
	uint64_t last = ext2fs_blocks_count(fs->super) - 1;
	blk64_t start = 0, end = 0;

	if (from > last ||
	    ext2fs_find_first_zero_block_bitmap2(fs->block_map, from, last, &start) != 0)
		return (struct run){ 0 };
	if (ext2fs_find_first_set_block_bitmap2(fs->block_map, start, last, &end) != 0)
		end = last + 1;
	return (struct run){ start, end - start };
}

bool ext4_free_runs(struct ext4 *ext4, struct run **out, size_t *count, struct err *err)
{
	CLEANUP(freep) struct run *runs = NULL;
	size_t used = 0, capacity = 0;
	struct run run = next_free_run(ext4->fs, ext4->fs->super->s_first_data_block);

	for (; run.count > 0; run = next_free_run(ext4->fs, run.start + run.count)) {
		if (used == capacity) {
			capacity = capacity ? capacity * 2 : 256;
			struct run *bigger = realloc(runs, capacity * sizeof(*runs));

			if (!bigger)
				return err_memory(err, "free runs");
			runs = bigger;
		}
		runs[used++] = run;
	}
	*out = ptr_take(&runs);
	*count = used;
	return true;
}

void ext4_use_blocks(struct ext4 *ext4, struct run run)
{
	while (run.count > 0) {
		blk_t part = run.count > 1 << 30 ? 1 << 30 : (blk_t)run.count;

		ext2fs_block_alloc_stats_range(ext4->fs, run.start, part, 1);
		run.start += part;
		run.count -= part;
	}
}

/* As ext2fs_inode_alloc_stats2, which makes the group's checksum anew for each inode; ext4_finish
 * makes it once. */
void ext4_use_inode(struct ext4 *ext4, uint32_t number, bool is_dir)
{
	ext2_filsys fs = ext4->fs;
	uint32_t per_group = fs->super->s_inodes_per_group;
	dgrp_t group = (number - 1) / per_group;
	uint32_t behind = per_group - 1 - (number - 1) % per_group;

	ext2fs_mark_inode_bitmap2(fs->inode_map, number);
	ext2fs_bg_free_inodes_count_set(fs, group, ext2fs_bg_free_inodes_count(fs, group) - 1);
	if (is_dir)
		ext2fs_bg_used_dirs_count_set(fs, group,
					      ext2fs_bg_used_dirs_count(fs, group) + 1);
	if (behind < ext2fs_bg_itable_unused(fs, group))
		ext2fs_bg_itable_unused_set(fs, group, behind);
	ext2fs_bg_flags_clear(fs, group, EXT2_BG_INODE_UNINIT);
	fs->super->s_free_inodes_count--;
	ext2fs_mark_super_dirty(fs);
	ext2fs_mark_ib_dirty(fs);
}

uint64_t ext4_inode_offset(const struct ext4 *ext4, uint32_t number)
{
	uint32_t per_group = ext4->fs->super->s_inodes_per_group;
	dgrp_t group = (number - 1) / per_group;

	return ext2fs_inode_table_loc(ext4->fs, group) * BLOCK_BYTES +
	       (uint64_t)((number - 1) % per_group) * INODE_BYTES;
}

bool ext4_read_inode(struct ext4 *ext4, uint32_t number, uint8_t *out, struct err *err)
{
	struct ext2_inode *inode = (struct ext2_inode *)(void *)out;
	errcode_t code = ext2fs_read_inode_full(ext4->fs, number, inode, INODE_BYTES);

	if (code)
		return err_ext2(err, code, "read back an inode");
	if (inode->i_links_count == 0 && inode->i_mode == 0)
		return true;
	/* The library's cache holds inodes as they were before their checksum was put in. */
	struct seal seal = ext4_seal(ext4);

	seal_inode(&seal, number, out);
	return true;
}

struct seal ext4_seal(const struct ext4 *ext4)
{
	return seal_of(ext4->fs->super->s_uuid);
}

bool ext4_finish(struct ext4 **ext4, struct span *span, struct err *err)
{
	ext2_filsys fs = (*ext4)->fs;

	/* The file is new, so what was not written of the inode tables is zero: the kernel need
	 * not zero it in the background at the first mount. */
	for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
		ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_ZEROED);
		ext2fs_group_desc_csum_set(fs, group);
	}
	/* Where the library put the reserved inodes is the first block of our inode tables. */
	gather_forget(fs->io, ext2fs_inode_table_loc(fs, 0));
	errcode_t code = ext2fs_flush(fs);

	if (code)
		return err_ext2(err, code, "write the file system's accounts");
	if (!gather_give(fs->io, span, err))
		return false;
	ext4_freep(ext4);
	return true;
}
