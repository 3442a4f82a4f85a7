#include "ending.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "say.h"

/* What the entrypoint printed last may lack its newline; whoever reads the console looks for a
 * line that starts with our name. */
void ending_report(const struct ending *ending)
{
	struct err ignored;

	(void)!file_write(STDERR_FILENO, "\n", 1, "the console", &ignored);
	if (ending->was_signaled)
		say(CONSOLE_EXIT_SIGNAL "%d", ending->code);
	else
		say(CONSOLE_EXIT_CODE "%d", ending->code);
}

/* Without ACPI on x86 there is no S5 either: Firecracker of all versions. On arm64 PSCI switches
 * off, with or without ACPI. */
#if defined(__x86_64__)
static const enum ending_method without_acpi = END_BY_REBOOT;
#else
static const enum ending_method without_acpi = END_BY_POWER_OFF;
#endif

enum ending_method ending_method_of_machine(int root_fd)
{
	enum { OEM_AT = 10, OEM_LEN = 6 };
	CLEANUP(fd_closep) int fd = openat(root_fd, "sys/firmware/acpi/tables/FACP",
					   O_RDONLY | O_CLOEXEC);
	char oem[OEM_LEN];

	if (fd < 0)
		return without_acpi;
	if (pread(fd, oem, sizeof(oem), OEM_AT) == OEM_LEN && memcmp(oem, "FIRECK", OEM_LEN) == 0)
		return END_BY_REBOOT;
	return END_BY_POWER_OFF;
}

enum { MOUNTS_BYTES_MAX = 1 << 20 };

/* Nothing may write any more when the root becomes read-only. A process in an uninterruptible
 * sleep is waited for no longer than this. */
static void kill_all(void)
{
	enum { TRIES = 200 };
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	if (kill(-1, SIGKILL) < 0)
		return;
	for (unsigned i = 0; i < TRIES; i++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid == 0)
			nanosleep(&pause, NULL);
	}
}

static void end(enum ending_method method)
{
	tcdrain(STDERR_FILENO);
	reboot(method == END_BY_REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
}

/* Those of /proc/mounts that are on a device, newest first. */
static void unmount_drives(void)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MOUNTS_BYTES_MAX);
	struct err ignored;

	if (!file_slurp(&text, AT_FDCWD, "/proc/mounts", &ignored))
		return;
	while (text.len > 0) {
		ptrdiff_t start;

		text.data[--text.len] = '\0'; /* the newline */
		start = view_find_last(bytes_view(&text), '\n') + 1;
		struct view line = view_from(bytes_view(&text), (size_t)start);
		struct view device = view_cut(&line, ' '), target = view_cut(&line, ' ');

		text.len = (size_t)start;
		if (!view_starts(device, "/dev/") || target.len < 2)
			continue;
		text.data[target.ptr + target.len - text.data] = '\0';
		umount2(target.ptr, 0);
	}
}

/* Extra drives first, the root last; what cannot be unmounted stays synced. */
static void unmount_all(int drive_fd)
{
	char drive[32];

	unmount_drives();
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	snprintf(drive, sizeof(drive), "/proc/self/fd/%d", drive_fd);
	if (drive_fd >= 0)
		mount(NULL, drive, NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

void ending_switch_off(enum ending_method method, int drive_fd)
{
	kill_all();
	sync();
	unmount_all(drive_fd);
	end(method);
	say("the machine cannot be switched off: %s", strerror(errno));
	for (;;)
		pause();
}

/* Async-signal-safe only. */
static void on_fault(int number)
{
	static const char text[] =
		"\n" CONSOLE_PREFIX CONSOLE_FAILURE "a fault in init itself\n"
		CONSOLE_PREFIX CONSOLE_EXIT_CODE "125\n";

	(void)number;
	if (getpid() != 1)
		_exit(CODE_INIT_FAILED);
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	sync();
	end(without_acpi);
	for (;;)
		pause();
}

void ending_catch_faults(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static char stack[16 << 10]; /* a fault may be the stack's own end */
	const stack_t place = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };

	sigaltstack(&place, NULL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &action, NULL);
}
