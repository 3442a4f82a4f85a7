#include "settings_disk.h"

#include <string.h>

#include "base/json.h"
#include "base/le.h"

static const char magic[SETTINGS_MAGIC_BYTES] = "vmbake-run/1";

bool settings_disk_is(struct view start)
{
	return start.len >= sizeof(magic) && memcmp(start.ptr, magic, sizeof(magic)) == 0;
}

bool settings_disk_header(struct view header, uint32_t *len, struct err *err)
{
	if (header.len < SETTINGS_HEADER_BYTES || !settings_disk_is(header))
		return err_set(err, ERR_FORMAT, "it does not start with %s", magic);
	uint32_t json_len = le32_get(header.ptr + SETTINGS_MAGIC_BYTES);

	if (json_len == 0 || json_len > SETTINGS_BYTES_MAX)
		return err_set(err, ERR_FORMAT, "its length of %u bytes is not 1 to %d", json_len,
			       SETTINGS_BYTES_MAX);
	*len = json_len;
	return true;
}

bool settings_disk_print(struct bytes *out, const struct json_t *document, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes json = bytes_capped(16 * SETTINGS_BYTES_MAX);
	char header[SETTINGS_HEADER_BYTES], *padding = NULL;

	if (!json_print(&json, document, JSON_ONE_LINE, err))
		return false;
	if (json.len > SETTINGS_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "settings of %zu bytes, at most %d fit",
			       json.len, SETTINGS_BYTES_MAX);
	memcpy(header, magic, sizeof(magic));
	le32_put(header + SETTINGS_MAGIC_BYTES, (uint32_t)json.len);
	size_t used = sizeof(header) + json.len;
	size_t padding_len = (SETTINGS_SECTOR_BYTES - used % SETTINGS_SECTOR_BYTES) %
			     SETTINGS_SECTOR_BYTES;

	if (!bytes_append(out, header, sizeof(header), err) ||
	    !bytes_append(out, json.data, json.len, err) ||
	    !bytes_grow(out, padding_len, &padding, err))
		return false;
	memset(padding, 0, padding_len);
	return true;
}
