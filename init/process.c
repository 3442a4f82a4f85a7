#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "say.h"

/* How far the child came; told to the parent over a pipe that closes on exec. */
enum stage { STAGE_SESSION, STAGE_GROUPS, STAGE_USER, STAGE_WORKING_DIR, STAGE_EXEC };

struct failure {
	enum stage stage;
	int code; /* errno */
};

static const char *const stage_names[] = {
	[STAGE_SESSION] = "start a session",
	[STAGE_GROUPS] = "set the groups",
	[STAGE_USER] = "set the user",
	[STAGE_WORKING_DIR] = "enter the working dir",
	[STAGE_EXEC] = "run",
};

bool process_block_signals(struct err *err)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&set, faults[i]); /* a blocked fault kills at once: a panic */
	return sigprocmask(SIG_SETMASK, &set, NULL) == 0 || err_os(err, "block signals");
}

static void restore_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* refused for KILL, STOP and glibc's own: fine */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* As execvp: go on after what is not there or not allowed, and remember the better reason. */
static int try_paths(const struct command *command)
{
	int code = ENOENT;

	for (size_t i = 0; i < command->path_count; i++) {
		execve(command->paths[i], (char *const *)(uintptr_t)command->arguments,
		       (char *const *)(uintptr_t)command->environment);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return errno;
		if (errno == EACCES)
			code = EACCES;
	}
	return code;
}

/* The folder is made by root, as docker does, and entered by the user. */
static int enter_working_dir(const char *path)
{
	struct err err = { 0 };

	if (chdir(path) == 0)
		return 0;
	if (errno != ENOENT)
		return errno;
	if (!file_make_dirs(AT_FDCWD, path, 0755, &err))
		return err.os_errno ? err.os_errno : ENOTDIR;
	return chdir(path) == 0 ? 0 : errno;
}

/* In the child. Returns only on failure. */
static struct failure become(const struct command *command, const struct boot_config *config)
{
	const struct boot_user *user = &config->user;
	int code;

	if (setsid() < 0)
		return (struct failure){ STAGE_SESSION, errno };
	umask(022);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)!fchown(fd, user->uid, (gid_t)-1); /* so that it can open /dev/stdout */
	code = enter_working_dir(config->working_dir);
	if (code != 0)
		return (struct failure){ STAGE_WORKING_DIR, code };
	/* A user namespace may refuse to drop groups; there is nothing to gain by them there. */
	if (setgroups(user->group_count, user->groups) < 0 &&
	    (errno != EPERM || user->group_count > 0))
		return (struct failure){ STAGE_GROUPS, errno };
	if (setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return (struct failure){ STAGE_USER, errno };
	restore_signals();
	return (struct failure){ STAGE_EXEC, try_paths(command) };
}

_Noreturn static void run_child(int pipe_fd, const struct command *command,
				const struct boot_config *config)
{
	struct failure failure = become(command, config);
	struct err ignored;

	(void)!file_write(pipe_fd, &failure, sizeof(failure), "the pipe to init", &ignored);
	_exit(CODE_NOT_FOUND);
}

static void tell_failure(const struct failure *failure, const struct command *command,
			 const struct boot_config *config)
{
	const char *what = failure->stage == STAGE_WORKING_DIR ? config->working_dir :
			   failure->stage == STAGE_EXEC	       ? command->arguments[0] :
								 "";

	say("cannot %s%s%s: %s", stage_names[failure->stage], what[0] ? " " : "", what,
	    strerror(failure->code));
	if (failure->stage != STAGE_EXEC)
		return;
	for (size_t i = 0; i < command->path_count; i++)
		say("  tried %s", command->paths[i]);
	if (failure->code == ENOENT && command->path_count == 1 &&
	    access(command->paths[0], F_OK) == 0)
		say("  it is there, so its interpreter (#! or ld.so) is what is missing");
	if (failure->code == ENOEXEC)
		say("  it is neither a program for this machine nor a script with #!");
}

static int failure_code(const struct failure *failure)
{
	bool is_missing = failure->stage == STAGE_EXEC &&
			  (failure->code == ENOENT || failure->code == ENOTDIR);

	return is_missing ? CODE_NOT_FOUND : CODE_NOT_EXECUTABLE;
}

bool process_start(pid_t *pid, struct ending *ending, const struct command *command,
		   const struct boot_config *config, struct err *err)
{
	CLEANUP(fd_closep) int read_fd = -1;
	CLEANUP(fd_closep) int write_fd = -1;
	struct failure failure;
	size_t len = 0;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_os(err, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	pid_t child = fork();

	if (child < 0)
		return err_os(err, "fork");
	if (child == 0)
		run_child(write_fd, command, config);
	fd_closep(&write_fd);
	if (!file_read_some(read_fd, &failure, sizeof(failure), &len, "the entrypoint's pipe", err))
		return false;
	*pid = child;
	if (len == sizeof(failure)) {
		waitpid(child, NULL, 0);
		tell_failure(&failure, command, config);
		*ending = (struct ending){ .code = failure_code(&failure) };
		*pid = 0;
	}
	return true;
}

/* Reap all that is to be reaped. True once the entrypoint was among them. */
static bool reap(pid_t pid, struct ending *out)
{
	bool is_over = false;
	pid_t reaped;
	int status;

	while ((reaped = waitpid(-1, &status, WNOHANG)) > 0) {
		if (reaped != pid)
			continue;
		is_over = true;
		out->was_signaled = WIFSIGNALED(status);
		out->code = out->was_signaled ? WTERMSIG(status) : WEXITSTATUS(status);
	}
	return is_over;
}

bool process_wait(struct ending *out, pid_t pid, struct err *err)
{
	struct signalfd_siginfo info;
	CLEANUP(fd_closep) int fd = -1;
	struct ending ending = { 0 };
	sigset_t all;
	size_t len = 0;

	sigfillset(&all);
	fd = signalfd(-1, &all, SFD_CLOEXEC);
	if (fd < 0)
		return err_os(err, "wait for signals");
	while (!reap(pid, &ending)) {
		if (!file_read_some(fd, &info, sizeof(info), &len, "signals", err))
			return false;
		if (info.ssi_signo != SIGCHLD)
			kill(pid, (int)info.ssi_signo);
	}
	*out = ending;
	return true;
}
