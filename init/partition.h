/* Which partition is which, from the table at a disk's start: the kernel knows, but Linux 6.1 does
 * not tell in sysfs. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

enum {
	PARTITION_TABLE_BYTES = 24 << 10, /* 128 entries, behind two sectors of up to 4 KiB */
	PARTITION_UUID_BYTES = 37,
};

/* The id that root=PARTUUID= means: a GPT's GUID in lower case, or "SIGNATURE-NN" of an MBR. False
 * when the table has no such partition. Pure.
 * table:   the first PARTITION_TABLE_BYTES of the disk, or fewer
 * number:  from 1 on
 * Source: UEFI specification, "GUID Partition Table (GPT) Disk Layout"; block/partitions/msdos.c */
bool partition_uuid(struct view table, unsigned number, char out[PARTITION_UUID_BYTES]);
