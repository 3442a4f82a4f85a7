/* What to run, worked out before anything is started: arguments, environment, and the paths that
 * an execvp would try. Pure: no I/O; docker's and runc's behaviour is the reference.
 */
#pragma once

#include "base/arena.h"
#include "init/contract/boot_config.h"

#define COMMAND_PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct command {
	const char *const *arguments; /* ends in NULL */
	const char *const *environment; /* ends in NULL */
	const char *const *paths; /* paths[path_count]: to try in this order */
	size_t path_count;
};

/* All memory comes from the arena; texts are borrowed from config.
 * Errors: ERR_NOT_FOUND  neither entrypoint nor cmd names a program */
MUST_CHECK bool command_make(struct command *out, const struct boot_config *config,
			     struct arena *arena, struct err *err);

/* The value of a variable, or NULL. */
const char *command_variable(const char *const *environment, const char *name);
