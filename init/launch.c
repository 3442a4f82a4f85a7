#include "launch.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "capabilities.h"
#include "init/contract/user.h"

enum { ACCOUNTS_BYTES_MAX = 16 << 20 }; /* /etc/passwd of the largest site */

/* A file that is not there is an empty one. */
MUST_CHECK static bool slurp_if_there(struct bytes *out, int root_fd, const char *path,
				      struct err *err)
{
	struct err missing = { 0 };

	if (file_slurp(out, root_fd, path, &missing) || missing.kind == ERR_NOT_FOUND)
		return true;
	*err = missing;
	return false;
}

MUST_CHECK static bool find_user(struct launch *launch, const char *user, int root_fd,
				 struct arena *arena, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes passwd = bytes_capped(ACCOUNTS_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes group = bytes_capped(ACCOUNTS_BYTES_MAX);

	return slurp_if_there(&passwd, root_fd, "etc/passwd", err) &&
	       slurp_if_there(&group, root_fd, "etc/group", err) &&
	       user_resolve(&launch->user, view_of(user), bytes_view(&passwd), bytes_view(&group),
			    arena, err);
}

static const char *assignment(struct arena *arena, const char *name, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value);
	char *text = arena_take(arena, name_len + 1 + value_len + 1);

	if (!text)
		return NULL;
	memcpy(text, name, name_len);
	text[name_len] = '=';
	memcpy(text + name_len + 1, value, value_len + 1);
	return text;
}

/* docker's own variables first, then the image's, then the machine's: later ones win. */
MUST_CHECK static bool join_env(struct text_list *out, const struct boot_config *config,
				const struct settings *settings, struct arena *arena,
				struct err *err)
{
	const char *own[][2] = {
		{ "HOSTNAME", settings->hostname },
		{ "TERM", settings->has_terminal ? "xterm" : NULL },
	};
	size_t own_count = sizeof(own) / sizeof(own[0]), count = 0;
	size_t room = own_count + config->env.count + settings->env.count + 1;
	const char **items = arena_take(arena, room * sizeof(char *));

	if (!items)
		return err_memory(err, "the environment");
	for (size_t i = 0; i < own_count; i++)
		if (own[i][1])
			items[count++] = assignment(arena, own[i][0], own[i][1]);
	for (size_t i = 0; i < config->env.count; i++)
		items[count++] = config->env.items[i];
	for (size_t i = 0; i < settings->env.count; i++)
		items[count++] = assignment(arena, settings->env.items[i].name,
					    settings->env.items[i].value);
	for (size_t i = 0; i < count; i++)
		if (!items[i])
			return err_memory(err, "the environment");
	*out = (struct text_list){ items, count };
	return true;
}

bool launch_make(struct launch *out, const struct boot_config *config,
		 const struct settings *settings, int root_fd, struct arena *arena,
		 struct err *err)
{
	struct boot_config merged = *config;
	struct launch launch = {
		.user = config->user,
		.working_dir = settings->working_dir ? settings->working_dir :
						       config->working_dir,
		.no_new_privs = settings->no_new_privs,
		.has_terminal = settings->has_terminal,
	};

	if (settings->entrypoint.items) {
		merged.entrypoint = settings->entrypoint;
		merged.cmd = (struct text_list){ 0 };
	}
	if (settings->cmd.items)
		merged.cmd = settings->cmd;
	if (settings->user && !find_user(&launch, settings->user, root_fd, arena, err))
		return false;
	merged.user = launch.user;
	if (!join_env(&merged.env, config, settings, arena, err) ||
	    !limits_make(&launch.limits, &settings->rlimits, err) ||
	    !capabilities_parse(&launch.capabilities, &settings->capabilities, err) ||
	    !command_make(&launch.command, &merged, arena, err))
		return false;
	*out = launch;
	return true;
}
