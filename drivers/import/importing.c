#include "importing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

void importing_freep(struct importing *importing)
{
	intake_freep(&importing->intake);
	taken_modules_freep(&importing->modules);
	free(importing->picked);
	bundle_freep(&importing->bundle);
}

bool importing_pick(struct importing *importing, const char *path, size_t part, uint32_t mode,
		    struct err *err)
{
	if (importing->picked_count == importing->picked_capacity) {
		size_t capacity = importing->picked_capacity ? importing->picked_capacity * 2 : 64;
		struct picked *picked =
			reallocarray(importing->picked, capacity, sizeof(*picked));

		if (!picked)
			return err_memory(err, "a bundle's files");
		importing->picked = picked;
		importing->picked_capacity = capacity;
	}
	importing->picked[importing->picked_count++] = (struct picked){ path, part, mode };
	return true;
}

const char *importing_print(struct importing *importing, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return len >= 0 && len < (int)sizeof(text) ?
		       arena_copy(&importing->bundle.arena, text, (size_t)len) : NULL;
}
