/* A machine made of a command line: what `vmbake run` was told, checked and filled in, before
 * anything is started.
 */
#pragma once

#include "base/report.h"
#include "builder/run/gpu_address.h"
#include "builder/run/run_folder.h"
#include "builder/run/vmm.h"
#include "options.h"

struct json_t;

struct run_job {
	struct machine machine; /* points into what follows */
	struct words words; /* the VMM's command line; owned, as is all below */
	struct json_t *settings; /* the drive's document; empty: there is no drive */
	uint32_t grace_seconds;
	char gpus[OPTION_LIST_MAX][GPU_ADDRESS_BYTES];
	const char *gpu_list[OPTION_LIST_MAX];
	struct run_folder folder; /* its path is empty when there is none */
	struct bytes image, kernel, initrd, settings_path, report, api, config;
};
/* Zeroed, with its buffers; it is large. NULL when out of memory. */
struct run_job *run_job_new(void);
void run_job_freep(struct run_job **job);

/* The machine, without its folder: nothing is written.
 * report: hears what the user should know of the choice
 * Errors: ERR_USAGE, those of run_image_read, run_image_fits, kernel_open, vmm_choose,
 *         gpu_address_check */
MUST_CHECK bool run_job_make(struct run_job *job, const struct options *options,
			     struct report *report, struct err *err);

/* Its folder with the settings drive, the names of its sockets, and the VMM's command line.
 * Errors: ERR_USAGE  with --print: there are settings, and no --folder */
MUST_CHECK bool run_job_place(struct run_job *job, const struct options *options,
			      struct err *err);
