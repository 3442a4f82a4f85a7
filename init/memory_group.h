/* The control group that the entrypoint and all its descendants are in, so that the exit report can
 * say whether one of them was killed for lack of memory. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

/* Make the group; without cgroup2 or its memory controller there is none, which is told. */
void memory_group_make(void);

/* Put the calling process in. Best effort. */
void memory_group_enter(void);

bool memory_group_had_oom_kill(void);

/* Pure: "oom_kill N" of a memory.events file, N over 0. */
bool memory_events_tell_oom_kill(struct view text);
