#include "tar.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "tar_reader.h"

enum {
	GLOBAL_BYTES_MAX = 2 << 10, /* of what is needed: read again for every entry that follows */
};

bool tar_open(struct tar_reader **out, struct input *input, const struct tar_caps *caps,
	      struct err *err)
{
	struct tar_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return err_memory(err, "opening a tar");
	reader->input = input;
	reader->caps = *caps;
	reader->global_text = bytes_capped(caps->header_bytes + GLOBAL_BYTES_MAX);
	reader->pax_text = bytes_capped(caps->header_bytes + GLOBAL_BYTES_MAX);
	reader->long_name = bytes_capped(caps->header_bytes);
	reader->long_link = bytes_capped(caps->header_bytes);
	reader->map.cap = caps->sparse_segments;
	*out = reader;
	return true;
}

void tar_freep(struct tar_reader **reader)
{
	if (!*reader)
		return;
	bytes_freep(&(*reader)->global_text);
	bytes_freep(&(*reader)->pax_text);
	bytes_freep(&(*reader)->long_name);
	bytes_freep(&(*reader)->long_link);
	tar_pax_freep(&(*reader)->pax);
	tar_map_freep(&(*reader)->map);
	freep(reader);
}

bool tar_body(struct tar_reader *reader, struct view *piece, struct err *err)
{
	struct input *input = reader->input;
	struct view out = { 0 };

	if (reader->stored_left > 0) {
		if (!input_more(input, err))
			return false;
		if (input->len == 0)
			return tar_reader_err_end(err);
		out.ptr = (const char *)input->ptr;
		out.len = input->len < reader->stored_left ? input->len
							   : (size_t)reader->stored_left;
		input_skip(input, out.len);
		reader->stored_left -= out.len;
	}
	*piece = out;
	return true;
}

/* The last body of an archive need not be padded: the end is found by whoever reads on. */
MUST_CHECK static bool skip_body(struct tar_reader *reader, struct err *err)
{
	char rubbish[TAR_BLOCK_BYTES];
	struct view piece = { 0 };
	size_t got = 0;

	while (reader->stored_left > 0) {
		if (!tar_body(reader, &piece, err))
			return false;
	}
	if (!tar_reader_take_some(reader, rubbish, reader->padding, &got, err))
		return false;
	reader->padding = 0;
	return true;
}

/* One whole block, or nothing at the end of the stream. */
MUST_CHECK static bool take_block(struct tar_reader *reader, struct tar_block *block, bool *is_end,
				  struct err *err)
{
	size_t got = 0;

	if (!tar_reader_take_some(reader, block, sizeof(*block), &got, err))
		return false;
	if (got > 0 && got < sizeof(*block))
		return tar_reader_err_end(err);
	*is_end = got == 0;
	return true;
}

/* The archive ends with two zero blocks, or where its stream does. */
MUST_CHECK static bool take_header(struct tar_reader *reader, bool *is_end, struct err *err)
{
	if (!take_block(reader, &reader->block, is_end, err))
		return false;
	if (*is_end)
		return true;
	if (!tar_is_zero(&reader->block)) {
		if (!tar_checksum_holds(&reader->block))
			return err_set(err, ERR_FORMAT, "a header whose checksum is wrong");
		return true;
	}
	if (!take_block(reader, &reader->block, is_end, err))
		return false;
	if (!*is_end && !tar_is_zero(&reader->block))
		return err_set(err, ERR_FORMAT, "something behind one zero block");
	*is_end = true;
	return true;
}

/* Append the body of a header that describes the next entry. */
MUST_CHECK static bool take_text(struct tar_reader *reader, struct bytes *out, struct err *err)
{
	uint64_t size = 0;
	char *room = NULL;

	if (!tar_reader_take_size(reader, &size, err))
		return false;
	if (size > reader->caps.header_bytes)
		return err_set(err, ERR_UNSUPPORTED,
			       "a tar header of %llu bytes (--max-header allows more)",
			       (unsigned long long)size);
	if (!bytes_grow(out, (size_t)size, &room, err) ||
	    !tar_reader_take(reader, room, (size_t)size, err))
		return false;
	tar_reader_set_body(reader, size);
	reader->stored_left = 0; /* only the padding is left */
	return true;
}

/* A GNU name replaces one before it, and ends at its first NUL. */
MUST_CHECK static bool take_long(struct tar_reader *reader, struct bytes *out, struct err *err)
{
	bytes_clear(out);
	if (!take_text(reader, out, err))
		return false;
	out->len = tar_text(out->data, out->len).len;
	return true;
}

/* An entry's records come behind the global ones, so that they win. */
MUST_CHECK static bool take_pax(struct tar_reader *reader, struct err *err)
{
	bytes_clear(&reader->pax_text);
	return tar_reader_begin_pax(reader, err) && take_text(reader, &reader->pax_text, err);
}

/* Global records add up. What nobody needs, as git's comments, does not. */
MUST_CHECK static bool take_global(struct tar_reader *reader, struct err *err)
{
	struct bytes *text = &reader->global_text;

	if (!take_text(reader, text, err) || !tar_entry_check_global(reader, err))
		return false;
	text->len = tar_pax_drop_unneeded(text->data, text->len);
	return text->len <= GLOBAL_BYTES_MAX ||
	       err_set(err, ERR_UNSUPPORTED, "global headers of more than %d bytes",
		       GLOBAL_BYTES_MAX);
}

enum header_class {
	HEADER_ENTRY,
	HEADER_PAX,
	HEADER_GLOBAL,
	HEADER_LONG_NAME,
	HEADER_LONG_LINK,
	HEADER_SKIP, /* says nothing that an image holds */
	HEADER_VOLUME, /* goes on in another archive */
};

static enum header_class class_of(char type)
{
	switch (type) {
	case 'x':
	case 'X': /* Solaris, before POSIX had it */
		return HEADER_PAX;
	case 'g':
		return HEADER_GLOBAL;
	case 'L':
		return HEADER_LONG_NAME;
	case 'K':
		return HEADER_LONG_LINK;
	case 'A': /* Solaris: an ACL as text */
	case 'E': /* Solaris: a file of an extended attribute */
	case 'I': /* star: an inode without a file */
	case 'N': /* GNU before 1.0: a list of renames */
	case 'V': /* GNU: the archive's label */
		return HEADER_SKIP;
	case 'M':
		return HEADER_VOLUME;
	default:
		return HEADER_ENTRY;
	}
}

/* Take a header that stands in front of an entry; false in *is_entry then. */
MUST_CHECK static bool take_extension(struct tar_reader *reader, bool *is_entry, struct err *err)
{
	uint64_t size = 0;

	*is_entry = false;
	switch (class_of(reader->block.type)) {
	case HEADER_PAX:
		reader->is_announced = true;
		return take_pax(reader, err);
	case HEADER_GLOBAL:
		return take_global(reader, err);
	case HEADER_LONG_NAME:
		reader->is_announced = true;
		return take_long(reader, &reader->long_name, err);
	case HEADER_LONG_LINK:
		reader->is_announced = true;
		return take_long(reader, &reader->long_link, err);
	case HEADER_SKIP:
		if (!tar_reader_take_size(reader, &size, err))
			return false;
		tar_reader_set_body(reader, size);
		return true;
	case HEADER_VOLUME:
		return err_set(err, ERR_UNSUPPORTED, "an archive of several volumes");
	case HEADER_ENTRY:
		*is_entry = true;
	}
	return true;
}

bool tar_next(struct tar_reader *reader, struct tar_entry *out, bool *is_end, struct err *err)
{
	struct tar_entry entry = { 0 };
	bool is_entry = false, has_ended = false;

	reader->is_announced = false;
	bytes_clear(&reader->pax_text);
	bytes_clear(&reader->long_name);
	bytes_clear(&reader->long_link);
	while (!is_entry) {
		if (!skip_body(reader, err) || !take_header(reader, &has_ended, err))
			return false;
		if (has_ended)
			break;
		if (!take_extension(reader, &is_entry, err))
			return false;
	}
	if (!is_entry) {
		*is_end = true;
		return !reader->is_announced || tar_reader_err_end(err);
	}
	if (!tar_entry_read(reader, &entry, err))
		return false;
	/* Only files have a body to hand out; GNU's list of a folder's names is none. */
	if (entry.kind != ENTRY_FILE && !skip_body(reader, err))
		return false;
	*out = entry;
	*is_end = false;
	return true;
}
