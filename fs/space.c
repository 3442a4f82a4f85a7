#include "space.h"

struct run space_take(struct space *space, uint64_t count)
{
	while (space->at < space->run_count && space->used == space->runs[space->at].count) {
		space->at++;
		space->used = 0;
	}
	if (space->at == space->run_count)
		return (struct run){ 0 };
	const struct run *run = &space->runs[space->at];
	uint64_t left = run->count - space->used;
	struct run taken = { run->start + space->used, count < left ? count : left };

	space->used += taken.count;
	return taken;
}

uint64_t space_left(const struct space *space)
{
	uint64_t left = 0;

	for (size_t i = space->at; i < space->run_count; i++)
		left += space->runs[i].count;
	return space->at < space->run_count ? left - space->used : 0;
}
