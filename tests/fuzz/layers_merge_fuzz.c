/* An index of any content, merged twice onto a tree: refused, or the tree is sound.
 *
 * The input is an index file without its first and last parts, which are made to fit: nobody
 * guesses a CRC. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "layers/crc.h"
#include "layers/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_BYTES = 88, SUM_BYTES = 4 };

/* Byte 0 says how many entries stand at the front; all that is left is strings. */
static struct view index_bytes(const uint8_t *data, size_t size)
{
	size_t entry_count = data[0], body = size - 1;
	size_t entry_bytes = entry_count * sizeof(struct index_entry);
	char *bytes = calloc(1, HEADER_BYTES + body + SUM_BYTES);

	if (!bytes || entry_bytes > body) {
		free(bytes);
		return (struct view){ 0 };
	}
	memcpy(bytes, "vmbakeL", 8);
	le32_put(bytes + 8, 1);
	le32_put(bytes + 12, HEADER_BYTES);
	le64_put(bytes + 16, entry_count);
	le64_put(bytes + 32, body - entry_bytes);
	memcpy(bytes + HEADER_BYTES, data + 1, body);
	le32_put(bytes + HEADER_BYTES + body, crc32c_add(0, bytes, HEADER_BYTES + body));
	return (struct view){ bytes, HEADER_BYTES + body + SUM_BYTES };
}

static void check_dir(const struct tree *tree, uint32_t number, uint32_t *listed)
{
	const struct tree_inode *inode = tree_inode(tree, number);
	uint32_t previous = TREE_NONE;

	assert(inode->name_count > 0 || inode->first_child == TREE_NONE);
	for (uint32_t at = inode->first_child; at != TREE_NONE; at = tree_name(tree, at)->next) {
		const struct tree_name *name = tree_name(tree, at);

		assert(inode->is_dir && name->parent == number && name->previous == previous);
		assert(name->len >= 1 && name->len <= 255);
		assert(!memchr(name->ptr, '/', name->len));
		assert(tree_find(tree, number, (struct view){ name->ptr, name->len }) == at);
		previous = at;
		++*listed;
	}
}

static void check(const struct tree *tree)
{
	uint32_t listed = 1, live = 0, counted = 0;

	for (uint32_t name = TREE_ROOT; name <= tree_name_max(tree); name++)
		live += tree_name(tree, name)->inode != TREE_NONE;
	for (uint32_t inode = TREE_ROOT; inode <= tree_inode_max(tree); inode++) {
		check_dir(tree, inode, &listed);
		counted += tree_inode(tree, inode)->name_count;
	}
	assert(listed == live && counted == live);
	(void)live;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(tree_freep) struct tree *tree = NULL;
	struct err err = { 0 };
	struct index index;
	struct view bytes = size > 0 ? index_bytes(data, size) : (struct view){ 0 };

	if (bytes.len > 0 && index_parse(&index, bytes, &err)) {
		if (!tree_new(&tree, &err))
			abort();
		if (merge_layer(tree, &index, 0, &err) && merge_layer(tree, &index, 1, &err))
			check(tree);
		else
			assert(err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
	}
	free((void *)(uintptr_t)bytes.ptr);
	return 0;
}
