/* vmbake verify: a finished image, read back and held against the rules of its driver. */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "options.h"

/* Prints to stdout a line for each finding and a last one with the verdict, or with --json
 * {"file", "driver": {…}|null, "findings": […], "ok"}; report: NULL, or who hears notes.
 * Errors: ERR_MISMATCH  a rule failed: all is printed already
 *         those of image_tree_open and kernel_open; ERR_USAGE, ERR_UNSUPPORTED for --gpu-id */
MUST_CHECK bool verify_command(const struct options *options, struct report *report,
			       struct err *err);
