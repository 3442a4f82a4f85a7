/* PID 1 of a baked image, and of the initrd that `vmbake initrd` makes: the same program, which
 * knows where it is by the configuration that it finds. Whatever happens, it reports and ends the
 * machine: a PID 1 that returns is a kernel panic. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ending.h"
#include "handover.h"
#include "init/contract/boot_config.h"
#include "machine.h"

/* --sysroot DIR, for tests. All else in argv are words of the kernel command line that the kernel
 * did not know. */
static const char *find_sysroot(char **argv)
{
	for (; argv[0]; argv++)
		if (strcmp(argv[0], "--sysroot") == 0)
			return argv[1];
	return NULL;
}

int main(int argc, char **argv)
{
	struct machine machine = MACHINE_NONE;
	struct ending ending = { 0 };
	struct err err = { 0 };
	bool ok;

	(void)argc;
	if (getpid() != 1) {
		fputs("vmbake: this is the init of a machine, to be run as PID 1\n", stderr);
		return CODE_INIT_FAILED;
	}
	umask(022);
	ending_catch_faults();
	if (access(INITRD_CONFIG_PATH, F_OK) == 0)
		ok = handover_run(&err);
	else
		ok = machine_run(&machine, find_sysroot(argv), &ending, &err);
	if (!ok)
		ending = (struct ending){ .code = CODE_INIT_FAILED };
	machine_end(&machine, &ending, ok ? NULL : err.msg);
}
