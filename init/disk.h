/* Block devices and what their first bytes say: which file system, label and UUID. */
#pragma once

#include "base/err.h"
#include "base/view.h"

enum { DISK_PROBE_BYTES = 4096 };

struct disk_facts {
	const char *type; /* what mount takes: "ext4", "xfs", "erofs"; NULL when not known */
	char label[17]; /* "" when none */
	char uuid[37]; /* in lower case, with dashes; "" when none */
};

/* start: the first DISK_PROBE_BYTES of a device, or fewer
 * Source: Documentation/filesystems/ext4/super.rst; fs/xfs/libxfs/xfs_format.h, struct xfs_dsb;
 *         fs/erofs/erofs_fs.h, struct erofs_super_block */
void disk_read_facts(struct view start, struct disk_facts *out);

MUST_CHECK bool disk_probe(struct disk_facts *out, const char *path, struct err *err);
