#include "policy.h"

#include <stdlib.h>
#include <string.h>

static int compare_uses(const void *a, const void *b, void *context)
{
	const struct policy_thing *things = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;

	if (things[left].last_use != things[right].last_use)
		return things[left].last_use < things[right].last_use ? -1 : 1;
	return left < right ? -1 : 1;
}

static void sort(size_t *order, const struct policy_thing *things, size_t count)
{
	struct policy_thing *context = NULL;

	for (size_t i = 0; i < count; i++)
		order[i] = i;
	memcpy(&context, &things, sizeof(things)); /* compare_uses only reads */
	if (count > 1)
		qsort_r(order, count, sizeof(*order), compare_uses, context);
}

static bool is_overdue(const struct policy_thing *thing, int64_t now)
{
	uint64_t age = thing->last_use < now ? (uint64_t)now - (uint64_t)thing->last_use : 0;

	return thing->goes_after_seconds != POLICY_NEVER && age >= thing->goes_after_seconds;
}

/* What stays, and what goes. */
struct balance {
	uint64_t held_bytes, freed_bytes;
};

static struct balance balance_of(const struct policy_thing *things, size_t count,
				 const enum policy_choice *choices)
{
	struct balance balance = { 0 };

	for (size_t i = 0; i < count; i++)
		*(choices[i] == POLICY_STAYS ? &balance.held_bytes : &balance.freed_bytes) +=
			things[i].bytes;
	return balance;
}

static uint64_t lack_of(const struct balance *balance, const struct policy_limits *limits)
{
	uint64_t over = balance->held_bytes > limits->max_bytes ?
				balance->held_bytes - limits->max_bytes : 0;
	uint64_t short_of = balance->freed_bytes < limits->min_freed_bytes ?
				    limits->min_freed_bytes - balance->freed_bytes : 0;

	return over > short_of ? over : short_of;
}

void policy_choose(const struct policy_thing *things, size_t count,
		   const struct policy_limits *limits, size_t *order, enum policy_choice *choices)
{
	sort(order, things, count);
	for (size_t i = 0; i < count; i++)
		choices[i] = !things[i].stays && is_overdue(&things[i], limits->now) ?
				     POLICY_UNUSED : POLICY_STAYS;
	struct balance balance = balance_of(things, count, choices);

	for (size_t i = 0; i < count && lack_of(&balance, limits) > 0; i++) {
		const struct policy_thing *thing = &things[order[i]];

		if (thing->stays || choices[order[i]] != POLICY_STAYS)
			continue;
		choices[order[i]] = POLICY_ROOM;
		balance.held_bytes -= thing->bytes;
		balance.freed_bytes += thing->bytes;
	}
}

uint64_t policy_lack(const struct policy_thing *things, size_t count,
		     const struct policy_limits *limits, const enum policy_choice *choices)
{
	struct balance balance = balance_of(things, count, choices);

	return lack_of(&balance, limits);
}
