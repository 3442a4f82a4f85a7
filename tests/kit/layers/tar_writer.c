#include "tar_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	uint16_t offset, len;
} fields[] = {
	[FIELD_NAME] = { 0, 100 },
	[FIELD_MODE] = { 100, 8 },
	[FIELD_UID] = { 108, 8 },
	[FIELD_GID] = { 116, 8 },
	[FIELD_SIZE] = { 124, 12 },
	[FIELD_MTIME] = { 136, 12 },
	[FIELD_CHECKSUM] = { 148, 8 },
	[FIELD_TYPE] = { 156, 1 },
	[FIELD_LINK] = { 157, 100 },
	[FIELD_MAGIC] = { 257, 8 },
	[FIELD_DEVMAJOR] = { 329, 8 },
	[FIELD_DEVMINOR] = { 337, 8 },
	[FIELD_PREFIX] = { 345, 155 },
	[FIELD_STAR_PREFIX] = { 345, 131 },
	[FIELD_STAR_TRAILER] = { 508, 4 },
	[FIELD_GNU_ATIME] = { 345, 12 },
	[FIELD_GNU_SPARSE] = { 386, 96 },
	[FIELD_GNU_IS_EXTENDED] = { 482, 1 },
	[FIELD_GNU_REAL_SIZE] = { 483, 12 },
};

static void must(bool is_done)
{
	if (!is_done)
		abort();
}

static char *room_for(struct bytes *out, size_t len)
{
	struct err err;
	char *room = NULL;

	must(bytes_grow(out, len, &room, &err));
	memset(room, 0, len);
	return room;
}

void writer_bytes(struct writer_header *header, enum writer_field field, const void *data,
		  size_t len)
{
	char *to = header->block + fields[field].offset;

	memset(to, 0, fields[field].len);
	memcpy(to, data, len < fields[field].len ? len : fields[field].len);
}

void writer_text(struct writer_header *header, enum writer_field field, const char *text)
{
	writer_bytes(header, field, text, strlen(text));
}

void writer_base256(struct writer_header *header, enum writer_field field, int64_t number)
{
	char *to = header->block + fields[field].offset;

	for (size_t i = fields[field].len; i-- > 0; number >>= 8)
		to[i] = (char)(number & 0xff);
	to[0] = (char)(to[0] | 0x80);
}

void writer_number(struct writer_header *header, enum writer_field field, int64_t number)
{
	char *to = header->block + fields[field].offset;
	size_t digit_count = fields[field].len - 1u;

	if (number < 0 || number >> (3 * digit_count) != 0) {
		writer_base256(header, field, number);
		return;
	}
	to[digit_count] = '\0';
	for (size_t i = digit_count; i-- > 0; number >>= 3)
		to[i] = (char)('0' + (number & 7));
}

struct writer_header writer_header(enum writer_format format, char type, const char *name,
				   uint64_t size)
{
	struct writer_header header = { 0 };

	writer_text(&header, FIELD_NAME, name);
	writer_number(&header, FIELD_MODE, type == '5' ? 0755 : 0644);
	writer_number(&header, FIELD_UID, 0);
	writer_number(&header, FIELD_GID, 0);
	writer_number(&header, FIELD_SIZE, (int64_t)size);
	writer_number(&header, FIELD_MTIME, 0);
	writer_bytes(&header, FIELD_TYPE, &type, 1);
	if (format == WRITER_USTAR || format == WRITER_STAR)
		writer_bytes(&header, FIELD_MAGIC, "ustar\00000", 8);
	if (format == WRITER_STAR)
		writer_text(&header, FIELD_STAR_TRAILER, "tar");
	if (format == WRITER_GNU)
		writer_bytes(&header, FIELD_MAGIC, "ustar  ", 8);
	return header;
}

void writer_add(struct bytes *out, struct writer_header header, enum writer_sum sum)
{
	int total = sum == SUM_WRONG;
	char text[16];

	memset(header.block + fields[FIELD_CHECKSUM].offset, ' ', fields[FIELD_CHECKSUM].len);
	for (size_t i = 0; i < sizeof(header.block); i++)
		total += sum == SUM_SIGNED ? (signed char)header.block[i]
					   : (unsigned char)header.block[i];
	snprintf(text, sizeof(text), "%06o", (unsigned)total & 0777777);
	memcpy(header.block + fields[FIELD_CHECKSUM].offset, text, 7);
	memcpy(room_for(out, sizeof(header.block)), header.block, sizeof(header.block));
}

void writer_add_body(struct bytes *out, const void *body, size_t len)
{
	char *to = room_for(out, (len + WRITER_BLOCK_BYTES - 1) / WRITER_BLOCK_BYTES *
					 WRITER_BLOCK_BYTES);

	if (body && len > 0)
		memcpy(to, body, len);
}

void writer_record(struct bytes *text, const char *key, const void *value, size_t len)
{
	size_t bare = strlen(key) + len + strlen(" =\n");
	size_t total = bare;
	char digits[32];
	struct err err;

	/* The length counts its own digits. */
	while (total != bare + (size_t)snprintf(digits, sizeof(digits), "%zu", total))
		total = bare + strlen(digits);
	must(bytes_print(text, &err, "%zu %s=", total, key) &&
	     bytes_append(text, value, len, &err) && bytes_append(text, "\n", 1, &err));
}

void writer_add_text(struct bytes *out, enum writer_format format, char type, const void *text,
		     size_t len)
{
	bool is_gnu = type == 'L' || type == 'K';
	const char *name = is_gnu ? "././@LongLink" : "PaxHeaders.0/x";

	/* GNU tar counts the name's NUL. */
	writer_add(out, writer_header(format, type, name, len + is_gnu), SUM_UNSIGNED);
	memcpy(room_for(out, (len + is_gnu + WRITER_BLOCK_BYTES - 1) / WRITER_BLOCK_BYTES *
				     WRITER_BLOCK_BYTES),
	       text, len);
}

void writer_add_zeros(struct bytes *out, size_t block_count)
{
	room_for(out, block_count * WRITER_BLOCK_BYTES);
}

void writer_add_file(struct bytes *out, const char *name, const char *body)
{
	writer_add(out, writer_header(WRITER_USTAR, '0', name, strlen(body)), SUM_UNSIGNED);
	writer_add_body(out, body, strlen(body));
}
