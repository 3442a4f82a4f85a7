#include "vm_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* Both ends of what the child is given. */
struct pipes {
	int console_fd, terminal_fd;
	int errors_fd, errors_out_fd;
	int failure_fd, failure_out_fd; /* errno, when exec fails; closed by exec */
};
#define PIPES_NONE (struct pipes){ -1, -1, -1, -1, -1, -1 }

static void pipes_closep(struct pipes *pipes)
{
	fd_closep(&pipes->console_fd);
	fd_closep(&pipes->terminal_fd);
	fd_closep(&pipes->errors_fd);
	fd_closep(&pipes->errors_out_fd);
	fd_closep(&pipes->failure_fd);
	fd_closep(&pipes->failure_out_fd);
}

/* Raw: bytes go both ways as they are, and nothing is echoed. */
MUST_CHECK static bool open_terminal(struct pipes *pipes, struct err *err)
{
	struct termios mode;
	char name[64];

	pipes->console_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (pipes->console_fd < 0 || grantpt(pipes->console_fd) < 0 ||
	    unlockpt(pipes->console_fd) < 0 ||
	    ptsname_r(pipes->console_fd, name, sizeof(name)) != 0)
		return err_os(err, "open a pseudo terminal");
	pipes->terminal_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pipes->terminal_fd < 0 || tcgetattr(pipes->terminal_fd, &mode) < 0)
		return err_os(err, "open %s", name);
	cfmakeraw(&mode);
	return tcsetattr(pipes->terminal_fd, TCSANOW, &mode) == 0 ||
	       err_os(err, "set the mode of %s", name);
}

MUST_CHECK static bool open_pipe(int *read_fd, int *write_fd, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_os(err, "make a pipe");
	*read_fd = fds[0];
	*write_fd = fds[1];
	return true;
}

/* A process group of its own: Ctrl-C on our terminal is for us alone. It dies with us, even when
 * we were killed before the kernel knew of that wish. */
_Noreturn static void become(char *const *argv, const struct pipes *pipes, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    dup2(pipes->terminal_fd, STDIN_FILENO) >= 0 &&
	    dup2(pipes->terminal_fd, STDOUT_FILENO) >= 0 &&
	    dup2(pipes->errors_out_fd, STDERR_FILENO) >= 0)
		execvp(argv[0], argv);
	(void)!write(pipes->failure_out_fd, &errno, sizeof(errno));
	_exit(127);
}

MUST_CHECK static bool wait_for_exec(struct vm_process *process, int failure_fd, const char *name,
				     struct err *err)
{
	int failure = 0;
	size_t len = 0;

	if (!file_read_some(failure_fd, &failure, sizeof(failure), &len, "a pipe", err))
		return false;
	if (len == 0)
		return true;
	vm_process_endp(process);
	errno = failure;
	return err_os_path(err, "start %s", name);
}

bool vm_process_start(struct vm_process *out, char *const *argv, struct err *err)
{
	CLEANUP(vm_process_endp) struct vm_process process = VM_PROCESS_NONE;
	CLEANUP(pipes_closep) struct pipes pipes = PIPES_NONE;
	pid_t parent = getpid();

	signal(SIGCHLD, SIG_DFL); /* where it is ignored, nothing can be waited for */
	if (!open_terminal(&pipes, err) ||
	    !open_pipe(&pipes.errors_fd, &pipes.errors_out_fd, err) ||
	    !open_pipe(&pipes.failure_fd, &pipes.failure_out_fd, err))
		return false;
	process.pid = fork();
	if (process.pid < 0) {
		process.pid = 0;
		return err_os(err, "start %s", argv[0]);
	}
	if (process.pid == 0)
		become(argv, &pipes, parent);
	fd_closep(&pipes.failure_out_fd);
	if (!wait_for_exec(&process, pipes.failure_fd, argv[0], err))
		return false;
	if (fcntl(pipes.errors_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_os(err, "set up a pipe");
	process.console_fd = fd_take(&pipes.console_fd);
	process.errors_fd = fd_take(&pipes.errors_fd);
	*out = process;
	process = VM_PROCESS_NONE;
	return true;
}

void vm_process_reap(struct vm_process *process, int *status)
{
	*status = -1;
	if (process->pid > 0 && waitpid(process->pid, status, WNOHANG) == process->pid)
		process->pid = 0;
}

void vm_process_endp(struct vm_process *process)
{
	if (process->pid > 0 && kill(process->pid, SIGKILL) == 0)
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	process->pid = 0;
	fd_closep(&process->console_fd);
	fd_closep(&process->errors_fd);
}
