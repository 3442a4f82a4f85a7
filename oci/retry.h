/* When to try again, and after how long. Pure: no clock, no sleep. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a failed attempt says about the next one. */
struct setback {
	bool may_pass; /* the same request may well succeed later */
	bool is_absent; /* what was asked for is not there (404) */
	uint64_t wait_seconds; /* the server asked to wait that long (Retry-After); 0: it did not */
};

/* Attempts in a row that brought nothing. Begins as { .max = … }. */
struct retry {
	unsigned max, failed;
	uint32_t random; /* the jitter's state; any start value */
};

void retry_progress(struct retry *retry);

/* False: give up. *wait_ms doubles from 250 ms to 16 s, then shifted at random by up to a quarter
 * either way, so that many machines do not come back at once; what the server asked for, up to
 * five minutes, is waited in full. */
bool retry_next(struct retry *retry, const struct setback *setback, uint64_t *wait_ms);
