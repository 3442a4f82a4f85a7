/* vmbake driver import, from the command line on: sources on disk, or an image that is fetched as
 * build fetches it. */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "options.h"
#include "store.h"

/* One operand with a transport (docker://, oci:, oci-archive:, docker-archive:) is an image, all
 * else are files and folders.  Errors: those of image_root and driver_command_import */
MUST_CHECK bool driver_import_run(struct store *store, const struct options *options,
				  struct report *report, struct err *err);
