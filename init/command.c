#include "command.h"

#include <string.h>

const char *command_variable(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

static char *join(struct arena *arena, struct view head, const char *between, const char *tail)
{
	size_t between_len = strlen(between), tail_len = strlen(tail);
	char *text = arena_take(arena, head.len + between_len + tail_len + 1);

	if (!text)
		return NULL;
	memcpy(text, head.ptr, head.len);
	memcpy(text + head.len, between, between_len);
	memcpy(text + head.len + between_len, tail, tail_len + 1);
	return text;
}

MUST_CHECK static bool make_arguments(struct command *command, const struct boot_config *config,
				      struct arena *arena, struct err *err)
{
	size_t entry_count = config->entrypoint.count, cmd_count = config->cmd.count;
	const char **arguments = arena_take(arena, (entry_count + cmd_count + 1) * sizeof(char *));

	if (!arguments)
		return err_memory(err, "the arguments");
	for (size_t i = 0; i < entry_count; i++)
		arguments[i] = config->entrypoint.items[i];
	for (size_t i = 0; i < cmd_count; i++)
		arguments[entry_count + i] = config->cmd.items[i];
	if (!arguments[0])
		return err_set(err, ERR_NOT_FOUND,
			       "nothing to run: the image has neither entrypoint nor cmd");
	command->arguments = arguments;
	return true;
}

/* The same variable twice: the later one counts, at the place of the first (as in runc). */
static void set_variable(const char **environment, size_t *count, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t name_len = equals ? (size_t)(equals - text) + 1 : 0;

	if (name_len < 2)
		return;
	for (size_t i = 0; i < *count; i++) {
		if (strncmp(environment[i], text, name_len) == 0) {
			environment[i] = text;
			return;
		}
	}
	environment[(*count)++] = text;
}

MUST_CHECK static bool make_environment(struct command *command, const struct boot_config *config,
					struct arena *arena, struct err *err)
{
	enum { DEFAULT_COUNT = 2 };
	size_t room = config->env.count + DEFAULT_COUNT + 1, count = 0;
	const char **environment = arena_take(arena, room * sizeof(char *));
	char *home = join(arena, view_of("HOME="), "", config->user.home);

	if (!environment || !home)
		return err_memory(err, "the environment");
	for (size_t i = 0; i < config->env.count; i++)
		set_variable(environment, &count, config->env.items[i]);
	if (!command_variable(environment, "PATH"))
		set_variable(environment, &count, "PATH=" COMMAND_PATH_DEFAULT);
	if (!command_variable(environment, "HOME"))
		set_variable(environment, &count, home);
	command->environment = environment;
	return true;
}

/* A name with a slash is a path, relative to the working dir; any other is looked for in PATH,
 * whose empty and relative parts are passed over (as Go's LookPath does). */
MUST_CHECK static bool make_paths(struct command *command, struct arena *arena, struct err *err)
{
	const char *name = command->arguments[0];
	struct view rest = view_of(command_variable(command->environment, "PATH"));
	size_t part_count = 1;

	for (size_t i = 0; i < rest.len; i++)
		part_count += rest.ptr[i] == ':';
	const char **paths = arena_take(arena, (part_count + 1) * sizeof(char *));

	if (!paths)
		return err_memory(err, "the search path");
	command->paths = paths;
	if (strchr(name, '/')) {
		paths[command->path_count++] = name;
		return true;
	}
	while (rest.len > 0 && name[0] != '\0') {
		struct view part = view_cut(&rest, ':');

		if (!view_starts(part, "/"))
			continue;
		paths[command->path_count] = join(arena, part, "/", name);
		if (!paths[command->path_count++])
			return err_memory(err, "the search path");
	}
	return true;
}

bool command_make(struct command *out, const struct boot_config *config, struct arena *arena,
		  struct err *err)
{
	struct command command = { 0 };

	if (!make_arguments(&command, config, arena, err) ||
	    !make_environment(&command, config, arena, err) || !make_paths(&command, arena, err))
		return false;
	*out = command;
	return true;
}
