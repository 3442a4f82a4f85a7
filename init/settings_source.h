/* Where machine settings come from: the kernel command line, and a disk that is known by its
 * serial or, where the VMM gives disks none (Firecracker), by its content. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"
#include "settings.h"

#define SETTINGS_DISK_SERIAL "vmbake-run"

enum {
	SETTINGS_MAGIC_BYTES = 16, /* "vmbake-run/1" and NULs */
	SETTINGS_HEADER_BYTES = SETTINGS_MAGIC_BYTES + 4, /* then the length, little-endian */
	SETTINGS_BYTES_MAX = 1 << 20,
	SETTINGS_SECTOR_BYTES = 512, /* the disk is padded to a multiple of it */
};

/* Everything that this machine sets, over the defaults.
 * root_fd:       where sys/ and dev/ are
 * tells_unknown: keys that are no setting are told on the console (once, by the root's init)
 * Errors: ERR_FORMAT  a document or a header that is broken; two settings disks */
MUST_CHECK bool settings_gather(struct settings *out, int root_fd, struct view cmdline,
				bool tells_unknown, struct err *err);

/* Where the report of a machine goes whose settings could not be taken: report-port and
 * report-vsock-port of the kernel command line, with no regard to the rest of it. Pure. */
void settings_take_report(struct settings *settings, struct view cmdline);

/* Pure parts. vmbake.KEY=VALUE, vmbake.KEY.NAME=VALUE for objects, as one document; a value that
 * starts with '[' or '{' is JSON, lists may be given with commas, flags as on and off. Keys that
 * are no setting are in it too. */
MUST_CHECK bool settings_from_cmdline(struct json_t **out, struct view cmdline, struct err *err);

bool settings_disk_is(struct view start);
/* header: SETTINGS_HEADER_BYTES; *len: how many bytes of JSON follow. Errors: ERR_FORMAT */
MUST_CHECK bool settings_disk_header(struct view header, uint32_t *len, struct err *err);

/* The first key of the document that is none of ours, NULL when all are known. */
const char *settings_unknown_key(const struct json_t *document, void **position);
size_t settings_key_count(void);
