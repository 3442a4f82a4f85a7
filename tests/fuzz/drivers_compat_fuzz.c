/* The note in which a compat libcuda names the drivers that it runs on. */
#include <assert.h>
#include <stdint.h>

#include "drivers/place/compat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compat_note note;

	compat_note_read(&note, (struct view){ (const char *)data, size });
	assert(note.branch_count <= COMPAT_BRANCHES_MAX);
	assert(note.is_there || note.branch_count == 0);
	return 0;
}
