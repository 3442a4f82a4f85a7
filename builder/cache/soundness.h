/* Is one thing in the store what it was when it was stored? All of its bytes that a checksum or a
 * digest speaks of are read.
 */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "builder/store.h"
#include "thing.h"

/* Is there anything to hold it against? Not a .part (its next reader does that), nor drafts and
 * locks. */
bool soundness_is_known(const struct thing *thing);

/* report: REPORT_CHECK counts the bytes read; a note says what could not be looked into
 * Errors: ERR_INTEGRITY, ERR_FORMAT, ERR_NOT_FOUND  it is damaged, or parts of it are missing
 *         others                                    it could not be read */
MUST_CHECK bool soundness_check(const struct store *store, const struct thing *thing,
				struct report *report, struct err *err);
