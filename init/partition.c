#include "partition.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
	MBR_SIGNATURE = 440,
	MBR_MAGIC = 510,
	GPT_ENTRIES_SECTOR = 72, /* in the header; little-endian, like all of it */
	GPT_ENTRY_COUNT = 80,
	GPT_ENTRY_BYTES = 84,
	GPT_HEADER_BYTES = 92,
	GPT_ENTRY_BYTES_MIN = 128,
	GPT_ENTRY_GUID = 16,
	GUID_BYTES = 16,
};

static uint64_t number_at(struct view table, size_t offset, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i > 0; i--)
		value = value << 8 | (uint8_t)table.ptr[offset + i - 1];
	return value;
}

/* The first three fields are little-endian, the rest is as it stands. */
static void print_guid(struct view guid, char out[PARTITION_UUID_BYTES])
{
	int len = snprintf(out, PARTITION_UUID_BYTES, "%08x-%04x-%04x-",
			   (unsigned)number_at(guid, 0, 4), (unsigned)number_at(guid, 4, 2),
			   (unsigned)number_at(guid, 6, 2));

	for (size_t i = 8; i < GUID_BYTES; i++)
		len += snprintf(out + len, PARTITION_UUID_BYTES - (size_t)len, "%02x%s",
				(unsigned)(uint8_t)guid.ptr[i], i == 9 ? "-" : "");
}

static bool is_zero(struct view view)
{
	for (size_t i = 0; i < view.len; i++)
		if (view.ptr[i] != 0)
			return false;
	return true;
}

static bool gpt_uuid(struct view table, size_t sector_bytes, unsigned number,
		     char out[PARTITION_UUID_BYTES])
{
	struct view header = view_from(table, sector_bytes);
	uint64_t offset = 0;

	if (header.len < GPT_HEADER_BYTES || !view_starts(header, "EFI PART"))
		return false;
	uint64_t entry_bytes = number_at(header, GPT_ENTRY_BYTES, 4);

	if (number == 0 || number > number_at(header, GPT_ENTRY_COUNT, 4) ||
	    entry_bytes < GPT_ENTRY_BYTES_MIN ||
	    __builtin_mul_overflow(number_at(header, GPT_ENTRIES_SECTOR, 8), sector_bytes,
				   &offset) ||
	    __builtin_add_overflow(offset, (number - 1) * entry_bytes, &offset) ||
	    offset > table.len || table.len - offset < GPT_ENTRY_BYTES_MIN)
		return false;
	struct view guid = { table.ptr + offset + GPT_ENTRY_GUID, GUID_BYTES };

	print_guid(guid, out);
	return !is_zero(guid);
}

bool partition_uuid(struct view table, unsigned number, char out[PARTITION_UUID_BYTES])
{
	if (gpt_uuid(table, 512, number, out) || gpt_uuid(table, 4096, number, out))
		return true;
	if (table.len < MBR_MAGIC + 2 || number == 0 || number > UINT8_MAX ||
	    number_at(table, MBR_MAGIC, 2) != 0xaa55)
		return false;
	snprintf(out, PARTITION_UUID_BYTES, "%08x-%02x",
		 (unsigned)number_at(table, MBR_SIGNATURE, 4), number);
	return true;
}
