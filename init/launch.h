/* Everything about starting the entrypoint, decided before it is started: the image's
 * configuration with the machine's settings over it. */
#pragma once

#include "base/arena.h"
#include "command.h"
#include "init/contract/boot_config.h"
#include "init/contract/settings.h"
#include "limits.h"

struct launch {
	struct command command;
	struct boot_user user;
	const char *working_dir;
	struct limits limits;
	uint64_t capabilities;
	bool no_new_privs;
	bool has_terminal;
};

/* As docker run does with its options: an entrypoint that is set drops the image's cmd; a user is
 * looked up in the root's own files. Texts are borrowed from config, settings and the arena.
 * root_fd: where etc/passwd and etc/group are, read only when a user is set
 * Errors: ERR_FORMAT     a user, limit or capability that is none
 *         ERR_NOT_FOUND  nothing to run */
MUST_CHECK bool launch_make(struct launch *out, const struct boot_config *config,
			    const struct settings *settings, int root_fd, struct arena *arena,
			    struct err *err);
