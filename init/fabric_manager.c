#include "fabric_manager.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "process.h"
#include "say.h"

enum {
	CONFIG_BYTES_MAX = 256 << 10,
	LOG_BYTES_MAX = 4 << 20, /* it begins a new one at 1 MB, as configured */
	PAUSE_MS = 20,
};

/* Keys that are ours to set; the mode comes besides.
 * Source: NVIDIA's "Fabric Manager User Guide", "Fabric Manager Config Options" */
static const struct {
	const char *key, *value;
} ours[] = {
	{ "DAEMONIZE", "0" }, /* or nobody would see it end */
	{ "LOG_USE_SYSLOG", "0" },
	{ "LOG_FILE_NAME", FABRIC_MANAGER_LOG_PATH },
	{ "LOG_FILE_MAX_SIZE", "1" },
	{ "STATE_FILE_NAME", "/run/vmbake/fabricmanager.state" },
};

enum { OUR_COUNT = sizeof(ours) / sizeof(ours[0]) };

static bool is_ours(struct view line)
{
	struct view key = view_trim(view_cut(&line, '='));

	for (size_t i = 0; i < OUR_COUNT; i++)
		if (view_equal(key, ours[i].key))
			return true;
	return view_equal(key, "FABRIC_MODE");
}

bool fabric_manager_config(struct bytes *out, struct view baked, enum fabric_mode mode,
			   struct err *err)
{
	while (baked.len > 0) {
		struct view line = view_cut(&baked, '\n');

		if (!is_ours(line) && (!bytes_append(out, line.ptr, line.len, err) ||
				       !bytes_append(out, "\n", 1, err)))
			return false;
	}
	for (size_t i = 0; i < OUR_COUNT; i++)
		if (!bytes_print(out, err, "%s=%s\n", ours[i].key, ours[i].value))
			return false;
	return bytes_print(out, err, "FABRIC_MODE=%d\n", (int)mode);
}

/* Each is said by some versions only. */
bool fabric_manager_is_ready(struct view log)
{
	static const char *const words[] = {
		"FM starting NvLink Inband",
		"Successfully configured all the available",
	};

	for (size_t i = 0; log.len > 0 && i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(log.ptr, log.len, words[i], strlen(words[i])))
			return true;
	return false;
}

MUST_CHECK static bool write_config(const struct boot_fabric_manager *baked, enum fabric_mode mode,
				    struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(CONFIG_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(2 * CONFIG_BYTES_MAX);

	return (!baked->config || file_slurp(&text, AT_FDCWD, baked->config, err)) &&
	       fabric_manager_config(&out, bytes_view(&text), mode, err) &&
	       file_make_dirs(AT_FDCWD, "/run/vmbake", 0755, err) &&
	       file_write_whole(AT_FDCWD, FABRIC_MANAGER_CONFIG_PATH, 0644, bytes_view(&out), err);
}

_Noreturn static void run_child(const char *path)
{
	const char *const arguments[] = { path, "-c", FABRIC_MANAGER_CONFIG_PATH, NULL };
	const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	setsid();
	umask(022);
	process_restore_signals();
	if (chdir("/") == 0)
		execve(path, (char *const *)(uintptr_t)arguments,
		       (char *const *)(uintptr_t)environment);
	_exit(CODE_NOT_FOUND);
}

static bool has_said_it(void)
{
	CLEANUP(bytes_freep) struct bytes log = bytes_capped(LOG_BYTES_MAX);
	struct err ignored; /* not there yet, or too long to be read: what came is looked at */

	(void)!file_slurp(&log, AT_FDCWD, FABRIC_MANAGER_LOG_PATH, &ignored);
	return fabric_manager_is_ready(bytes_view(&log));
}

MUST_CHECK static bool wait_until_ready(pid_t pid, uint32_t timeout_seconds, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000 * 1000 };
	int64_t end_ms = clock_now_ms() + (int64_t)timeout_seconds * 1000;
	int status = 0;

	while (!has_said_it()) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) ?
				       err_set(err, ERR_IO, "it ended by signal %d",
					       WTERMSIG(status)) :
				       err_set(err, ERR_IO, "it ended with exit code %d",
					       WEXITSTATUS(status));
		if (clock_now_ms() >= end_ms) {
			say("the fabric manager has not said in %u s that it is ready; going on",
			    timeout_seconds);
			return true;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

bool fabric_manager_start(pid_t *pid, const struct boot_fabric_manager *baked,
			  enum fabric_mode mode, uint32_t timeout_seconds, struct err *err)
{
	if (!write_config(baked, mode, err))
		return false;
	pid_t child = fork();

	if (child < 0)
		return err_os(err, "fork");
	if (child == 0)
		run_child(baked->path);
	if (!wait_until_ready(child, timeout_seconds, err))
		return err_wrap(err, "%s", baked->path);
	*pid = child;
	return true;
}
