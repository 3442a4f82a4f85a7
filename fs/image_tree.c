#include "image_tree.h"

#include <errno.h>
#include <stdlib.h>

#include <ext2fs/ext2fs.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "block.h"
#include "ext2_errors.h"
#include "image_extents.h"
#include "layers/path.h"

enum {
	INODES_MAX = 10 * 1000 * 1000, /* as many as an image may have entries */
	SCAN_BLOCKS = 256, /* of an inode table, read at once */
	LINK_BYTES_MAX = 4096,
	DIRENT_HEAD_BYTES = 8, /* inode, length, name's length, type */
	DIRECTORY_BLOCKS_MAX = 4 << 20, /* in all: 16 GiB */
};

/* What is under way: from inode numbers to entries to inodes of the tree. */
struct reading {
	struct image_tree *image;
	ext2_filsys fs; /* owned, as is all below */
	uint32_t *entry_of; /* entry_of[inode number]: 1 + number of its entry, 0: not in use */
	uint32_t *inode_of; /* inode_of[entry]: in the tree, or TREE_NONE */
	struct bytes pending; /* inode numbers of directories that are to be read */
	uint64_t steps_left; /* of all extents, see image_extents.h */
	uint64_t blocks_left; /* of all directories: no block is in two of them */
	_Alignas(uint64_t) char block[BLOCK_BYTES];
};

static void reading_freep(struct reading *reading)
{
	if (reading->fs)
		ext2fs_close_free(&reading->fs);
	free(reading->entry_of);
	free(reading->inode_of);
	bytes_freep(&reading->pending);
}

void image_tree_closep(struct image_tree *image)
{
	tree_freep(&image->tree);
	fd_closep(&image->data_fd);
	bytes_freep(&image->entries);
	bytes_freep(&image->extents);
	bytes_freep(&image->links);
	arena_freep(&image->names);
}

MUST_CHECK static bool broken(struct err *err, errcode_t code, const char *what)
{
	return err_set(err, ERR_FORMAT, "a broken file system: %s: %s", what, error_message(code));
}

/* The entry of an inode that is in use. */
static struct index_entry *entry_of(const struct reading *reading, ext2_ino_t number)
{
	struct index_entry *entries = (void *)reading->image->entries.data;

	return &entries[reading->entry_of[number] - 1];
}

/* The inodes that a scan has to look at: all but those that no group has used yet. */
static uint64_t count_inodes(ext2_filsys fs)
{
	uint64_t count = 0;

	for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
		uint64_t unused = ext2fs_bg_itable_unused(fs, group);

		if (ext2fs_has_group_desc_csum(fs) &&
		    ext2fs_bg_flags_test(fs, group, EXT2_BG_INODE_UNINIT))
			continue;
		count += fs->super->s_inodes_per_group;
		if (ext2fs_has_group_desc_csum(fs) && unused <= fs->super->s_inodes_per_group)
			count -= unused;
	}
	return count;
}

MUST_CHECK static bool check_shape(const struct reading *reading, struct err *err)
{
	ext2_filsys fs = reading->fs;
	uint64_t size_bytes = ext2fs_blocks_count(fs->super) * (uint64_t)fs->blocksize;
	struct stat stat;

	if (fstat(reading->image->data_fd, &stat) < 0)
		return err_os(err, "stat an image");
	if (fs->blocksize != BLOCK_BYTES || ext2fs_has_feature_bigalloc(fs->super))
		return err_set(err, ERR_UNSUPPORTED, "its blocks are not of %d bytes", BLOCK_BYTES);
	if (ext2fs_has_feature_journal_needs_recovery(fs->super))
		return err_set(err, ERR_UNSUPPORTED,
			       "it is in use or was not unmounted: its journal is not played back");
	if (S_ISREG(stat.st_mode) && (uint64_t)stat.st_size < size_bytes)
		return err_set(err, ERR_FORMAT, "it is cut off: %llu bytes of %llu",
			       (unsigned long long)stat.st_size, (unsigned long long)size_bytes);
	if (count_inodes(fs) > INODES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d inodes", INODES_MAX);
	return true;
}

MUST_CHECK static bool open_filesystem(struct reading *reading, const char *path, struct err *err)
{
	ext2_errors_load();
	if (!file_open(&reading->image->data_fd, AT_FDCWD, path, O_RDONLY, err))
		return false;
	errcode_t code = ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &reading->fs);

	if (code > 0 && code < 256) {
		errno = (int)code;
		return err_os_path(err, "open %s", path);
	}
	if (code)
		return err_set(err, ERR_FORMAT, "not an ext4 image: %s", error_message(code));
	if (!check_shape(reading, err))
		return false;
	reading->entry_of = calloc((size_t)reading->fs->super->s_inodes_count + 1,
				   sizeof(*reading->entry_of));
	reading->blocks_left = ext2fs_blocks_count(reading->fs->super);
	if (reading->blocks_left > DIRECTORY_BLOCKS_MAX)
		reading->blocks_left = DIRECTORY_BLOCKS_MAX;
	return reading->entry_of || err_memory(err, "an image's inodes");
}

static enum entry_kind kind_of(uint16_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
		return ENTRY_FILE;
	case LINUX_S_IFDIR:
		return ENTRY_DIR;
	case LINUX_S_IFLNK:
		return ENTRY_SYMLINK;
	case LINUX_S_IFCHR:
		return ENTRY_CHAR;
	case LINUX_S_IFBLK:
		return ENTRY_BLOCK;
	case LINUX_S_IFIFO:
		return ENTRY_FIFO;
	default: /* a socket, which no layer can hold: as a FIFO, nothing to be read */
		return ENTRY_FIFO;
	}
}

/* Seconds beyond 32 bits and nanoseconds: Documentation/filesystems/ext4/inodes.rst. */
static void set_time(struct index_entry *entry, const struct ext2_inode_large *inode)
{
	uint32_t extra = inode->i_extra_isize >= 8 ? inode->i_mtime_extra : 0;

	entry->mtime_seconds = (int32_t)inode->i_mtime + ((int64_t)(extra & 3) << 32);
	entry->mtime_ns = (extra >> 2) % 1000000000;
}

/* include/linux/kdev_t.h: an old number in the first word, a new one in the second. */
static void set_device(struct index_entry *entry, const struct ext2_inode_large *inode)
{
	uint32_t old = inode->i_block[0], new = inode->i_block[1];

	entry->rdev_major = old ? (old >> 8) & 0xff : (new & 0xfff00) >> 8;
	entry->rdev_minor = old ? old & 0xff : (new & 0xff) | (new >> 12 & 0xfff00);
}

MUST_CHECK static bool add_link(struct reading *reading, struct index_entry *entry,
				const struct ext2_inode_large *inode, const char *text,
				struct err *err)
{
	struct bytes *links = &reading->image->links;
	uint64_t size = EXT2_I_SIZE(inode);

	entry->link_offset = (uint32_t)links->len;
	entry->link_len = (uint32_t)size;
	return bytes_append(links, text, size, err);
}

/* Short ones stand where the extents would, others fill the start of one block. */
MUST_CHECK static bool read_link(struct reading *reading, ext2_ino_t number,
				 struct index_entry *entry, const struct ext2_inode_large *inode,
				 struct err *err)
{
	CLEANUP(bytes_freep) struct bytes extents = bytes_capped(BLOCK_BYTES);
	uint64_t size = EXT2_I_SIZE(inode);
	const struct extent *extent = NULL;

	if (size == 0 || size > LINK_BYTES_MAX)
		return err_set(err, ERR_FORMAT, "a broken file system: a symlink of %llu bytes",
			       (unsigned long long)size);
	if (size < sizeof(inode->i_block) && !(inode->i_flags & EXT4_EXTENTS_FL))
		return add_link(reading, entry, inode, (const char *)inode->i_block, err);
	if (!image_extents_read(&extents, &reading->steps_left, reading->fs, number, inode, err))
		return false;
	extent = (const void *)extents.data;
	if (extents.len == 0 || extent->block != 0)
		return err_set(err, ERR_FORMAT, "a broken file system: a symlink to nowhere");
	errcode_t code = io_channel_read_blk64(reading->fs->io, extent->data_block, 1,
					       reading->block);

	return code ? broken(err, code, "read a symlink") :
		      add_link(reading, entry, inode, reading->block, err);
}

MUST_CHECK static bool read_body(struct reading *reading, ext2_ino_t number,
				 struct index_entry *entry, const struct ext2_inode_large *inode,
				 struct err *err)
{
	struct bytes *extents = &reading->image->extents;
	size_t first = extents->len / sizeof(struct extent);

	if (!image_extents_read(extents, &reading->steps_left, reading->fs, number, inode, err))
		return false;
	entry->extent_first = first;
	entry->extent_count = (uint32_t)(extents->len / sizeof(struct extent) - first);
	if (entry->kind == ENTRY_FILE)
		entry->size = EXT2_I_SIZE(inode);
	return true;
}

MUST_CHECK static bool add_entry(struct reading *reading, ext2_ino_t number,
				 const struct ext2_inode_large *inode, struct err *err)
{
	struct image_tree *image = reading->image;
	struct index_entry entry = {
		.kind = (uint8_t)kind_of(inode->i_mode),
		.mode = inode->i_mode & 07777u,
		.uid = inode_uid(*inode),
		.gid = inode_gid(*inode),
	};
	bool is_good = true;

	set_time(&entry, inode);
	if (inode->i_flags & (EXT4_INLINE_DATA_FL | EXT4_ENCRYPT_FL))
		return err_set(err, ERR_UNSUPPORTED, "data inside of inodes, or encryption");
	if (entry.kind == ENTRY_FILE || entry.kind == ENTRY_DIR)
		is_good = read_body(reading, number, &entry, inode, err);
	else if (entry.kind == ENTRY_SYMLINK)
		is_good = read_link(reading, number, &entry, inode, err);
	else if (entry.kind == ENTRY_CHAR || entry.kind == ENTRY_BLOCK)
		set_device(&entry, inode);
	if (!is_good || !bytes_append(&image->entries, &entry, sizeof(entry), err))
		return err_wrap(err, "inode %u", number);
	reading->entry_of[number] = (uint32_t)(image->entries.len / sizeof(entry));
	return true;
}

static void scan_closep(ext2_inode_scan *scan)
{
	if (*scan)
		ext2fs_close_inode_scan(*scan);
}

MUST_CHECK static bool scan_inodes(struct reading *reading, struct err *err)
{
	CLEANUP(scan_closep) ext2_inode_scan scan = NULL;
	struct ext2_inode_large inode = { 0 };
	struct ext2_inode *start = (struct ext2_inode *)(void *)&inode;
	errcode_t code = ext2fs_open_inode_scan(reading->fs, SCAN_BLOCKS, &scan);
	ext2_ino_t number = 0;

	while (!code) {
		code = ext2fs_get_next_inode_full(scan, &number, start, sizeof(inode));
		if (code || number == 0)
			break;
		bool is_reserved = number != EXT2_ROOT_INO &&
				   number < EXT2_FIRST_INODE(reading->fs->super);

		if (is_reserved || inode.i_links_count == 0)
			continue;
		if (!add_entry(reading, number, &inode, err))
			return false;
	}
	return code ? broken(err, code, "read the inodes") : true;
}

/* Nothing moves any more: the entries can be pointed at. */
static void finish_index(struct image_tree *image)
{
	struct index *index = &image->index;

	index->entries = (const void *)image->entries.data;
	index->entry_count = image->entries.len / sizeof(struct index_entry);
	index->extents = (const void *)image->extents.data;
	index->extent_count = image->extents.len / sizeof(struct extent);
	index->strings = bytes_view(&image->links);
}

MUST_CHECK static bool is_name(struct view name, struct err *err)
{
	if (name.len > 0 && !memchr(name.ptr, '/', name.len) && !memchr(name.ptr, '\0', name.len))
		return true;
	return err_set(err, ERR_FORMAT, "a broken file system: a name that is none");
}

/* The tree's inode for one of the image's; made when this is its first name. */
MUST_CHECK static bool take_inode(struct reading *reading, ext2_ino_t number, uint32_t *out,
				  struct err *err)
{
	struct image_tree *image = reading->image;
	const struct index_entry *entry = entry_of(reading, number);
	uint32_t *inode = &reading->inode_of[reading->entry_of[number] - 1];
	bool is_dir = entry->kind == ENTRY_DIR;

	if (*inode != TREE_NONE && is_dir)
		return err_set(err, ERR_FORMAT, "a broken file system: a directory of two names");
	if (*inode == TREE_NONE) {
		if (!tree_add_inode(image->tree, &image->index, entry, 0, inode, err))
			return false;
		if (is_dir && !bytes_append(&reading->pending, &number, sizeof(number), err))
			return false;
	}
	*out = *inode;
	return true;
}

MUST_CHECK static bool add_name(struct reading *reading, uint32_t dir, ext2_ino_t number,
				struct view name, struct err *err)
{
	struct image_tree *image = reading->image;
	uint32_t inode = TREE_NONE;

	if (view_equal(name, ".") || view_equal(name, ".."))
		return true;
	if (!is_name(name, err))
		return false;
	if (number > reading->fs->super->s_inodes_count || reading->entry_of[number] == 0 ||
	    tree_find(image->tree, dir, name) != TREE_NONE)
		return err_set(err, ERR_FORMAT,
			       "a broken file system: the name '%.*s' is there twice, or leads to"
			       " no inode", VIEW_ARGS(name));
	char *copy = arena_copy(&image->names, name.ptr, name.len);

	if (!copy)
		return err_memory(err, "an image's names");
	return take_inode(reading, number, &inode, err) &&
	       tree_link(image->tree, dir, (struct view){ copy, name.len }, inode, err);
}

/* One block of a directory. Index blocks look like empty ones, on purpose. */
MUST_CHECK static bool read_names(struct reading *reading, uint32_t dir, struct err *err)
{
	for (uint32_t at = 0; at < BLOCK_BYTES;) {
		const struct ext2_dir_entry *entry = (const void *)(reading->block + at);
		uint32_t name_len = (uint32_t)ext2fs_dirent_name_len(entry);
		uint32_t left = BLOCK_BYTES - at, len = left;

		if (left >= DIRENT_HEAD_BYTES)
			len = entry->rec_len;
		if (left < DIRENT_HEAD_BYTES || len < DIRENT_HEAD_BYTES || len > left ||
		    len % 4 != 0 || (entry->inode != 0 && name_len > len - DIRENT_HEAD_BYTES))
			return err_set(err, ERR_FORMAT,
				       "a broken file system: a directory that makes no sense");
		if (entry->inode != 0 &&
		    !add_name(reading, dir, entry->inode, (struct view){ entry->name, name_len },
			      err))
			return false;
		at += len;
	}
	return true;
}

MUST_CHECK static bool read_directory(struct reading *reading, ext2_ino_t number, struct err *err)
{
	const struct index_entry *entry = entry_of(reading, number);
	const struct extent *extents = reading->image->index.extents + entry->extent_first;
	uint32_t dir = reading->inode_of[reading->entry_of[number] - 1];

	for (uint32_t i = 0; i < entry->extent_count; i++) {
		for (uint64_t block = 0; block < extents[i].block_count; block++) {
			if (reading->blocks_left-- == 0)
				return err_set(err, ERR_FORMAT,
					       "a broken file system: directories without end");
			errcode_t code = ext2fs_read_dir_block4(reading->fs,
								extents[i].data_block + block,
								reading->block, 0, number);

			if (code)
				return broken(err, code, "read a directory");
			if (!read_names(reading, dir, err))
				return false;
		}
	}
	return true;
}

/* From the root down, so that no directory can hold itself. */
MUST_CHECK static bool read_directories(struct reading *reading, struct err *err)
{
	struct image_tree *image = reading->image;
	ext2_ino_t number = EXT2_ROOT_INO;

	reading->inode_of = calloc(image->index.entry_count + 1, sizeof(*reading->inode_of));
	if (!reading->inode_of)
		return err_memory(err, "an image's inodes");
	if (reading->entry_of[number] == 0 || entry_of(reading, number)->kind != ENTRY_DIR)
		return err_set(err, ERR_FORMAT, "a broken file system: it has no root");
	reading->inode_of[reading->entry_of[number] - 1] = TREE_ROOT;
	tree_set_entry(image->tree, TREE_ROOT, &image->index, entry_of(reading, number), 0);
	if (!bytes_append(&reading->pending, &number, sizeof(number), err))
		return false;
	for (size_t at = 0; at < reading->pending.len; at += sizeof(number)) {
		memcpy(&number, reading->pending.data + at, sizeof(number));
		if (!read_directory(reading, number, err))
			return false;
	}
	return true;
}

/* A directory's blocks are no body that anyone may read. */
static void hide_directories(const struct reading *reading)
{
	struct index_entry *entries = (void *)reading->image->entries.data;

	for (uint64_t i = 0; i < reading->image->index.entry_count; i++)
		if (entries[i].kind == ENTRY_DIR)
			entries[i].extent_count = 0;
}

bool image_tree_open(struct image_tree *out, const char *path, struct err *err)
{
	CLEANUP(reading_freep) struct reading reading = { .image = out,
							  .pending = bytes_capped(SIZE_MAX),
							  .steps_left = IMAGE_EXTENT_STEPS_MAX };

	if (!open_filesystem(&reading, path, err) || !scan_inodes(&reading, err))
		return err_wrap(err, "%s", path);
	finish_index(out);
	if (!tree_new(&out->tree, err) || !read_directories(&reading, err))
		return err_wrap(err, "%s", path);
	hide_directories(&reading);
	return true;
}
