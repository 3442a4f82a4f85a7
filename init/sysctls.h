/* Kernel settings below /proc/sys. */
#pragma once

#include "base/err.h"
#include "init/contract/settings.h"

/* "net.core.somaxconn" or "net/core/somaxconn". root_fd: where proc/ is
 * Errors: ERR_FORMAT     a name that leads out of proc/sys
 *         ERR_NOT_FOUND  this kernel has no such setting
 *         ERR_IO         it refuses the value */
MUST_CHECK bool sysctls_set(const struct setting_pairs *sysctls, int root_fd, struct err *err);

/* Its path. With slashes, dots are part of names ("net/ipv4/conf/eth0.1/x"). Pure. */
enum { SYSCTL_PATH_BYTES = 256 };
MUST_CHECK bool sysctl_path(char out[SYSCTL_PATH_BYTES], const char *name, struct err *err);
