#include "loader_built_in.h"

#include <string.h>

struct run {
	struct view folders[LOADER_BUILT_IN_MAX]; /* folders[count] */
	size_t count;
};

/* The text that ends where the string does: the array may follow on bytes that are no text. */
static struct view text_at_end(struct view string)
{
	size_t start = string.len;

	while (start > 0 && string.ptr[start - 1] > ' ' && string.ptr[start - 1] < 0x7f)
		start--;
	return view_from(string, start);
}

static bool is_folder(struct view text)
{
	return text.len > 2 && text.len <= LOADER_BUILT_IN_BYTES_MAX && view_starts(text, "/") &&
	       view_ends(text, "/") && memmem(text.ptr, text.len, "/lib", 4);
}

/* The longest run of such strings. */
static void find_run(struct view file, struct run *best)
{
	struct run run = { .count = 0 };

	best->count = 0;
	while (file.len > 0) {
		struct view text = text_at_end(view_cut(&file, '\0'));
		bool is_in = is_folder(text) && run.count < LOADER_BUILT_IN_MAX;

		if (!is_in) {
			run.count = 0;
			continue;
		}
		run.folders[run.count++] = (struct view){ text.ptr, text.len - 1 };
		if (run.count > best->count)
			*best = run;
	}
}

bool loader_built_in_read(struct view file, struct arena *arena, const char ***folders,
			  size_t *count, struct err *err)
{
	struct run run;

	find_run(file, &run);
	const char **items = arena_take(arena, (run.count + 1) * sizeof(*items));

	for (size_t i = 0; items && i < run.count; i++) {
		items[i] = arena_copy(arena, run.folders[i].ptr, run.folders[i].len);
		if (!items[i])
			items = NULL;
	}
	if (!items)
		return err_memory(err, "a loader's folders");
	*folders = items;
	*count = run.count;
	return true;
}
