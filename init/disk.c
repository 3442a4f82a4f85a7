#include "disk.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

static const struct format {
	const char *type;
	size_t magic_at, magic_len, uuid_at, label_at, label_len;
	unsigned char magic[4];
} formats[] = {
	/* ext2 and ext3 too: the same driver mounts them. */
	{ "ext4", 1024 + 56, 2, 1024 + 104, 1024 + 120, 16, { 0x53, 0xef } },
	{ "xfs", 0, 4, 32, 108, 12, { 'X', 'F', 'S', 'B' } },
	{ "erofs", 1024, 4, 1024 + 48, 1024 + 64, 16, { 0xe2, 0xe1, 0xf5, 0xe0 } },
};

static void print_uuid(char out[37], const char *bytes)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[len++] = '-';
		out[len++] = hex[(unsigned char)bytes[i] >> 4];
		out[len++] = hex[(unsigned char)bytes[i] & 15];
	}
	out[len] = '\0';
}

void disk_read_facts(struct view start, struct disk_facts *out)
{
	*out = (struct disk_facts){ 0 };
	if (start.len < DISK_PROBE_BYTES)
		return;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *format = &formats[i];

		if (memcmp(start.ptr + format->magic_at, format->magic, format->magic_len) != 0)
			continue;
		out->type = format->type;
		memcpy(out->label, start.ptr + format->label_at, format->label_len);
		print_uuid(out->uuid, start.ptr + format->uuid_at);
		return;
	}
}

bool disk_probe(struct disk_facts *out, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	char start[DISK_PROBE_BYTES];
	size_t len = 0, got = 0;

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY, err))
		return false;
	do {
		if (!file_read_some(fd, start + len, sizeof(start) - len, &got, path, err))
			return false;
		len += got;
	} while (got > 0 && len < sizeof(start));
	disk_read_facts((struct view){ start, len }, out);
	return true;
}
