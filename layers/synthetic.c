#include "synthetic.h"

#include <sys/mman.h>

#include "base/cleanup.h"

enum { INDEX_BYTES_MAX = 64 << 20 }; /* a driver has some hundred entries */

void synthetic_freep(struct synthetic *synthetic)
{
	index_builder_freep(&synthetic->index);
	body_writer_freep(&synthetic->bodies);
	fd_closep(&synthetic->data_fd);
	*synthetic = SYNTHETIC_NONE;
}

bool synthetic_start(struct synthetic *out, int64_t time_seconds, struct err *err)
{
	CLEANUP(synthetic_freep) struct synthetic made = SYNTHETIC_NONE;

	made.time_seconds = time_seconds;
	made.data_fd = memfd_create("vmbake-layer", MFD_CLOEXEC);
	if (made.data_fd < 0)
		return err_os(err, "make a file in memory");
	if (!index_builder_new(&made.index, err) ||
	    !body_writer_new(&made.bodies, made.data_fd, BODY_BUFFER_BYTES, err))
		return false;
	*out = made;
	made = SYNTHETIC_NONE;
	return true;
}

bool synthetic_start_over(struct synthetic *out, const struct index *index, int data_fd,
			  int64_t time_seconds, struct err *err)
{
	CLEANUP(synthetic_freep) struct synthetic made = SYNTHETIC_NONE;

	made.time_seconds = time_seconds;
	made.stored = index;
	made.stored_fd = data_fd;
	if (!index_builder_new(&made.index, err))
		return false;
	*out = made;
	made = SYNTHETIC_NONE;
	return true;
}

MUST_CHECK static bool add(struct synthetic *synthetic, struct entry entry, struct err *err)
{
	entry.mtime_seconds = synthetic->time_seconds;
	return index_builder_add(synthetic->index, &entry, err);
}

bool synthetic_add_dir(struct synthetic *synthetic, const char *path, uint32_t mode,
		       struct err *err)
{
	return add(synthetic,
		   (struct entry){ .kind = ENTRY_DIR, .path = view_of(path), .mode = mode }, err);
}

bool synthetic_add_symlink(struct synthetic *synthetic, const char *path, const char *target,
			   struct err *err)
{
	return add(synthetic,
		   (struct entry){ .kind = ENTRY_SYMLINK,
				   .path = view_of(path),
				   .link = view_of(target),
				   .mode = 0777 },
		   err);
}

bool synthetic_add_whiteout(struct synthetic *synthetic, const char *path, struct err *err)
{
	return add(synthetic, (struct entry){ .kind = ENTRY_WHITEOUT, .path = view_of(path) }, err);
}

bool synthetic_add_file(struct synthetic *synthetic, const char *path, uint32_t mode,
			struct view content, struct err *err)
{
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of(path),
			       .mode = mode,
			       .size = content.len };

	body_begin(synthetic->bodies);
	return body_write(synthetic->bodies, content, err) &&
	       body_end(synthetic->bodies, content.len, &entry.extents, &entry.extent_count,
			&entry.body_crc32c, err) &&
	       add(synthetic, entry, err);
}

bool synthetic_add_stored(struct synthetic *synthetic, const char *path, uint32_t mode,
			  const struct index_entry *entry, struct err *err)
{
	return add(synthetic,
		   (struct entry){ .kind = ENTRY_FILE,
				   .path = view_of(path),
				   .mode = mode,
				   .size = entry->size,
				   .body_crc32c = entry->body_crc32c,
				   .extents = synthetic->stored->extents + entry->extent_first,
				   .extent_count = entry->extent_count },
		   err);
}

bool synthetic_finish(struct synthetic_layer *out, struct synthetic *synthetic, struct err *err)
{
	CLEANUP(synthetic_layer_freep) struct synthetic_layer layer = SYNTHETIC_LAYER_NONE;
	uint64_t data_bytes = synthetic->stored ? synthetic->stored->data_bytes : 0;
	const struct digest none = { 0 };

	layer.index_bytes = bytes_capped(INDEX_BYTES_MAX);
	if ((synthetic->bodies && !body_writer_finish(synthetic->bodies, &data_bytes, err)) ||
	    !index_builder_finish(synthetic->index, data_bytes, &none, &layer.index_bytes, err) ||
	    !index_parse(&layer.index, bytes_view(&layer.index_bytes), err))
		return false;
	layer.owns_data = !synthetic->stored;
	layer.data_fd = layer.owns_data ? fd_take(&synthetic->data_fd) : synthetic->stored_fd;
	*out = layer;
	layer = SYNTHETIC_LAYER_NONE;
	return true;
}

void synthetic_layer_freep(struct synthetic_layer *layer)
{
	index_closep(&layer->index);
	bytes_freep(&layer->index_bytes);
	if (layer->owns_data)
		fd_closep(&layer->data_fd);
	*layer = SYNTHETIC_LAYER_NONE;
}
