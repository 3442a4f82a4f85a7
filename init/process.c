#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "capabilities.h"
#include "memory_group.h"
#include "say.h"

/* How far the child came; told to the parent over a pipe that closes on exec. */
enum step {
	STEP_SESSION,
	STEP_LIMITS,
	STEP_CAPABILITIES,
	STEP_GROUPS,
	STEP_USER,
	STEP_WORKING_DIR,
	STEP_EXEC,
};

struct failure {
	enum step step;
	int code; /* errno */
};

static const char *const step_names[] = {
	[STEP_SESSION] = "start a session",
	[STEP_LIMITS] = "set the resource limits",
	[STEP_CAPABILITIES] = "set the capabilities",
	[STEP_GROUPS] = "set the groups",
	[STEP_USER] = "set the user",
	[STEP_WORKING_DIR] = "enter the working dir",
	[STEP_EXEC] = "run",
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

/* By the system call, since glibc keeps two signals to itself, and whoever started us may have
 * ignored those too. A sigaction of zeros is the default on every architecture. */
void process_restore_signals(void)
{
	static const char by_default[64];
	sigset_t none;

	for (long number = 1; number < NSIG; number++) /* refused for KILL and STOP: fine */
		syscall(SYS_rt_sigaction, number, by_default, NULL, (NSIG - 1) / 8);
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

/* A session of its own, with the console as its terminal when asked: then Ctrl-C reaches it. */
static int make_session(const struct launch *launch)
{
	if (setsid() < 0)
		return errno;
	if (launch->has_terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 1) < 0)
		return errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)!fchown(fd, launch->user.uid, (gid_t)-1); /* it may open /dev/stdout */
	umask(022);
	return 0;
}

/* A user namespace may refuse to drop groups; there is nothing to gain by them there. */
static bool set_groups(const struct boot_user *user)
{
	return syscall(SYS_setgroups, user->group_count, user->groups) == 0 ||
	       (errno == EPERM && user->group_count == 0);
}

static bool set_ids(const struct boot_user *user)
{
	return syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
	       syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0;
}

/* In the child, by system calls where memory_group_fork asks for them. Returns only on failure. */
static struct failure become(const struct launch *launch)
{
	const struct boot_user *user = &launch->user;
	int code = make_session(launch);

	if (code != 0)
		return (struct failure){ STEP_SESSION, code };
	if (!limits_apply(&launch->limits))
		return (struct failure){ STEP_LIMITS, errno };
	code = enter_working_dir(launch->working_dir);
	if (code != 0)
		return (struct failure){ STEP_WORKING_DIR, code };
	if (!capabilities_bound(launch->capabilities) ||
	    (launch->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		return (struct failure){ STEP_CAPABILITIES, errno };
	if (!set_groups(user))
		return (struct failure){ STEP_GROUPS, errno };
	if (!set_ids(user))
		return (struct failure){ STEP_USER, errno };
	process_restore_signals();
	return (struct failure){ STEP_EXEC, try_paths(&launch->command) };
}

_Noreturn static void run_child(int pipe_fd, const struct launch *launch)
{
	struct failure failure = become(launch);
	struct err ignored;

	(void)!file_write(pipe_fd, &failure, sizeof(failure), "the pipe to init", &ignored);
	_exit(CODE_NOT_FOUND);
}

static void tell_failure(const struct failure *failure, const struct launch *launch)
{
	const struct command *command = &launch->command;
	const char *what = failure->step == STEP_WORKING_DIR ? launch->working_dir :
			   failure->step == STEP_EXEC	     ? command->arguments[0] :
							       "";

	say("cannot %s%s%s: %s", step_names[failure->step], what[0] ? " " : "", what,
	    strerror(failure->code));
	if (failure->step != STEP_EXEC)
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
	bool is_missing = failure->step == STEP_EXEC &&
			  (failure->code == ENOENT || failure->code == ENOTDIR);

	return is_missing ? CODE_NOT_FOUND : CODE_NOT_EXECUTABLE;
}

bool process_start(pid_t *pid, struct ending *ending, const struct launch *launch,
		   struct err *err)
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
	pid_t child = memory_group_fork();

	if (child < 0)
		return err_os(err, "fork");
	if (child == 0)
		run_child(write_fd, launch);
	fd_closep(&write_fd);
	if (!file_read_some(read_fd, &failure, sizeof(failure), &len, "the entrypoint's pipe", err))
		return false;
	*pid = child;
	if (len == sizeof(failure)) {
		waitpid(child, NULL, 0);
		tell_failure(&failure, launch);
		*ending = (struct ending){ .code = failure_code(&failure) };
		*pid = 0;
	}
	return true;
}
