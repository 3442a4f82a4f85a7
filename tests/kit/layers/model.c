#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/crc.h"

enum { TEXT_MAX = 4096, SYMLINKS_MAX = 255 };

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static bool is_dir(const struct model_node *node)
{
	return !node->entry || node->entry->kind == ENTRY_DIR;
}

static struct model_name *find(const struct model *model, const char *path)
{
	for (size_t i = 0; i < model->count; i++) {
		if (strcmp(model->names[i].path, path) == 0)
			return &model->names[i];
	}
	return NULL;
}

static void put(struct model *model, const char *path, struct model_node *node)
{
	if (model->count == model->capacity) {
		size_t wanted = model->capacity ? model->capacity * 2 : 64;
		struct model_name *bigger =
			must(arena_take(&model->arena, wanted * sizeof(*bigger)));

		if (model->count > 0)
			memcpy(bigger, model->names, model->count * sizeof(*bigger));
		model->names = bigger;
		model->capacity = wanted;
	}
	model->names[model->count++] = (struct model_name){
		must(arena_copy(&model->arena, path, strlen(path))), node
	};
}

static struct model_node *new_node(struct model *model, const struct case_entry *entry)
{
	struct model_node *node = must(arena_take(&model->arena, sizeof(*node)));

	node->entry = entry;
	return node;
}

void model_begin(struct model *model)
{
	*model = (struct model){ 0 };
	put(model, "", new_node(model, NULL));
}

void model_freep(struct model *model)
{
	arena_freep(&model->arena);
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len == 0 ? path[0] != '\0' : strncmp(path, dir, len) == 0 && path[len] == '/';
}

static void remove_below(struct model *model, const char *dir)
{
	for (size_t i = model->count; i-- > 0;) {
		if (is_below(model->names[i].path, dir))
			model->names[i] = model->names[--model->count];
	}
}

static void remove_name(struct model *model, const char *path)
{
	remove_below(model, path);
	for (size_t i = 0; i < model->count; i++) {
		if (strcmp(model->names[i].path, path) == 0) {
			model->names[i] = model->names[--model->count];
			return;
		}
	}
}

/* path becomes its parent; returns the last component. */
static char *split(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash) {
		static char none[TEXT_MAX];

		snprintf(none, sizeof(none), "%s", path);
		path[0] = '\0';
		return none;
	}
	*slash = '\0';
	return slash + 1;
}

static void append(char *path, const char *name)
{
	size_t len = strlen(path), name_len = strlen(name);

	if (len + 1 + name_len >= TEXT_MAX)
		abort();
	if (len > 0)
		path[len++] = '/';
	memcpy(path + len, name, name_len + 1);
}

/* The next component, or NULL; rest moves behind it. */
static char *cut(char **rest)
{
	char *start = *rest;

	while (*start == '/')
		start++;
	if (*start == '\0')
		return NULL;
	char *end = strchrnul(start, '/');

	*rest = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static void clean(char *out, struct view raw)
{
	char copy[TEXT_MAX];
	char *rest = copy, *part = NULL;

	snprintf(copy, sizeof(copy), "%.*s", VIEW_ARGS(raw));
	out[0] = '\0';
	while ((part = cut(&rest))) {
		if (strcmp(part, "..") == 0)
			split(out);
		else if (strcmp(part, ".") != 0)
			append(out, part);
	}
}

/* Does this layer make that symlink anything else, or take away what it stands in? */
static bool is_replaced(const struct case_list *layer, const struct model_name *symlink);

enum end { END_FOUND, END_REPLACED, END_NO_DIR, END_LOOP };

/* Where a path leads, as a path without symlinks. What is missing counts as a directory to be.
 * layer: of a removal, which must not follow symlinks that this layer replaces; else NULL. */
static enum end resolve(const struct model *model, const char *path, const struct case_list *layer,
			char *out)
{
	char left[TEXT_MAX], joined[TEXT_MAX];
	char *rest = left, *part = NULL;
	unsigned symlinks = 0;

	snprintf(left, sizeof(left), "%s", path);
	out[0] = '\0';
	while ((part = cut(&rest))) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			split(out);
			continue;
		}
		append(out, part);
		const struct model_name *name = find(model, out);

		if (!name || is_dir(name->node))
			continue;
		if (name->node->entry->kind != ENTRY_SYMLINK)
			return END_NO_DIR;
		if (layer && is_replaced(layer, name))
			return END_REPLACED;
		if (++symlinks > SYMLINKS_MAX)
			return END_LOOP;
		struct view target = name->node->entry->target;

		split(out);
		if (target.ptr[0] == '/')
			out[0] = '\0';
		snprintf(joined, sizeof(joined), "%.*s/%s", VIEW_ARGS(target), rest);
		memcpy(left, joined, strlen(joined) + 1);
		rest = left;
	}
	return END_FOUND;
}

enum role { ROLE_ADD, ROLE_REMOVE, ROLE_EMPTY, ROLE_SKIP };

/* What an entry's clean path asks for; path becomes what to remove or to empty. */
static enum role role_of(char *path)
{
	char parent[TEXT_MAX], name[TEXT_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	snprintf(name, sizeof(name), "%s", split(parent));
	if (strncmp(name, ".wh.", 4) != 0)
		return ROLE_ADD;
	snprintf(path, TEXT_MAX, "%s", parent);
	if (strcmp(name, ".wh..wh..opq") == 0)
		return ROLE_EMPTY;
	if (strncmp(name, ".wh..wh.", 8) == 0)
		return ROLE_SKIP;
	append(path, name + 4);
	return ROLE_REMOVE;
}

static bool is_replaced(const struct case_list *layer, const struct model_name *symlink)
{
	for (size_t i = 0; i < layer->count; i++) {
		const struct case_entry *entry = &layer->entries[i];
		char path[TEXT_MAX];

		clean(path, entry->path);
		enum role role = role_of(path);

		if (role == ROLE_SKIP)
			continue;
		bool is_kept = role == ROLE_ADD && entry->kind == ENTRY_DIR;

		if (is_below(symlink->path, path) && !is_kept)
			return true;
		if (strcmp(symlink->path, path) != 0 || role == ROLE_EMPTY)
			continue;
		if (role == ROLE_REMOVE || entry->kind != ENTRY_SYMLINK ||
		    !view_same(entry->target, symlink->node->entry->target))
			return true;
	}
	return false;
}

/* Find out what to remove before anything is removed, then remove it. */
static bool apply_removal(struct model *model, const struct model *lower,
			  const struct case_list *layer, const struct case_entry *entry)
{
	char path[TEXT_MAX], dir[TEXT_MAX], name[TEXT_MAX] = "";

	clean(path, entry->path);
	enum role role = role_of(path);

	if (role == ROLE_ADD || role == ROLE_SKIP)
		return true;
	if (role == ROLE_REMOVE)
		snprintf(name, sizeof(name), "%s", split(path));
	enum end end = resolve(lower, path, layer, dir);

	if (end == END_REPLACED)
		model->odd_line = entry->line;
	if (end == END_LOOP)
		model->failure = ERR_FORMAT;
	if (end != END_FOUND)
		return end != END_LOOP;
	if (role == ROLE_EMPTY) {
		const struct model_name *emptied = find(lower, dir);

		if (emptied && is_dir(emptied->node))
			remove_below(model, dir);
		return true;
	}
	append(dir, name);
	remove_name(model, dir);
	return true;
}

static void make_dirs(struct model *model, const char *path)
{
	char parent[TEXT_MAX];

	if (find(model, path))
		return;
	snprintf(parent, sizeof(parent), "%s", path);
	split(parent);
	make_dirs(model, parent);
	put(model, path, new_node(model, NULL));
}

static const struct model_name *find_target(const struct model *model,
					    const struct case_entry *entry)
{
	char path[TEXT_MAX], dir[TEXT_MAX], name[TEXT_MAX];

	clean(path, entry->target);
	snprintf(name, sizeof(name), "%s", split(path));
	if (name[0] == '\0' || resolve(model, path, NULL, dir) != END_FOUND)
		return NULL;
	append(dir, name);
	const struct model_name *target = find(model, dir);

	return target && !is_dir(target->node) ? target : NULL;
}

/* Would the target still be found if that name were gone? */
static bool leads_past(const struct model *model, const struct case_entry *entry, const char *path)
{
	struct model without = *model;

	without.names = must(calloc(model->count, sizeof(*without.names)));
	memcpy(without.names, model->names, model->count * sizeof(*without.names));
	remove_name(&without, path);
	bool is_found = find_target(&without, entry) != NULL;

	free(without.names);
	return is_found;
}

/* Its target must still be there when what stood in the link's place is gone, unless the name leads
 * to that inode already. */
static bool apply_hardlink(struct model *model, const struct case_entry *entry, const char *path)
{
	const struct model_name *existing = find(model, path), *target = find_target(model, entry);

	if (!target)
		return false;
	if (existing && existing->node == target->node) {
		if (!leads_past(model, entry, path))
			model->odd_line = entry->line;
		return true;
	}
	remove_name(model, path);
	target = find_target(model, entry);
	if (!target)
		return false;
	put(model, path, target->node);
	return true;
}

static bool apply_addition(struct model *model, const struct case_entry *entry)
{
	char path[TEXT_MAX], dir[TEXT_MAX], name[TEXT_MAX];

	clean(path, entry->path);
	if (role_of(path) != ROLE_ADD)
		return true;
	snprintf(name, sizeof(name), "%s", split(path));
	model->failure = ERR_FORMAT; /* of all that follows */
	if (name[0] == '\0') {
		((struct model_name *)must(find(model, "")))->node->entry = entry;
		return entry->kind == ENTRY_DIR;
	}
	if (resolve(model, path, NULL, dir) != END_FOUND)
		return false;
	make_dirs(model, dir);
	append(dir, name);
	struct model_name *existing = find(model, dir);

	if (entry->kind == ENTRY_HARDLINK)
		return apply_hardlink(model, entry, dir);
	if (entry->kind == ENTRY_DIR && existing && is_dir(existing->node)) {
		existing->node->entry = entry;
		return true;
	}
	remove_name(model, dir);
	put(model, dir, new_node(model, entry));
	return true;
}

bool model_apply(struct model *model, const struct case_list *layer)
{
	struct model lower = *model;

	lower.names = must(arena_take(&model->arena, (model->count + 1) * sizeof(*lower.names)));
	memcpy(lower.names, model->names, model->count * sizeof(*lower.names));
	for (size_t i = 0; i < layer->count; i++) {
		model->failed_line = layer->entries[i].line;
		if (!apply_removal(model, &lower, layer, &layer->entries[i]))
			return false;
	}
	for (size_t i = 0; i < layer->count; i++) {
		model->failed_line = layer->entries[i].line;
		if (!apply_addition(model, &layer->entries[i]))
			return false;
	}
	return true;
}

void model_flat(struct flat *out, const struct model *model)
{
	uint64_t *inodes = must(calloc(model->count, sizeof(*inodes)));

	*out = (struct flat){ 0 };
	for (size_t i = 0; i < model->count; i++) {
		const struct model_name *name = &model->names[i];

		inodes[i] = (uintptr_t)name->node;
		flat_add_entry(out, view_of(name->path), name->node->entry);
	}
	flat_sort(out, inodes);
	free(inodes);
}
