/* When the boot reached what: microseconds since the kernel started, for the exit report. */
#pragma once

#include <stdint.h>

struct json_t;

enum stage {
	STAGE_INITRD, /* the initrd's init runs */
	STAGE_ROOT_FOUND, /* the root is mounted, init of the root is next */
	STAGE_INIT, /* the root's init runs */
	STAGE_SETTINGS, /* mounts are made, machine settings are read */
	STAGE_MODULES, /* modules and device nodes are there */
	STAGE_GPU, /* the GPUs answer, or there is none */
	STAGE_NETWORK,
	STAGE_ENTRYPOINT, /* exec is next */
	STAGE_EXIT, /* the entrypoint has ended */
	STAGE_COUNT,
};

struct stages {
	uint64_t us[STAGE_COUNT]; /* 0: not reached */
};

void stages_reached(struct stages *stages, enum stage stage);

/* Over exec, from the initrd's init to the root's, as an environment variable. */
#define STAGES_VARIABLE "VMBAKE_STAGES"
enum { STAGES_TEXT_BYTES = 21 * STAGE_COUNT + 1 };
void stages_print(const struct stages *stages, char out[STAGES_TEXT_BYTES]);
/* text may be NULL; what is malformed counts as not reached. */
void stages_parse(struct stages *out, const char *text);

/* { "initrd": 123, … } of what was reached. */
struct json_t *stages_json(const struct stages *stages);
