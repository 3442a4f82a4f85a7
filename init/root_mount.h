/* From the initrd to the root: wait for the device, mount it, and become the root's own init. */
#pragma once

#include "base/err.h"
#include "modules.h"
#include "root_options.h"

/* Make the mapped devices of dm-mod.create=, waiting for the devices that they are made of.
 * Errors: ERR_FORMAT, ERR_NOT_FOUND, ERR_UNSUPPORTED (no device-mapper), ERR_IO */
MUST_CHECK bool root_map_devices(const struct root_options *options, struct modules *modules,
				 int root_fd, struct err *err);

/* Wait for the root's device, loading modules for devices as they appear, and mount it at where.
 * root_fd: where sys/ and dev/ are
 * Errors: ERR_NOT_FOUND (no such device in 10 seconds), ERR_UNSUPPORTED (no known file system),
 *         ERR_IO */
MUST_CHECK bool root_mount(const struct root_options *options, struct modules *modules,
			   int root_fd, const char *where, struct err *err);

/* The drivers of the file systems on this machine's disks: once the root is there, the initrd and
 * its modules are gone. */
void root_load_file_systems(struct modules *modules, int root_fd);

/* Move /dev, /sys and /proc along, empty the initramfs, make the new root / and exec init, which
 * gets the environment. All of it in PID 1 itself: the kernel looks for firmware in PID 1's root.
 * Returns only on failure.
 * Errors: ERR_IO; ERR_INTERNAL when / is no initramfs, which is then left as it is */
bool root_switch(const char *new_root, const char *init, struct err *err);
