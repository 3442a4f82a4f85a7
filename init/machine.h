/* The root's init: from mounts to the entrypoint's end. */
#pragma once

#include "base/bytes.h"
#include "ending.h"
#include "gpu_verdict.h"
#include "init/contract/boot_config.h"
#include "init/contract/settings.h"
#include "stages.h"
#include "supervise.h"

/* All that one machine is. Kept after a failure, for the report. */
struct machine {
	int root_fd; /* where sys/, proc/ and dev/ are: "/", or made up ones for a test */
	int channel_fd; /* of the exit channel; -1: none */
	int drive_fd; /* of the overlay's drive; -1: none */
	struct bytes cmdline;
	struct boot_config config;
	struct settings settings;
	struct gpu_verdict gpu;
	struct companion fabric_manager;
	struct stages stages;
};
#define MACHINE_NONE (struct machine){ .root_fd = -1, .channel_fd = -1, .drive_fd = -1 }

/* Set the machine up as configured, run the entrypoint, wait for its end.
 * sysroot: a folder with made-up sys/, proc/ and dev/, or NULL
 * Errors: whatever kept the entrypoint from being started */
MUST_CHECK bool machine_run(struct machine *machine, const char *sysroot, struct ending *ending,
			    struct err *err);

/* Tell console and exit channel, and end the machine. failure: why machine_run failed, or NULL */
_Noreturn void machine_end(struct machine *machine, const struct ending *ending,
			   const char *failure);
