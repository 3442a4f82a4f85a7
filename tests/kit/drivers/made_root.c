#include "made_root.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "layers/merge.h"

static void must(bool is_done, const struct err *err)
{
	if (is_done)
		return;
	fprintf(stderr, "made root: %s\n", err->msg);
	abort();
}

void made_root_begin(struct made_root *root)
{
	struct err err = { 0 };

	*root = (struct made_root){ .data_fd = memfd_create("data", MFD_CLOEXEC),
				    .index_bytes = bytes_capped(1 << 30) };
	must(index_builder_new(&root->builder, &err), &err);
	must(body_writer_new(&root->bodies, root->data_fd, BODY_BUFFER_BYTES, &err), &err);
}

void made_root_freep(struct made_root *root)
{
	tree_freep(&root->tree);
	index_builder_freep(&root->builder);
	body_writer_freep(&root->bodies);
	bytes_freep(&root->index_bytes);
	fd_closep(&root->data_fd);
}

void made_root_file(struct made_root *root, const char *path, struct view body)
{
	struct entry entry = {
		.kind = ENTRY_FILE, .path = view_of(path), .mode = 0644, .size = body.len
	};
	struct err err = { 0 };

	body_begin(root->bodies);
	must(body_write(root->bodies, body, &err), &err);
	must(body_end(root->bodies, entry.size, &entry.extents, &entry.extent_count,
		      &entry.body_crc32c, &err),
	     &err);
	must(index_builder_add(root->builder, &entry, &err), &err);
}

void made_root_symlink(struct made_root *root, const char *path, const char *target)
{
	struct entry entry = {
		.kind = ENTRY_SYMLINK, .path = view_of(path), .link = view_of(target), .mode = 0777
	};
	struct err err = { 0 };

	must(index_builder_add(root->builder, &entry, &err), &err);
}

void made_root_library(struct made_root *root, const char *path, const struct made_library *library)
{
	char file[MADE_LIBRARY_BYTES];
	size_t len = made_library(file, library, NULL);

	made_root_file(root, path, (struct view){ file, len });
}

void made_root_finish(struct made_root *root)
{
	uint64_t data_bytes = 0;
	struct err err = { 0 };

	must(body_writer_finish(root->bodies, &data_bytes, &err), &err);
	must(index_builder_finish(root->builder, data_bytes, NULL, &root->index_bytes, &err), &err);
	must(index_parse(&root->index, bytes_view(&root->index_bytes), &err), &err);
	must(tree_new(&root->tree, &err), &err);
	must(merge_layer(root->tree, &root->index, 0, &err), &err);
}
