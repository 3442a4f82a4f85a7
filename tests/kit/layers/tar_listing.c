#include "tar_listing.h"

#include <inttypes.h>

#include "layers/tar.h"

MUST_CHECK static bool print_entry(struct bytes *out, const struct tar_entry *entry,
				   struct err *err)
{
	static const char kinds[] = "?fdlhcbp";

	if (!bytes_print(out, err, "%c %.*s -> %.*s %o %u:%u %" PRId64 ".%09u %" PRIu64 " [",
			 kinds[entry->kind], VIEW_ARGS(entry->path), VIEW_ARGS(entry->link),
			 entry->mode, entry->uid, entry->gid, entry->mtime_seconds,
			 entry->mtime_ns, entry->size))
		return false;
	for (size_t i = 0; i < entry->segment_count; i++) {
		if (!bytes_print(out, err, " %" PRIu64 "+%" PRIu64,
				 entry->segments[i].offset, entry->segments[i].len))
			return false;
	}
	for (size_t i = 0; i < entry->xattr_count; i++) {
		if (!bytes_print(out, err, " %.*s=%.*s", VIEW_ARGS(entry->xattrs[i].name),
				 VIEW_ARGS(entry->xattrs[i].value)))
			return false;
	}
	return bytes_append(out, "] ", 2, err);
}

MUST_CHECK static bool print_body(struct bytes *out, struct tar_reader *reader,
				  struct err *err)
{
	struct view piece = { 0 };

	do {
		if (!tar_body(reader, &piece, err) ||
		    (piece.len > 0 && !bytes_append(out, piece.ptr, piece.len, err)))
			return false;
	} while (piece.len > 0);
	return bytes_append(out, "\n", 1, err);
}

bool tar_listing(struct bytes *out, struct input *input, bool with_bodies, struct err *err)
{
	CLEANUP(tar_freep) struct tar_reader *reader = NULL;
	struct tar_entry entry = { 0 };
	bool is_end = false;

	if (!tar_open(&reader, input, &(struct tar_caps)TAR_CAPS_DEFAULT, err))
		return false;
	for (;;) {
		if (!tar_next(reader, &entry, &is_end, err))
			return false;
		if (is_end)
			return true;
		if (!print_entry(out, &entry, err) ||
		    (with_bodies && !print_body(out, reader, err)))
			return false;
	}
}
