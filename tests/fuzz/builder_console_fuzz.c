/* A guest's console, in pieces whose lengths the input gives. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "builder/run/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE_MAX = 255 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console console = { 0 };
	char piece[PIECE_MAX + 1];

	while (size > 0) {
		size_t len = *data++;

		size--;
		if (len > size)
			len = size;
		memcpy(piece, data, len);
		console_take(&console, (struct view){ piece, len });
		bool was_held_back = console.has_return;
		size_t kept = console_plain(&console, piece, len);

		assert(kept <= len + was_held_back);
		assert(!memmem(piece, kept, "\r\n", 2));
		data += len;
		size -= len;
	}
	return 0;
}
