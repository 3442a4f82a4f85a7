/* What a guest tells of its end: the report's line, and lines of its console. */
#include <assert.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "init/contract/exit_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ending *ending)
{
	assert(ending->code >= 0 && ending->code <= (ending->was_signaled ? 64 : 255));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(exit_record_freep) struct exit_record record = { 0 };
	struct view text = { (const char *)data, size };
	struct ending ending = { 0 };
	struct err err = { 0 };

	if (exit_record_parse(&record, text, &err))
		check(&record.ending);
	if (exit_line_parse(&ending, text))
		check(&ending);
	(void)!failure_line_parse(text).ptr;
	return 0;
}
