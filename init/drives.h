/* What a machine mounts beside its root: drives by serial, label or UUID, and a layer to write on
 * over a read-only root. */
#pragma once

#include "base/err.h"
#include "init/contract/settings.h"

/* In the order given; targets are made where that works.
 * Errors: ERR_NOT_FOUND (no such drive in 10 seconds), ERR_UNSUPPORTED (no known file system on
 *         it), ERR_IO; the target is named */
MUST_CHECK bool drives_mount(const struct settings *settings, int root_fd, struct err *err);

/* Put an overlay over the root and make it the root: "tmpfs", or a drive that keeps what is
 * written. /proc, /sys and /dev are moved along. To be called before anything else is mounted.
 * *drive_fd: a folder of the drive, to sync and close it at the end; -1 for tmpfs
 * Errors: as drives_mount; ERR_UNSUPPORTED  this kernel has no overlay */
MUST_CHECK bool drives_overlay(const char *overlay, int root_fd, int *drive_fd, struct err *err);

/* Grow the root's ext4 to the size of its device.
 * Errors: ERR_UNSUPPORTED  the root is read-only or no ext4
 *         ERR_IO */
MUST_CHECK bool drives_grow_root(int root_fd, struct err *err);
