#include "nodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/view.h"

void nodes_add(struct nodes *nodes, const char *path, const char *text, uint64_t inode)
{
	if (nodes->count == nodes->capacity) {
		nodes->capacity = nodes->capacity ? nodes->capacity * 2 : 256;
		nodes->items = realloc(nodes->items, nodes->capacity * sizeof(*nodes->items));
		if (!nodes->items)
			abort();
	}
	nodes->items[nodes->count++] = (struct node){ strdup(path), strdup(text), inode };
}

static int compare_paths(const void *a, const void *b)
{
	const struct node *left = a, *right = b;

	return strcmp(left->path, right->path);
}

/* By inode, then by path: the first of each inode gives its path to the others. */
static int compare_inodes(const void *a, const void *b)
{
	const struct node *const *left = a, *const *right = b;

	if ((*left)->inode != (*right)->inode)
		return (*left)->inode < (*right)->inode ? -1 : 1;
	return strcmp((*left)->path, (*right)->path);
}

static void note_first_names(struct nodes *nodes)
{
	struct node **sorted = calloc(nodes->count + 1, sizeof(struct node *));
	const struct node *first = NULL;

	if (!sorted)
		abort();
	for (size_t i = 0; i < nodes->count; i++)
		sorted[i] = &nodes->items[i];
	qsort(sorted, nodes->count, sizeof(struct node *), compare_inodes);
	for (size_t i = 0; i < nodes->count; i++) {
		if (!first || first->inode != sorted[i]->inode) {
			first = sorted[i];
			continue;
		}
		free(sorted[i]->text);
		if (asprintf(&sorted[i]->text, "= %s", first->path) < 0)
			abort();
	}
	free(sorted);
}

void nodes_print(struct nodes *nodes, struct bytes *out)
{
	qsort(nodes->items, nodes->count, sizeof(*nodes->items), compare_paths);
	note_first_names(nodes);
	for (size_t i = 0; i < nodes->count; i++)
		nodes_text(out, "%s %s\n", nodes->items[i].path, nodes->items[i].text);
}

void nodes_freep(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++) {
		free(nodes->items[i].path);
		free(nodes->items[i].text);
	}
	free(nodes->items);
}

void nodes_text(struct bytes *out, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL;
	struct err err = { 0 };
	va_list values;

	va_start(values, format);
	int len = vasprintf(&text, format, values);

	va_end(values);
	if (len < 0 || !bytes_append(out, text, (size_t)len, &err))
		abort();
}

void nodes_xattr(struct bytes *out, const char *name, size_t name_len, const void *value,
		 size_t value_len)
{
	const uint8_t *bytes = value;

	nodes_text(out, " %.*s=", (int)name_len, name);
	for (size_t i = 0; i < value_len; i++)
		nodes_text(out, "%02x", bytes[i]);
}
