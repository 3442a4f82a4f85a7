#include "memory_group.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/sched.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "say.h"

#define GROUP "/sys/fs/cgroup/entrypoint"

static bool write_text(const char *path, const char *text)
{
	CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

void memory_group_make(void)
{
	if (access("/sys/fs/cgroup/cgroup.subtree_control", F_OK) < 0)
		return; /* not mounted, which was told */
	if (!write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory") ||
	    (mkdir(GROUP, 0755) < 0 && errno != EEXIST))
		say("no memory control group: %s", strerror(errno));
}

/* glibc has no function for it. */
static pid_t fork_into(int group_fd)
{
	struct clone_args arguments = { .flags = CLONE_INTO_CGROUP,
					.exit_signal = SIGCHLD,
					.cgroup = (unsigned)group_fd };

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

pid_t memory_group_fork(void)
{
	CLEANUP(fd_closep) int group_fd = open(GROUP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = group_fd >= 0 ? fork_into(group_fd) : -1;

	if (pid >= 0)
		return pid;
	pid = fork(); /* no group, or a kernel before 5.7 */
	if (pid == 0 && group_fd >= 0)
		(void)write_text(GROUP "/cgroup.procs", "0");
	return pid;
}

bool memory_events_tell_oom_kill(struct view text)
{
	while (text.len > 0) {
		struct view count = view_cut(&text, '\n'), name = view_cut(&count, ' ');
		uint64_t number = 0;

		if (view_equal(name, "oom_kill") && view_number(count, 10, UINT64_MAX, &number))
			return number > 0;
	}
	return false;
}

bool memory_group_had_oom_kill(void)
{
	enum { EVENTS_BYTES_MAX = 4096 };
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(EVENTS_BYTES_MAX);
	struct err ignored; /* no group, no knowledge */

	return file_slurp(&text, AT_FDCWD, GROUP "/memory.events", &ignored) &&
	       memory_events_tell_oom_kill(bytes_view(&text));
}
