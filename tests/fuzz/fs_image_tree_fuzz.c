/* A finished image with bytes changed. The input is a list of changes, each 8 bytes: u32 offset, u8
 * value, 3 bytes not used, over a small image made here; checksums are what they were, so most
 * changes end at them, and images without metadata checksums (first byte odd) get further. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/le.h"
#include "fs/image_tree.h"
#include "layers/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMAGE_BYTES = 1 << 20, CHANGE_BYTES = 8 };

/* mke2fs's, with a few files in it, in memory; [0] with checksums, [1] without. */
static int make_image(const char *features)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	char command[512];

	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin; d=$(mktemp -d) && mkdir $d/a && echo text >$d/a/b &&"
		 " ln $d/a/b $d/c && ln -s a/b $d/d && truncate -s 1M $d/e && mke2fs -qF -t ext4"
		 " -b 4096 -O %s -d $d /proc/%d/fd/%d 1M >/dev/null 2>&1; rm -rf $d", features,
		 (int)getpid(), fd);
	if (fd < 0 || ftruncate(fd, IMAGE_BYTES) < 0 || system(command) != 0)
		abort();
	return fd;
}

static void copy_image(int from, int to)
{
	static char bytes[IMAGE_BYTES];
	struct err err = { 0 };

	if (!file_pread(from, bytes, sizeof(bytes), 0, "image", &err) ||
	    !file_pwrite(to, bytes, sizeof(bytes), 0, "image", &err))
		abort();
}

static void read_bodies(const struct image_tree *image)
{
	for (uint32_t inode = 1; inode <= tree_inode_max(image->tree); inode++) {
		const struct tree_inode *node = tree_inode(image->tree, inode);
		struct err err = { 0 };
		char body[64];

		if (node->entry && node->entry->kind == ENTRY_FILE &&
		    node->entry->size >= sizeof(body) &&
		    !content_read(image->tree, &image->data_fd, inode, 0, body, sizeof(body),
				  &err))
			assert(err.kind == ERR_IO);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int images[2] = { -1, -1 }, changed = -1;
	CLEANUP(image_tree_closep) struct image_tree image = IMAGE_TREE_NONE;
	struct err err = { 0 };
	char path[64];

	if (changed < 0) {
		images[0] = make_image("^has_journal");
		images[1] = make_image("^has_journal,^metadata_csum");
		changed = memfd_create("changed", MFD_CLOEXEC);
	}
	if (size == 0)
		return 0;
	copy_image(images[data[0] & 1], changed);
	for (data++, size--; size >= CHANGE_BYTES; data += CHANGE_BYTES, size -= CHANGE_BYTES)
		if (!file_pwrite(changed, data + 4, 1, le32_get(data) % IMAGE_BYTES, "image", &err))
			abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", changed);
	if (image_tree_open(&image, path, &err))
		read_bodies(&image);
	else
		assert(err.msg[0] != '\0');
	return 0;
}
