/* The bodies of a stored layer, held against the checksums that were made when they were stored.
 *
 * Reads data front to back in large pieces, as bodies lie in it in the order of the index.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/report.h"
#include "index.h"

/* All bodies; after a damaged one the others are checked as well.
 * data_fd: as long as the index says
 * report:  REPORT_CHECK counts the bytes read
 * Errors: ERR_INTEGRITY  names the first body that differs, and says how many do
 *         ERR_IO */
MUST_CHECK bool body_check(const struct index *index, int data_fd, struct report *report,
			   struct err *err);
