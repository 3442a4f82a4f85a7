#include "case_index.h"

#include <stdlib.h>

#include "layers/crc.h"
#include "layers/path.h"
#include "layers/whiteout.h"

static void must(bool is_done, const struct err *err)
{
	if (is_done)
		return;
	fprintf(stderr, "%s\n", err->msg);
	abort();
}

static void add(struct index_builder *builder, const struct case_entry *from)
{
	char path[PATH_BYTES_MAX], link[PATH_BYTES_MAX];
	struct entry entry = { .kind = from->kind, .link = from->target };
	struct err err;

	must(path_clean(path, from->path.ptr, from->path.len, &err), &err);
	switch (whiteout_classify(path, &entry.path)) {
	case WHITEOUT_NONE:
		entry.path = view_of(path);
		break;
	case WHITEOUT_NAME:
		entry.kind = ENTRY_WHITEOUT;
		break;
	case WHITEOUT_OPAQUE:
		entry.kind = ENTRY_OPAQUE;
		break;
	case WHITEOUT_AUFS:
	case WHITEOUT_AUFS_LINKED:
		return;
	case WHITEOUT_MALFORMED:
		abort();
	}
	if (entry.kind == ENTRY_HARDLINK) {
		must(path_clean(link, from->target.ptr, from->target.len, &err), &err);
		entry.link = view_of(link);
	}
	entry.mode = from->mode & 07777;
	entry.uid = from->uid;
	entry.gid = from->gid;
	entry.rdev_major = from->rdev_major;
	entry.rdev_minor = from->rdev_minor;
	entry.mtime_seconds = from->mtime_seconds;
	entry.mtime_ns = from->mtime_ns;
	entry.size = entry.kind == ENTRY_FILE ? from->size : 0;
	entry.body_crc32c = crc32c_add(0, from->body.ptr, from->body.len);
	entry.body_crc32c = crc32c_add_zeros(entry.body_crc32c, from->size - from->body.len);
	entry.xattrs = from->xattrs;
	entry.xattr_count = from->xattr_count;
	must(index_builder_add(builder, &entry, &err), &err);
}

void case_index(struct bytes *bytes, struct index *index, const struct case_list *layer)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	struct digest none = { { 0 } };
	struct err err;

	must(index_builder_new(&builder, &err), &err);
	for (size_t i = 0; i < layer->count; i++)
		add(builder, &layer->entries[i]);
	must(index_builder_finish(builder, 0, &none, bytes, &err), &err);
	must(index_parse(index, bytes_view(bytes), &err), &err);
}
