#include "importing.h"

#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 64 }; /* of one library */

/* Names of a library besides its own. */
struct link_list {
	const char *items[LINKS_MAX + 1];
	size_t count;
};

static bool has_link(const struct link_list *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++)
		if (strcmp(links->items[i], name) == 0)
			return true;
	return false;
}

/* GBM's back end is a link in a folder beside, wherever the source has it (place_next_link). */
static bool is_back_end(const char *link)
{
	return view_starts(view_of(link), "nvidia-drm_gbm");
}

static void add_link(struct link_list *links, const char *name, const char *link)
{
	if (link && links->count < LINKS_MAX && strcmp(name, link) != 0 && !has_link(links, link))
		links->items[links->count++] = link;
}

/* Symlinks of the source that lead here, by way of others too. */
static void add_source_links(const struct intake *intake, struct link_list *links, const char *name)
{
	size_t before;

	do {
		before = links->count;
		for (size_t i = 0; i < intake->link_count; i++) {
			const struct part_link *link = &intake->links[i];

			if ((strcmp(link->target, name) == 0 || has_link(links, link->target)) &&
			    !is_back_end(link->name))
				add_link(links, name, link->name);
		}
	} while (links->count > before);
}

/* A .run says in its list which links it would make. */
static void add_listed_links(const struct install_list *list, struct link_list *links,
			     const char *name)
{
	size_t before;

	do {
		before = links->count;
		for (size_t i = 0; i < list->entry_count; i++) {
			const struct install_entry *entry = &list->entries[i];
			const char *slash = strrchr(entry->path.ptr, '/');
			const char *link = slash ? slash + 1 : entry->path.ptr;
			bool leads_here = view_equal(entry->target, name);

			for (size_t j = 0; j < links->count; j++)
				leads_here |= view_equal(entry->target, links->items[j]);
			if (entry->use == INSTALL_SYMLINK && leads_here && !is_back_end(link))
				add_link(links, name, link);
		}
	} while (links->count > before);
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

bool import_links(struct importing *importing, const struct install_list *list, const char *name,
		  struct bundle_file *file, struct err *err)
{
	struct link_list links = { .count = 0 };
	size_t cursor = 0;
	const char *link;

	add_link(&links, name, file->soname);
	while ((link = place_next_link(view_of(name), &cursor)))
		add_link(&links, name, link);
	add_source_links(&importing->intake, &links, name);
	add_listed_links(list, &links, name);
	if (links.count == 0)
		return true;
	qsort(links.items, links.count, sizeof(links.items[0]), compare_texts);
	const char **items = arena_take(&importing->bundle.arena, sizeof(links.items));

	if (!items)
		return err_memory(err, "a library's links");
	memcpy(items, links.items, links.count * sizeof(*items));
	file->links = (struct text_list){ items, links.count };
	return true;
}
