/* The mounts that every machine has, as a table: what, where, why. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum mount_step {
	MOUNT_FIRST, /* what finding the root and the settings takes: /proc, /sys, /dev */
	MOUNT_REST, /* in the root, once it is the final one */
};

/* Make those of the step, top down. A place that is a mount already (moved here from the initrd,
 * or devtmpfs mounted by the kernel) is left alone; a missing folder is made where that works.
 * What an entrypoint can do without is only told on the console.
 * Errors: ERR_IO with the place named */
MUST_CHECK bool mounts_make(enum mount_step step, struct err *err);

/* /dev/fd, stdin, stdout, stderr and ptmx, as under docker. Best effort: told on the console. */
void mounts_link_dev(void);

/* The kernel gives its console as 0, 1 and 2, or nothing at all when there was no /dev/console:
 * then it is opened now. */
void mounts_open_console(void);

/* Give /dev/shm another size: tmpfs's "size=" ("1G", "50%").   Errors: ERR_IO */
MUST_CHECK bool mounts_resize_shm(const char *size, struct err *err);
