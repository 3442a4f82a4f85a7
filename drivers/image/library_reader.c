#include "library_reader.h"

#include <elf.h>
#include <string.h>

#include "layers/content.h"

enum {
	HEAD_BYTES = 1024, /* one read has the header and, nearly always, all program headers */
};

bool library_reader_some(const struct library_reader *reader, uint64_t offset, void *out,
			 size_t len, size_t *got, struct err *err)
{
	*got = 0;
	if (offset >= reader->size)
		return true;
	if (len > reader->size - offset)
		len = (size_t)(reader->size - offset);
	if (!content_read(reader->files->tree, reader->files->data_fds, reader->inode, offset, out,
			  len, err))
		return false;
	*got = len;
	return true;
}

/* head: head_len of the file's first bytes */
MUST_CHECK static bool read_segments(struct library_reader *reader, const char *head,
				     size_t head_len, struct err *fault, struct err *err)
{
	char table[LIBRARY_SEGMENTS_MAX * ELF_SEGMENT_BYTES_MAX];
	uint64_t at = reader->header.segments_offset;
	size_t len = reader->header.segment_count * reader->header.segment_bytes, got = 0;
	const char *from = table;

	if (at <= head_len && len <= head_len - at)
		from = head + at;
	else if (!library_reader_some(reader, at, table, len, &got, err))
		return false;
	else if (got < len)
		err_set(fault, ERR_FORMAT, "an ELF file whose program headers are cut off");
	if (fault->kind != ERR_NONE)
		return true;
	for (size_t i = 0; i < reader->header.segment_count; i++)
		reader->segments[i] =
			elf_segment_read(&reader->header, from + i * reader->header.segment_bytes);
	return true;
}

bool library_reader_open(struct library_reader *reader, const struct image_files *files,
			 uint32_t inode, struct err *fault, struct err *err)
{
	char head[HEAD_BYTES];
	size_t got = 0;

	reader->files = files;
	reader->inode = inode;
	reader->size = image_file_bytes(files, inode);
	reader->dynamic_len = 0;
	reader->strings = 0;
	reader->strings_piece.len = reader->tables_piece.len = 0;
	if (!library_reader_some(reader, 0, head, sizeof(head), &got, err))
		return false;
	if (!elf_header_read(&reader->header, (struct view){ head, got }, fault))
		return true;
	if (reader->header.segment_count > LIBRARY_SEGMENTS_MAX) {
		err_set(fault, ERR_FORMAT, "an ELF file with absurdly many segments");
		return true;
	}
	return read_segments(reader, head, got, fault, err);
}

const struct elf_segment *library_reader_segment(const struct library_reader *reader, uint32_t type)
{
	for (size_t i = 0; i < reader->header.segment_count; i++)
		if (reader->segments[i].type == type)
			return &reader->segments[i];
	return NULL;
}

uint64_t library_reader_offset(const struct library_reader *reader, uint64_t address)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < reader->header.segment_count; i++)
		if (elf_segment_translate(&reader->segments[i], address, &offset))
			return offset;
	return address;
}

bool library_reader_value(const struct library_reader *reader, int64_t tag, size_t *cursor,
			  uint64_t *value)
{
	size_t step = reader->header.dynamic_bytes;

	while (*cursor + step <= reader->dynamic_len) {
		struct elf_dynamic_entry entry =
			elf_dynamic_entry_read(&reader->header, reader->dynamic + *cursor);

		if (entry.tag == DT_NULL)
			return false;
		*cursor += step;
		if (entry.tag == tag) {
			*value = entry.value;
			return true;
		}
	}
	return false;
}

bool library_reader_dynamic(struct library_reader *reader, bool *is_there, struct err *err)
{
	const struct elf_segment *segment = library_reader_segment(reader, PT_DYNAMIC);
	uint64_t address = 0;
	size_t cursor = 0;

	*is_there = false;
	if (!segment)
		return true;
	size_t len = segment->file_bytes < LIBRARY_DYNAMIC_BYTES_MAX ? (size_t)segment->file_bytes
								     : LIBRARY_DYNAMIC_BYTES_MAX;

	if (!library_reader_some(reader, segment->offset, reader->dynamic, len,
				 &reader->dynamic_len, err))
		return false;
	if (!library_reader_value(reader, DT_STRTAB, &cursor, &address))
		return true;
	reader->strings = library_reader_offset(reader, address);
	*is_there = reader->strings < reader->size;
	return true;
}

/* What the piece has from offset on; len 0: nothing. */
static struct view part_of(const struct library_piece *piece, uint64_t offset)
{
	if (offset < piece->offset || offset - piece->offset >= piece->len)
		return (struct view){ 0 };
	return view_from((struct view){ piece->bytes, piece->len },
			 (size_t)(offset - piece->offset));
}

MUST_CHECK static bool read_piece(const struct library_reader *reader, struct library_piece *piece,
				  uint64_t offset, struct err *err)
{
	piece->offset = offset;
	piece->len = 0;
	return library_reader_some(reader, offset, piece->bytes, sizeof(piece->bytes), &piece->len,
				   err);
}

bool library_reader_string(struct library_reader *reader, uint64_t offset, struct view *out,
			   struct err *err)
{
	struct library_piece *piece = &reader->strings_piece;
	uint64_t at = 0;

	*out = (struct view){ 0 };
	if (__builtin_add_overflow(reader->strings, offset, &at))
		return true;
	struct view part = part_of(piece, at);
	ptrdiff_t len = view_find(part, '\0');

	if (len < 0) {
		if (!read_piece(reader, piece, at, err))
			return false;
		part = part_of(piece, at);
		len = view_find(part, '\0');
	}
	if (len >= 0)
		*out = (struct view){ part.ptr, (size_t)len };
	return true;
}

bool library_reader_table(struct library_reader *reader, uint64_t offset, size_t len,
			  const char **out, struct err *err)
{
	struct library_piece *piece = &reader->tables_piece;

	if (part_of(piece, offset).len < len && !read_piece(reader, piece, offset, err))
		return false;
	struct view part = part_of(piece, offset);

	*out = part.len < len ? NULL : part.ptr;
	return true;
}
