/* A library of an image, as its loader reads it: the bytes are the injected library, the loader and
 * a library that it needs all at once.
 */
#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/image/needed.h"
#include "layers/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct index_builder *builder, const char *path, enum entry_kind kind,
		const char *link, size_t size)
{
	struct extent whole = { 0, 0, (size + INDEX_BLOCK_BYTES - 1) / INDEX_BLOCK_BYTES };
	struct entry entry = { .kind = kind,
			       .path = view_of(path),
			       .link = view_of(link),
			       .mode = 0755,
			       .size = size,
			       .extents = &whole,
			       .extent_count = size > 0 };
	struct err err = { 0 };

	assert(index_builder_add(builder, &entry, &err));
}

static void make_index(struct bytes *out, size_t size)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	struct err err = { 0 };

	assert(index_builder_new(&builder, &err));
	add(builder, "usr/lib/libx.so.1", ENTRY_FILE, "", size);
	add(builder, "lib64/ld-linux-x86-64.so.2", ENTRY_SYMLINK, "/usr/lib/libx.so.1", 0);
	add(builder, "lib", ENTRY_SYMLINK, "usr/lib", 0);
	add(builder, "usr/lib/libc.so.6", ENTRY_SYMLINK, "libx.so.1", 0);
	assert(index_builder_finish(builder, 256 * INDEX_BLOCK_BYTES, NULL, out, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct needed_subject subject = { "/usr/lib/libx.so.1", false };
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	CLEANUP(bytes_freep) struct bytes index_bytes = bytes_capped(1 << 20);
	CLEANUP(tree_freep) struct tree *tree = NULL;
	CLEANUP(fd_closep) int fd = memfd_create("data", MFD_CLOEXEC);
	struct err err = { 0 };
	struct index index;

	if (size > 256 * INDEX_BLOCK_BYTES)
		return 0;
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	assert(ftruncate(fd, 256 * INDEX_BLOCK_BYTES) == 0);
	make_index(&index_bytes, size);
	assert(index_parse(&index, bytes_view(&index_bytes), &err));
	assert(tree_new(&tree, &err) && merge_layer(tree, &index, 0, &err));
	if (!needed_check(&findings, tree, &fd, &subject, 1, &err))
		assert(err.kind == ERR_UNSUPPORTED);
	return 0;
}
