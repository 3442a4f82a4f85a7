#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

extern char **environ;

enum { PROGRAM_BYTES = 128, QUESTION_BYTES_MAX = 4096 };

static bool is_name(const char *name)
{
	if (!*name || strlen(name) >= PROGRAM_BYTES - sizeof("docker-credential-"))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name <= ' ' || *name >= 0x7f)
			return false;
	return true;
}

/* The question is in the pipe before the helper runs, so that one that does not read it cannot
 * send us SIGPIPE. A pipe holds at least 4 KiB. */
MUST_CHECK static bool put_question(int *read_end, const char *server, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_os(err, "make a pipe");
	CLEANUP(fd_closep) int write_end = ends[1];

	*read_end = ends[0];
	if (strlen(server) > QUESTION_BYTES_MAX)
		return err_set(err, ERR_USAGE, "a server name over %d bytes", QUESTION_BYTES_MAX);
	return file_write(write_end, server, strlen(server), "a pipe", err);
}

MUST_CHECK static bool start(pid_t *child, const char *program, int input, int output,
			     struct err *err)
{
	char verb[] = "get", name[PROGRAM_BYTES];
	char *arguments[] = { name, verb, NULL };
	posix_spawn_file_actions_t actions;

	snprintf(name, sizeof(name), "%s", program);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_memory(err, program);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	errno = posix_spawnp(child, program, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (errno != 0)
		return err_set(err, ERR_AUTH, "run %s: %s", program, strerror(errno));
	return true;
}

MUST_CHECK static bool read_all(struct bytes *out, int fd, struct err *err)
{
	char chunk[4096];
	size_t len = 0;

	do {
		if (!file_read_some(fd, chunk, sizeof(chunk), &len, "a pipe", err) ||
		    !bytes_append(out, chunk, len, err))
			return false;
	} while (len > 0);
	explicit_bzero(chunk, sizeof(chunk));
	return true;
}

static bool has_succeeded(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool helper_ask(struct bytes *out, bool *is_found, const char *name, const char *server,
		struct err *err)
{
	CLEANUP(fd_closep) int input = -1;
	char program[PROGRAM_BYTES];
	int ends[2];
	pid_t child = 0;

	if (!is_name(name))
		return err_set(err, ERR_AUTH, "'%.100s' is no credential helper's name", name);
	snprintf(program, sizeof(program), "docker-credential-%s", name);
	if (!put_question(&input, server, err))
		return false;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_os(err, "make a pipe");
	CLEANUP(fd_closep) int answer = ends[0];
	CLEANUP(fd_closep) int output = ends[1];

	if (!start(&child, program, input, output, err))
		return false;
	fd_closep(&output); /* or the answer never ends */
	bool is_read = read_all(out, answer, err);

	fd_closep(&answer); /* or a helper that says too much never ends */
	bool is_good = has_succeeded(child);

	if (!is_read)
		return err_wrap(err, "%s", program);
	*is_found = is_good;
	if (is_good || strstr(out->data ? out->data : "", "credentials not found"))
		return true;
	return err_set(err, ERR_AUTH, "%s fails for %.200s", program, server);
}
