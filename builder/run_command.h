/* vmbake run: boots a finished image in a VMM of this host, and ends as its entrypoint does. */
#pragma once

#include "base/err.h"
#include "options.h"

/* *status: the exit code of the entrypoint, 128 and the signal that ended it, 124 after --timeout;
 * untouched with --print
 * Errors: those of run_job_make, run_job_place, vm_run and vm_run_outcome */
MUST_CHECK bool run_command(const struct options *options, int *status, struct err *err);
