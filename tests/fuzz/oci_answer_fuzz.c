/* The body of a registry's refusal becomes one sentence of one line. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "oci/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 400, 401, 403, 404, 429, 500, 503 };
	struct view body = { (const char *)data, size };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct answer answer = { .status = statuses[i], .body = body };
		struct setback setback = { 0 };
		struct err err = { 0 };

		bool is_good = answer_error(&answer, view_of("a.io"), &setback, &err);

		assert(!is_good && err.kind != ERR_NONE && err.msg[0]);
		assert(!strpbrk(err.msg, "\n\r\033"));
		(void)is_good;
	}
	return 0;
}
