/* The disk that carries a machine's settings: a magic, a length, a JSON document, padding. Known by
 * its serial or, where the VMM gives disks none (Firecracker), by its content. Pure.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"

struct json_t;

#define SETTINGS_DISK_SERIAL "vmbake-run"

enum {
	SETTINGS_MAGIC_BYTES = 16, /* "vmbake-run/1" and NULs */
	SETTINGS_HEADER_BYTES = SETTINGS_MAGIC_BYTES + 4, /* then the length, little-endian */
	SETTINGS_BYTES_MAX = 1 << 20,
	SETTINGS_SECTOR_BYTES = 512, /* the disk is padded to a multiple of it */
};

bool settings_disk_is(struct view start);
/* header: SETTINGS_HEADER_BYTES; *len: how many bytes of JSON follow. Errors: ERR_FORMAT */
MUST_CHECK bool settings_disk_header(struct view header, uint32_t *len, struct err *err);

/* The whole disk.
 * out:    empty, with a cap of at least SETTINGS_BYTES_MAX and two sectors
 * Errors: ERR_UNSUPPORTED  the document is over SETTINGS_BYTES_MAX */
MUST_CHECK bool settings_disk_print(struct bytes *out, const struct json_t *document,
				    struct err *err);
