#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <ext2fs/ext2fs.h>

#include "base/cleanup.h"
#include "layers/crc.h"
#include "listing.h"
#include "nodes.h"

enum { CHUNK_BYTES = 1 << 20 };

/* A walk through an image, one directory being read at a time. */
struct walk {
	ext2_filsys fs;
	struct nodes nodes;
	char *chunk; /* owned, CHUNK_BYTES */
};

struct place {
	struct walk *walk;
	const char *path; /* of the directory */
};

static void must(errcode_t code, const char *what)
{
	if (!code)
		return;
	fprintf(stderr, "reading an image: %s: %s\n", what, error_message(code));
	abort();
}

static int64_t wide_time(uint32_t low, uint32_t extra)
{
	return (int32_t)low + ((int64_t)(extra & 3) << 32);
}

/* The blocks of an extent that lie in the file, a part at a time. */
static uint32_t extent_crc(struct walk *walk, const struct ext2fs_extent *extent, uint64_t size,
			   uint32_t crc)
{
	const uint64_t block_bytes = walk->fs->blocksize, most = CHUNK_BYTES / block_bytes;

	for (uint64_t done = 0; done < extent->e_len;) {
		uint64_t count = extent->e_len - done < most ? extent->e_len - done : most;
		uint64_t left = size - (extent->e_lblk + done) * block_bytes;
		uint64_t len = count * block_bytes < left ? count * block_bytes : left;

		must(io_channel_read_blk64(walk->fs->io, extent->e_pblk + done, (int)count,
					   walk->chunk),
		     "a body");
		crc = crc32c_add(crc, walk->chunk, len);
		done += count;
	}
	return crc;
}

static uint32_t body_crc(struct walk *walk, ext2_ino_t number, uint64_t size)
{
	const uint64_t block_bytes = walk->fs->blocksize;
	ext2_extent_handle_t handle = NULL;
	struct ext2fs_extent extent;
	uint64_t at = 0;
	uint32_t crc = 0;

	must(ext2fs_extent_open(walk->fs, number, &handle), "extents");
	errcode_t code = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &extent);

	for (; !code; code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT_LEAF, &extent)) {
		if ((extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) == 0)
			continue;
		crc = crc32c_add_zeros(crc, extent.e_lblk * block_bytes - at);
		crc = extent_crc(walk, &extent, size, crc);
		at = (extent.e_lblk + extent.e_len) * block_bytes;
	}
	if (code != EXT2_ET_EXTENT_NO_NEXT && code != EXT2_ET_NO_CURRENT_NODE)
		must(code, "extents");
	ext2fs_extent_free(handle);
	return at < size ? crc32c_add_zeros(crc, size - at) : crc;
}

static void print_target(struct walk *walk, struct bytes *out, ext2_ino_t number,
			 struct ext2_inode *inode)
{
	char target[4097] = "";

	if (ext2fs_is_fast_symlink(inode)) {
		memcpy(target, inode->i_block, inode->i_size);
	} else {
		blk64_t block = 0;

		must(ext2fs_bmap2(walk->fs, number, inode, NULL, 0, 0, NULL, &block), "a symlink");
		must(io_channel_read_blk64(walk->fs->io, block, 1, target), "a symlink");
	}
	nodes_text(out, " -> %s", target);
}

static void print_device(struct bytes *out, const struct ext2_inode *inode)
{
	uint32_t old = inode->i_block[0], new = inode->i_block[1];

	if (old != 0)
		nodes_text(out, " %u,%u", old >> 8, old & 0xff);
	else
		nodes_text(out, " %u,%u", (new >> 8) & 0xfff,
			   (new & 0xff) | ((new >> 12) & ~0xffu));
}

/* Names and values, to be sorted. */
struct found_xattrs {
	struct ext2_xattr_handle *handle;
	char *texts[256];
	size_t count;
};

static int add_xattr(char *name, char *value, size_t value_len, void *context)
{
	struct found_xattrs *found = context;
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);
	void *got = NULL;
	size_t got_len = 0;

	(void)value, (void)value_len; /* as stored: ext2fs_xattr_get gives it as the kernel would */
	if (found->count == 256)
		abort();
	must(ext2fs_xattr_get(found->handle, name, &got, &got_len), name);
	nodes_xattr(&text, name, strlen(name), got, got_len);
	ext2fs_free_mem(&got);
	found->texts[found->count++] = bytes_take(&text);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;
	size_t left_len = strcspn(left, "="), right_len = strcspn(right, "=");
	size_t least = left_len < right_len ? left_len : right_len;
	int order = memcmp(left, right, least);

	return order ? order : (left_len > right_len) - (left_len < right_len);
}

static void print_xattrs(struct walk *walk, struct bytes *out, ext2_ino_t number)
{
	struct found_xattrs found = { 0 };

	must(ext2fs_xattrs_open(walk->fs, number, &found.handle), "xattrs");
	must(ext2fs_xattrs_read(found.handle), "xattrs");
	must(ext2fs_xattrs_iterate(found.handle, add_xattr, &found), "xattrs");
	must(ext2fs_xattrs_close(&found.handle), "xattrs");
	qsort(found.texts, found.count, sizeof(found.texts[0]), compare_texts);
	for (size_t i = 0; i < found.count; i++) {
		nodes_text(out, "%s", found.texts[i]);
		free(found.texts[i]);
	}
}

static void add_node(struct walk *walk, const char *path, ext2_ino_t number,
		     struct ext2_inode_large *large)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);
	struct ext2_inode *inode = (struct ext2_inode *)large;
	uint64_t size = EXT2_I_SIZE(inode);

	nodes_text(&text, "%o %u:%u %lld.%09u", inode->i_mode, inode_uid(*inode), inode_gid(*inode),
		   (long long)wide_time(inode->i_mtime, large->i_mtime_extra),
		   large->i_mtime_extra >> 2);
	if (!LINUX_S_ISDIR(inode->i_mode))
		nodes_text(&text, " %llu", (unsigned long long)size);
	nodes_text(&text, " %u", inode->i_links_count);
	if (LINUX_S_ISREG(inode->i_mode))
		nodes_text(&text, " %08x", body_crc(walk, number, size));
	if (LINUX_S_ISLNK(inode->i_mode))
		print_target(walk, &text, number, inode);
	if (LINUX_S_ISCHR(inode->i_mode) || LINUX_S_ISBLK(inode->i_mode))
		print_device(&text, inode);
	print_xattrs(walk, &text, number);
	nodes_add(&walk->nodes, path, text.data, number);
}

static void visit(struct walk *walk, const char *path, ext2_ino_t number);

static int visit_name(struct ext2_dir_entry *entry, int offset, int blocksize, char *buffer,
		      void *context)
{
	struct place *place = context;
	int len = ext2fs_dirent_name_len(entry);
	char path[8192];

	(void)offset, (void)blocksize, (void)buffer;
	if ((len == 1 && entry->name[0] == '.') || (len == 2 && memcmp(entry->name, "..", 2) == 0))
		return 0;
	snprintf(path, sizeof(path), "%s/%.*s", place->path, len, entry->name);
	visit(place->walk, path, entry->inode);
	return 0;
}

static void visit(struct walk *walk, const char *path, ext2_ino_t number)
{
	struct ext2_inode_large inode = { 0 };
	struct place place = { walk, path };

	must(ext2fs_read_inode_full(walk->fs, number, (struct ext2_inode *)&inode, sizeof(inode)),
	     path);
	add_node(walk, path, number, &inode);
	if (LINUX_S_ISDIR(inode.i_mode))
		must(ext2fs_dir_iterate(walk->fs, number, 0, NULL, visit_name, &place), path);
}

void listing_of_image(struct bytes *out, const char *path)
{
	struct walk walk = { .chunk = malloc(CHUNK_BYTES) };

	must(ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &walk.fs), path);
	visit(&walk, "", EXT2_ROOT_INO);
	nodes_print(&walk.nodes, out);
	nodes_freep(&walk.nodes);
	free(walk.chunk);
	must(ext2fs_close_free(&walk.fs), path);
}
