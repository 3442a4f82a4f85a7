/* The control group that the entrypoint and all its descendants are in, so that the exit report can
 * say whether one of them was killed for lack of memory. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/view.h"

/* Make the group; without cgroup2 or its memory controller there is none, which is told. */
void memory_group_make(void);

/* As fork, with the child born in the group. One that moved in by itself would wait for the whole
 * machine's RCU (cgroup.procs takes cgroup_threadgroup_rwsem to write): 10 ms of every boot.
 * glibc does not learn of the child: there its functions for all threads of a process, such as
 * setresuid, are not to be used. */
pid_t memory_group_fork(void);

bool memory_group_had_oom_kill(void);

/* Pure: "oom_kill N" of a memory.events file, N over 0. */
bool memory_events_tell_oom_kill(struct view text);
