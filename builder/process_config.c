#include "process_config.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "init/contract/user.h"
#include "layers/content.h"

enum {
	ACCOUNT_FILE_BYTES_MAX = 16 << 20, /* /etc/passwd, /etc/group */
	SIGNAL_MAX = 64,
};

static struct text_list text_list_of(char **items)
{
	struct text_list list = { .items = (const char *const *)items };

	while (items && items[list.count])
		list.count++;
	return list;
}

/* Names as signal(7) has them, with or without SIG; real-time ones from SIGRTMIN, as docker. */
MUST_CHECK static bool signal_by_name(struct view name, unsigned *out)
{
	uint64_t offset = 0;

	if (view_starts(name, "SIG"))
		name = view_from(name, strlen("SIG"));
	for (int number = 1; number <= SIGNAL_MAX; number++) {
		if (!view_equal(name, sigabbrev_np(number)))
			continue;
		*out = (unsigned)number;
		return true;
	}
	if (view_equal(name, "RTMIN") || view_equal(name, "RTMAX")) {
		*out = (unsigned)(view_equal(name, "RTMIN") ? SIGRTMIN : SIGRTMAX);
		return true;
	}
	if (!view_starts(name, "RTMIN+") ||
	    !view_number(view_from(name, strlen("RTMIN+")), 10,
			 (unsigned)(SIGRTMAX - SIGRTMIN), &offset))
		return false;
	*out = (unsigned)SIGRTMIN + (unsigned)offset;
	return true;
}

bool process_stop_signal(const char *text, unsigned *out, struct err *err)
{
	uint64_t number = 0;

	if (!text || !text[0]) {
		*out = SIGTERM;
		return true;
	}
	if (view_number(view_of(text), 10, SIGNAL_MAX, &number) && number > 0) {
		*out = (unsigned)number;
		return true;
	}
	return signal_by_name(view_of(text), out) ||
	       err_set(err, ERR_FORMAT, "the image's stop signal \"%.40s\" is none", text);
}

/* A file that is not there is as good as an empty one. */
MUST_CHECK static bool read_accounts(const struct tree *tree, const int *data_fds,
				     const char *path, struct bytes *out, struct err *err)
{
	struct err why = { 0 };

	if (content_slurp(tree, data_fds, path, out, &why) || why.kind == ERR_NOT_FOUND)
		return true;
	*err = why;
	return false;
}

MUST_CHECK static bool find_user(struct process_config *process, const char *user,
				 const struct tree *tree, const int *data_fds, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes passwd = bytes_capped(ACCOUNT_FILE_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes group = bytes_capped(ACCOUNT_FILE_BYTES_MAX);

	if (!read_accounts(tree, data_fds, "/etc/passwd", &passwd, err) ||
	    !read_accounts(tree, data_fds, "/etc/group", &group, err))
		return false;
	if (!user_resolve(&process->boot.user, view_of(user && user[0] ? user : "0"),
			  bytes_view(&passwd), bytes_view(&group), &process->arena, err))
		return err_wrap(err, "the image's user");
	return true;
}

/* docker takes a relative working dir from the root. */
MUST_CHECK static bool set_working_dir(struct process_config *process, const char *dir,
				       struct err *err)
{
	size_t len = dir ? strlen(dir) : 0;
	char *path = NULL;

	if (len >= PATH_MAX - 1)
		return err_set(err, ERR_UNSUPPORTED, "the image's working dir has %zu bytes", len);
	path = arena_take(&process->arena, len + 2);
	if (!path)
		return err_memory(err, "the working dir");
	snprintf(path, len + 2, "%s%s", len > 0 && dir[0] == '/' ? "" : "/", dir ? dir : "");
	process->boot.working_dir = path;
	return true;
}

bool process_config_make(struct process_config *out, const struct image_config *config,
			 const struct tree *tree, const int *data_fds, struct err *err)
{
	CLEANUP(process_config_freep) struct process_config process = { 0 };

	process.boot.entrypoint = text_list_of(config->entrypoint);
	process.boot.cmd = text_list_of(config->cmd);
	process.boot.env = text_list_of(config->env);
	if (!process_stop_signal(config->stop_signal, &process.boot.stop_signal, err) ||
	    !find_user(&process, config->user, tree, data_fds, err) ||
	    !set_working_dir(&process, config->working_dir, err))
		return false;
	*out = process;
	process = (struct process_config){ 0 };
	return true;
}

void process_config_freep(struct process_config *process)
{
	arena_freep(&process->arena);
}
