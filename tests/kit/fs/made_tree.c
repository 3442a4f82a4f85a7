#include "made_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "layers/merge.h"

static void must(bool ok, const struct err *err)
{
	if (ok)
		return;
	fprintf(stderr, "made tree: %s\n", err->msg);
	abort();
}

void made_tree_begin(struct made_tree *made, int data_fd)
{
	struct err err = { 0 };

	*made = MADE_TREE_NONE;
	made->data_fd = data_fd >= 0 ? data_fd : memfd_create("data", MFD_CLOEXEC);
	made->index_bytes = bytes_capped((size_t)1 << 31);
	must(index_builder_new(&made->builder, &err), &err);
	must(body_writer_new(&made->bodies, made->data_fd, BODY_BUFFER_BYTES, &err), &err);
}

void made_tree_freep(struct made_tree *made)
{
	tree_freep(&made->tree);
	index_builder_freep(&made->builder);
	body_writer_freep(&made->bodies);
	bytes_freep(&made->index_bytes);
	fd_closep(&made->data_fd);
}

void made_tree_add(struct made_tree *made, const struct entry *entry)
{
	struct err err = { 0 };

	must(index_builder_add(made->builder, entry, &err), &err);
}

void made_tree_add_dir(struct made_tree *made, const char *path)
{
	made_tree_add(made, &(struct entry){ .kind = ENTRY_DIR,
					     .path = view_of(path),
					     .mode = 0755,
					     .mtime_seconds = 1234567890 });
}

void made_tree_add_text(struct made_tree *made, const char *path, const char *body)
{
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of(path),
			       .mode = 0644,
			       .mtime_seconds = 1234567890,
			       .size = strlen(body) };

	made_tree_add_file(made, &entry, &(struct made_part){ 0, view_of(body) }, 1);
}

void made_tree_add_file(struct made_tree *made, const struct entry *entry,
			const struct made_part *parts, size_t part_count)
{
	struct entry added = *entry;
	struct err err = { 0 };

	body_begin(made->bodies);
	for (size_t i = 0; i < part_count; i++) {
		must(body_seek(made->bodies, parts[i].offset, &err), &err);
		must(body_write(made->bodies, parts[i].bytes, &err), &err);
	}
	must(body_end(made->bodies, entry->size, &added.extents, &added.extent_count,
		      &added.body_crc32c, &err),
	     &err);
	made_tree_add(made, &added);
}

char *made_body(size_t len, unsigned seed)
{
	char *body = malloc(len + 1);

	if (!body)
		abort();
	for (size_t i = 0; i < len; i++)
		body[i] = (char)(1 + (i / INDEX_BLOCK_BYTES * 7 + i + seed) % 251);
	return body;
}

void made_tree_finish(struct made_tree *made)
{
	uint64_t data_bytes = 0;
	struct err err = { 0 };

	must(body_writer_finish(made->bodies, &data_bytes, &err), &err);
	must(index_builder_finish(made->builder, data_bytes, NULL, &made->index_bytes, &err), &err);
	must(index_parse(&made->index, bytes_view(&made->index_bytes), &err), &err);
	must(tree_new(&made->tree, &err), &err);
	must(merge_layer(made->tree, &made->index, 0, &err), &err);
}

struct image_options made_options(void)
{
	return (struct image_options){ .time_seconds = 1000000000,
				       .identity = digest_of("made", 4),
				       .jobs = 1 };
}

bool made_tree_write(const struct made_tree *made, int fd, const struct image_options *options,
		     struct image_result *out, struct err *err)
{
	return image_write(fd, made->tree, &made->data_fd, 1, options, NULL, out, err);
}
