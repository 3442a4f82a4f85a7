/* How a machine ends: the report of how the entrypoint ended, and switching off. */
#pragma once

#include "base/err.h"
#include "init/contract/exit_record.h"

enum {
	CODE_INIT_FAILED = 125, /* as docker: the container was never started */
	CODE_NOT_EXECUTABLE = 126,
	CODE_NOT_FOUND = 127,
};

/* The console's line (exit_record.h), on a line of its own. */
void ending_report(const struct ending *ending);

enum ending_method { END_BY_POWER_OFF, END_BY_REBOOT };

/* What this VMM needs. Firecracker has no S5, so a power-off would hang there while a reboot ends
 * it; Cloud Hypervisor starts again on reboot. root_fd: where sys/ is. */
enum ending_method ending_method_of_machine(int root_fd);

/* Kill what is left, write everything to disk, end the machine.
 * drive_fd: a folder of another file system to be left clean, or -1 */
_Noreturn void ending_switch_off(enum ending_method method, int drive_fd);

/* For faults: SIGSEGV and its like in PID 1 would be a kernel panic. Instead: say so, end. */
void ending_catch_faults(void);
