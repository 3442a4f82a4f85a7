/* WWW-Authenticate headers: nothing that is taken from one may end a header of ours. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "oci/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	for (; *text; text++)
		assert((unsigned char)*text >= ' ' && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct challenge found[CHALLENGE_COUNT_MAX];
	size_t count = 0;
	struct err err;

	if (!challenge_parse(found, &count, (struct view){ (const char *)data, size }, &err))
		return 0;
	assert(count <= CHALLENGE_COUNT_MAX);
	for (size_t i = 0; i < count; i++) {
		check_text(found[i].realm);
		check_text(found[i].service);
		check_text(found[i].scope);
	}
	return 0;
}
