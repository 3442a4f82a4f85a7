/* A self-extracting archive's head: a payload that is found lies inside the file. */
#include <assert.h>
#include <stdint.h>

#include "drivers/import/run_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view file = { (const char *)data, size };
	struct run_file run;
	struct err err = { 0 };

	if (!run_file_parse(&run, file, &err)) {
		assert(err.kind != ERR_NONE && err.msg[0]);
		return 0;
	}
	assert(run.payload.ptr > file.ptr && run.payload.len > 0);
	assert(run.payload.ptr + run.payload.len <= file.ptr + file.len);
	if (!run_file_check(&run, &err))
		assert(err.kind == ERR_INTEGRITY || err.kind == ERR_FORMAT);
	return 0;
}
