/* Which kernel modules to load, and in what order, worked out from the modules themselves.
 *
 * A distribution's package holds no modules.dep (its postinst makes that), so the source of truth
 * is each module's own .modinfo: `depends` and `softdep`. Pure but for reading modules.
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "modinfo.h"
#include "module_set.h"

/* What a module wants loaded besides itself, one by one. *cursor starts as { 0 }. */
enum need_kind {
	NEED_DEPENDS, /* before it, or it does not load */
	NEED_BEFORE, /* softdep pre: before it, if it exists */
	NEED_AFTER, /* softdep post: after it, if it exists */
};
struct need_cursor {
	unsigned list; /* which key is being read */
	bool is_started; /* reading it; info_rest is empty at its end */
	struct view info_rest, words;
	enum need_kind kind;
};
bool module_next_need(const struct modinfo *info, struct need_cursor *cursor, struct view *name,
		      enum need_kind *kind);

struct closure {
	const struct module **modules; /* modules[count] in order of loading; array owned */
	size_t count;
};

/* The wanted modules and all that they need, each once, needs first. What is built in is left
 * out; so is a softdep that is nowhere.
 * Errors: ERR_NOT_FOUND  a wanted module, or one that another depends on, is nowhere
 *         ERR_FORMAT     a module that is broken, or depends on itself in a circle */
MUST_CHECK bool closure_make(struct closure *out, struct module_set *set,
			     const char *const *names, size_t name_count, struct err *err);
void closure_freep(struct closure *closure);
