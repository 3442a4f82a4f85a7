/* Image names from anywhere: what is taken has one canonical spelling, which means the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/view.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = view_copy((struct view){ (const char *)data, size });
	static struct reference first, second;
	static char canonical[REFERENCE_TEXT_BYTES], again[REFERENCE_TEXT_BYTES];
	struct err err;

	if (!text || !reference_parse(&first, text, &err))
		return 0;
	reference_text(&first, canonical);
	bool is_ok = reference_parse(&second, canonical, &err);

	assert(is_ok);
	reference_text(&second, again);
	assert(strcmp(canonical, again) == 0);
	return 0;
}
