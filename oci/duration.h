/* Durations as Go programs write them in their settings: "1m30s", "1.5h", "300ms". Pure. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

/* In whole milliseconds, rounded up; at most a day.
 * Errors: ERR_FORMAT  not of that form, or negative
 * Source: Go's time.ParseDuration */
MUST_CHECK bool duration_parse(uint64_t *out_ms, struct view text, struct err *err);
