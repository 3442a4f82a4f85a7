/* What is going on, told to whoever shows it: notes (rare sentences) and byte counters.
 *
 * Libraries report, only builder/ prints. Every function takes NULL for "nobody listens" and may
 * be called from any thread. One of the two function pointers of the house.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "err.h"

enum report_step {
	REPORT_FETCH, /* compressed bytes received */
	REPORT_UNPACK, /* compressed bytes unpacked */
	REPORT_WRITE, /* image bytes written or cloned */
	REPORT_CHECK, /* bytes of the store held against their checksums */
	REPORT_STEP_COUNT,
};

struct report {
	/* One sentence without a full stop, e.g. "retrying 127.0.0.1:5000: connection reset".
	 * Called from any thread. */
	void (*note)(void *context, const char *text);
	void *context;
	_Atomic uint64_t expected_bytes[REPORT_STEP_COUNT];
	_Atomic uint64_t done_bytes[REPORT_STEP_COUNT];
};

void report_note(struct report *report, const char *format, ...) PRINTF(2, 3);
void report_expect(struct report *report, enum report_step step, uint64_t bytes);
void report_did(struct report *report, enum report_step step, uint64_t bytes);
