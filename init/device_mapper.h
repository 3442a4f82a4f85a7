/* Mapped devices that the kernel command line describes: dm-mod.create=, as built-in device-mapper
 * understands it. Where device-mapper is a module the kernel does not, so the initrd does: a root
 * under dm-verity, its root hash in the command line, boots with any kernel.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

enum { MAPPED_TABLE_COUNT_MAX = 16 };

struct mapped_table {
	uint64_t start, len; /* in sectors of 512 bytes */
	struct view target; /* "verity" */
	struct view arguments;
};

struct mapped_device {
	struct view name, uuid;
	bool is_read_only;
	struct mapped_table tables[MAPPED_TABLE_COUNT_MAX]; /* tables[table_count] */
	size_t table_count;
};

/* The next device of "NAME,UUID,MINOR,FLAGS,START LEN TARGET ARGUMENTS[,…][;…]"; *rest starts as
 * the whole value. Pure: views into it. MINOR is passed over: the kernel gives the next free one.
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED (too many tables)
 * Source: Documentation/admin-guide/device-mapper/dm-init.rst */
MUST_CHECK bool mapped_device_parse(struct mapped_device *out, struct view *rest, struct err *err);

/* Make it: create, load the tables, resume. The devices that it names have to be there.
 * Errors: ERR_UNSUPPORTED (no device-mapper), ERR_IO; the device is named */
MUST_CHECK bool mapped_device_make(const struct mapped_device *device, struct err *err);
