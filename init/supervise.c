#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "say.h"

enum {
	POLL_MAX = STOP_BUTTON_COUNT_MAX + 2,
	HUNG_UP_PAUSE_MS = 500, /* nobody at the channel's other end: look again after this */
};

struct watch {
	const struct supervision *supervision;
	int signal_fd;
	int64_t kill_at_ms; /* -1: no stop was asked for */
	bool is_hung_up;
};

static void note_end(struct companion *companion, int status)
{
	companion->has_ended = true;
	say("%s ended with %s %d", companion->name, WIFSIGNALED(status) ? "signal" : "exit code",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Reap all that is to be reaped. True once the entrypoint was among them. */
static bool reap(const struct supervision *supervision, struct ending *out)
{
	bool is_over = false;
	pid_t reaped;
	int status;

	while ((reaped = waitpid(-1, &status, WNOHANG)) > 0) {
		if (supervision->companion && reaped == supervision->companion->pid)
			note_end(supervision->companion, status);
		if (reaped != supervision->pid)
			continue;
		is_over = true;
		out->was_signaled = WIFSIGNALED(status);
		out->code = out->was_signaled ? WTERMSIG(status) : WEXITSTATUS(status);
	}
	return is_over;
}

static void stop(struct watch *watch, const char *who)
{
	const struct supervision *supervision = watch->supervision;

	if (watch->kill_at_ms >= 0)
		return;
	say("%s: stopping with signal %u, then SIGKILL after %u s", who, supervision->stop_signal,
	    supervision->grace_seconds);
	watch->kill_at_ms = clock_now_ms() + (int64_t)supervision->grace_seconds * 1000;
	kill(supervision->pid, (int)supervision->stop_signal);
}

/* Ctrl-Alt-Del comes as a SIGINT of the kernel's own. */
MUST_CHECK static bool read_signal(struct watch *watch, struct err *err)
{
	struct signalfd_siginfo info;
	size_t len = 0;

	if (!file_read_some(watch->signal_fd, &info, sizeof(info), &len, "signals", err))
		return false;
	if (info.ssi_signo == SIGINT && info.ssi_code == SI_KERNEL)
		stop(watch, "Ctrl-Alt-Del");
	else if (info.ssi_signo != SIGCHLD)
		kill(watch->supervision->pid, (int)info.ssi_signo);
	return true;
}

static int poll_timeout_ms(const struct watch *watch)
{
	int64_t left_ms = watch->kill_at_ms >= 0 ? watch->kill_at_ms - clock_now_ms() : -1;

	if (watch->kill_at_ms >= 0 && left_ms < 0)
		left_ms = 0;
	if (watch->is_hung_up && (left_ms < 0 || left_ms > HUNG_UP_PAUSE_MS))
		left_ms = HUNG_UP_PAUSE_MS;
	return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* [0] signals, [1] the channel, then the buttons. A negative descriptor is passed over by poll. */
static nfds_t poll_set(const struct watch *watch, struct pollfd fds[POLL_MAX])
{
	const struct stop_inputs *inputs = watch->supervision->inputs;
	nfds_t count = 2;

	fds[0] = (struct pollfd){ .fd = watch->signal_fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = watch->is_hung_up ? -1 : inputs->channel_fd,
				  .events = POLLIN };
	for (size_t i = 0; i < inputs->button_count; i++)
		fds[count++] = (struct pollfd){ .fd = inputs->button_fds[i], .events = POLLIN };
	return count;
}

MUST_CHECK static bool wait_once(struct watch *watch, struct err *err)
{
	struct stop_inputs *inputs = watch->supervision->inputs;
	struct pollfd fds[POLL_MAX];
	nfds_t count = poll_set(watch, fds);

	if (poll(fds, count, poll_timeout_ms(watch)) < 0 && errno != EINTR)
		return err_os(err, "wait for events");
	watch->is_hung_up = fds[1].fd >= 0 && (fds[1].revents & (POLLHUP | POLLERR)) != 0;
	if ((fds[1].revents & POLLIN) && stop_channel_asked(inputs))
		stop(watch, "exit channel");
	for (nfds_t i = 2; i < count; i++) {
		if (fds[i].revents & (POLLHUP | POLLERR)) /* unplugged: it would wake us for ever */
			fd_closep(&inputs->button_fds[i - 2]);
		else if ((fds[i].revents & POLLIN) && stop_button_pressed(fds[i].fd))
			stop(watch, "power button");
	}
	if (watch->kill_at_ms >= 0 && clock_now_ms() >= watch->kill_at_ms) {
		kill(watch->supervision->pid, SIGKILL);
		watch->kill_at_ms = INT64_MAX;
	}
	return !(fds[0].revents & POLLIN) || read_signal(watch, err);
}

bool supervise(struct ending *out, const struct supervision *supervision, struct err *err)
{
	struct watch watch = { .supervision = supervision, .signal_fd = -1, .kill_at_ms = -1 };
	struct ending ending = { 0 };
	sigset_t all;

	sigfillset(&all);
	CLEANUP(fd_closep) int fd = signalfd(-1, &all, SFD_CLOEXEC);

	if (fd < 0)
		return err_os(err, "wait for signals");
	watch.signal_fd = fd;
	while (!reap(supervision, &ending))
		if (!wait_once(&watch, err))
			return false;
	*out = ending;
	return true;
}
