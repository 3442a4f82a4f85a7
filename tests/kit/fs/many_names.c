#include "many_names.h"

#include <stdlib.h>

enum { TEXT_BYTES = 4000000 + 255, FILE_INODE = 3 };

static const struct index no_index;
static const struct index_entry empty_file = { .kind = ENTRY_FILE, .mode = 0644 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* xorshift: the same letters everywhere. */
static char *random_letters(void)
{
	char *text = malloc(TEXT_BYTES);
	uint64_t state = 88172645463325252;

	must(text);
	for (size_t i = 0; i < TEXT_BYTES; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		text[i] = (char)('a' + (state >> 32) % 26);
	}
	return text;
}

void many_names_make(struct many_names *out, uint32_t len)
{
	struct err err = { 0 };
	uint32_t file = 0;

	*out = (struct many_names){ .text = random_letters(), .len = len };
	must(tree_new(&out->tree, &err));
	must(tree_add_inode(out->tree, NULL, NULL, 0, &out->dir, &err));
	must(tree_add_inode(out->tree, &no_index, &empty_file, 0, &file, &err));
	must(file == FILE_INODE);
	must(tree_link(out->tree, TREE_ROOT, view_of("many"), out->dir, &err));
}

void many_names_add(struct many_names *names, uint32_t first, uint32_t end, bool is_backwards)
{
	struct err err = { 0 };

	for (uint32_t i = 0; i < end - first; i++) {
		uint32_t at = is_backwards ? end - 1 - i : first + i;
		struct view name = { names->text + at, names->len };

		must(tree_link(names->tree, names->dir, name, FILE_INODE, &err));
	}
}

void many_names_freep(struct many_names *names)
{
	tree_freep(&names->tree);
	free(names->text);
	*names = (struct many_names){ 0 };
}

struct view many_names_text(const struct many_names *names, uint32_t name)
{
	const struct tree_name *found = tree_name(names->tree, name);

	return (struct view){ found->ptr, found->len };
}
