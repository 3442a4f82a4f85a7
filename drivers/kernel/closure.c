#include "closure.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *key;
	enum need_kind kind; /* until a word says otherwise */
} lists[] = {
	{ "depends", NEED_DEPENDS }, /* "a,b" */
	{ "softdep", NEED_BEFORE }, /* "pre: a b post: c" */
};

enum { LIST_COUNT = sizeof(lists) / sizeof(lists[0]) };

/* Words stand between commas or spaces; empty when there are no more. */
static struct view next_word(struct view *rest)
{
	size_t skip = 0, len = 0;

	while (skip < rest->len && strchr(" ,", rest->ptr[skip]))
		skip++;
	*rest = view_from(*rest, skip);
	while (len < rest->len && !strchr(" ,", rest->ptr[len]))
		len++;
	struct view word = { rest->ptr, len };

	*rest = view_from(*rest, len);
	return word;
}

/* Go to the next value of this key or a later one. */
static bool next_words(const struct modinfo *info, struct need_cursor *cursor)
{
	for (; cursor->list < LIST_COUNT; cursor->list++) {
		if (!cursor->is_started)
			cursor->info_rest = info->text;
		cursor->is_started = true;
		cursor->kind = lists[cursor->list].kind;
		if (modinfo_next(&cursor->info_rest, lists[cursor->list].key, &cursor->words))
			return true;
		cursor->is_started = false;
	}
	return false;
}

bool module_next_need(const struct modinfo *info, struct need_cursor *cursor, struct view *name,
		      enum need_kind *kind)
{
	for (;;) {
		struct view word = next_word(&cursor->words);

		if (view_equal(word, "pre:")) {
			cursor->kind = NEED_BEFORE;
		} else if (view_equal(word, "post:")) {
			cursor->kind = NEED_AFTER;
		} else if (word.len > 0) {
			*name = word;
			*kind = cursor->kind;
			return true;
		} else if (!next_words(info, cursor)) {
			return false;
		}
	}
}

enum { DEPTH_MAX = 100 }; /* of modules that depend on each other; real chains have under ten */

enum visit { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

struct walk {
	struct module_set *set;
	enum visit *visits; /* by the module's ordinal */
	struct closure closure;
	unsigned depth;
};

MUST_CHECK static bool add(struct walk *walk, const struct module *module, struct err *err);

/* A need that is met by nothing is an error for depends, and fine for a softdep. */
MUST_CHECK static bool add_need(struct walk *walk, const struct module *module, struct view name,
				enum need_kind kind, struct err *err)
{
	const struct module *need = NULL;

	if (module_set_is_builtin(walk->set, name))
		return true;
	if (!module_set_find(walk->set, name, &need, err))
		return false;
	if (!need && kind != NEED_DEPENDS)
		return true;
	if (!need)
		return err_set(err, ERR_NOT_FOUND,
			       "module %s depends on %.*s, which is neither there nor built in",
			       module->name, VIEW_ARGS(name));
	enum visit visit = walk->visits[need->ordinal];

	if (visit == VISIT_OPEN && kind == NEED_DEPENDS)
		return err_set(err, ERR_FORMAT, "modules %s and %s depend on each other",
			       module->name, need->name);
	return visit == VISIT_OPEN || add(walk, need, err);
}

MUST_CHECK static bool add_needs(struct walk *walk, const struct module *module, bool is_after,
				 struct err *err)
{
	struct need_cursor cursor = { 0 };
	struct view name;
	enum need_kind kind;

	while (module_next_need(&module->info, &cursor, &name, &kind))
		if ((kind == NEED_AFTER) == is_after && !add_need(walk, module, name, kind, err))
			return false;
	return true;
}

MUST_CHECK static bool add(struct walk *walk, const struct module *module, struct err *err)
{
	if (walk->visits[module->ordinal] != VISIT_NEW)
		return true;
	if (walk->depth == DEPTH_MAX)
		return err_set(err, ERR_FORMAT, "over %d modules depend on each other in a row",
			       DEPTH_MAX);
	walk->depth++;
	walk->visits[module->ordinal] = VISIT_OPEN;
	if (!add_needs(walk, module, false, err))
		return false;
	walk->visits[module->ordinal] = VISIT_DONE;
	walk->closure.modules[walk->closure.count++] = module;
	if (!add_needs(walk, module, true, err))
		return false;
	walk->depth--;
	return true;
}

static void walk_freep(struct walk *walk)
{
	free(walk->visits);
	closure_freep(&walk->closure);
}

bool closure_make(struct closure *out, struct module_set *set, const char *const *names,
		  size_t name_count, struct err *err)
{
	CLEANUP(walk_freep) struct walk walk = { .set = set };
	size_t count = module_set_count(set);

	walk.visits = calloc(count + 1, sizeof(*walk.visits));
	walk.closure.modules = calloc(count + 1, sizeof(struct module *));
	if (!walk.visits || !walk.closure.modules)
		return err_memory(err, "a list of modules");
	for (size_t i = 0; i < name_count; i++) {
		const struct module *module = NULL;

		if (module_set_is_builtin(set, view_of(names[i])))
			continue;
		if (!module_set_find(set, view_of(names[i]), &module, err))
			return false;
		if (!module)
			return err_set(err, ERR_NOT_FOUND, "no kernel module %s", names[i]);
		if (!add(&walk, module, err))
			return false;
	}
	*out = walk.closure;
	walk.closure = (struct closure){ 0 };
	return true;
}

void closure_freep(struct closure *closure)
{
	free(closure->modules);
	*closure = (struct closure){ 0 };
}
