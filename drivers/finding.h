/* What a check found: rows with a stable rule id, for people and for --json alike.
 *
 * The ids are part of the interface (DESIGN.md §6, exit 10): they are never renamed.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum rule {
	RULE_KERNEL_RELEASE,
	RULE_VERMAGIC,
	RULE_MODVERSIONS_CRC,
	RULE_UNDEFINED_SYMBOL,
	RULE_MODULE_SIGNATURE,
	RULE_KERNEL_CONFIG,
	RULE_COUNT,
};

enum severity {
	SEVERITY_UNKNOWN, /* could not be checked; the sentence says what was lacking */
	SEVERITY_WARNING,
	SEVERITY_ERROR, /* it will not work */
};

struct finding {
	enum rule rule;
	enum severity severity;
	const char *sentence; /* names both sides of what was compared; the list's own */
};

struct finding_list {
	struct finding *items; /* items[count] in the order of the checks; owned */
	size_t count, capacity;
	struct arena arena;
};
void finding_list_freep(struct finding_list *list);

MUST_CHECK bool finding_add(struct finding_list *list, enum rule rule, enum severity severity,
			    struct err *err, const char *format, ...) PRINTF(5, 6);

/* "kernel-release", … and "unknown", "warning", "error". */
const char *rule_id(enum rule rule);
const char *severity_name(enum severity severity);

size_t finding_count(const struct finding_list *list, enum severity severity);
