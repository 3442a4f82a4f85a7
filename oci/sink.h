/* Where the body of an HTTP answer goes: a small one into memory, a blob's into its part file, and
 * what comes instead of a blob (an error's text) into memory as well.
 *
 * The sink decides, before the first byte is used, whether an answer is the one asked for.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/report.h"
#include "http.h"
#include "part.h"

/* curl hands out 16 KiB at a time; a write and a lock for each would cost more than receiving. */
enum { SINK_GATHER_BYTES = 256 << 10 };

struct sink {
	struct bytes *memory; /* emptied before each answer; its cap is the limit */
	struct part *part; /* NULL: everything goes to memory */
	bool is_ranged; /* the request asked for part's bytes from first to last */
	uint64_t first, last; /* inclusive */
	bool writes_part; /* this answer's body is content; position: of its next byte */
	uint64_t position, end; /* end: exclusive, of what this answer may write */
	char *gather; /* gather[SINK_GATHER_BYTES], borrowed; needed where part is */
	size_t gathered; /* bytes in it, that belong right before position */
	bool is_cut; /* end was moved forward: what comes behind it is not wanted */
	uint64_t new_bytes; /* that this sink brought */
	struct report *report; /* borrowed: REPORT_FETCH */
};

/* Headers are there, the body is about to come.
 * Errors: ERR_INTEGRITY  a length that is not the blob's
 *         ERR_NETWORK    a range that was not asked for */
MUST_CHECK bool sink_start(struct sink *sink, const struct http_response *response,
			   struct err *err);
/* Errors: ERR_UNSUPPORTED  over the cap
 *         ERR_INTEGRITY    more than the blob's size */
MUST_CHECK bool sink_write(struct sink *sink, const void *data, size_t len, struct err *err);
/* All that is wanted is here, though more comes. */
bool sink_has_enough(const struct sink *sink);
/* After an answer, whole or broken off: what was gathered is not lost. */
MUST_CHECK bool sink_flush(struct sink *sink, struct err *err);
