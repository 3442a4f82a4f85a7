/* The machine's block devices, as sysfs lists them. Every path is below root_fd, so that tests can
 * make up a machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

enum {
	BLOCK_SERIAL_BYTES = 64, /* virtio-blk has 20, SCSI and NVMe a little more */
	BLOCK_COUNT_MAX = 4096,
	BLOCK_NAME_BYTES = 32, /* the kernel's own DISK_NAME_LEN */
};

/* Names below /dev, disks and partitions, ascending; disks of size 0 are left out. */
struct block_names {
	char (*items)[BLOCK_NAME_BYTES]; /* items[count], owned */
	size_t count;
};

/* Without sys/class/block: none. Errors: ERR_IO, ERR_UNSUPPORTED (too many) */
MUST_CHECK bool block_list(struct block_names *out, int root_fd, struct err *err);
void block_names_freep(struct block_names *names);

/* "" when the disk has none. */
void block_serial(int root_fd, const char *name, char out[BLOCK_SERIAL_BYTES]);

/* The first len bytes of the device; false when they cannot be read. */
bool block_read_start(int root_fd, const char *name, char *out, size_t len);

/* The device that a text such as "SERIAL=x", "LABEL=x", "UUID=x", "PARTUUID=x" or "/dev/vda"
 * means, as a path below /dev. False when there is none yet. */
bool block_find(int root_fd, struct view wanted, char out[64]);
