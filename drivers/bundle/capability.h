/* Does an image ask for a GPU, and for which parts of the driver?
 *
 * Reads NVIDIA_VISIBLE_DEVICES and NVIDIA_DRIVER_CAPABILITIES as the container runtime does, and
 * knows which file of a driver belongs to which part. Pure: no I/O.
 */
#pragma once

#include "base/err.h"
#include "base/view.h"

enum capability {
	CAPABILITY_UTILITY = 1 << 0,
	CAPABILITY_COMPUTE = 1 << 1,
	CAPABILITY_VIDEO = 1 << 2, /* brings compute along */
	CAPABILITY_GRAPHICS = 1 << 3,
	CAPABILITY_DISPLAY = 1 << 4, /* brings graphics along */
	CAPABILITY_NGX = 1 << 5,
	CAPABILITY_COMPAT32 = 1 << 6, /* the 32-bit files of the others */
	CAPABILITY_ALL = (1 << 7) - 1,
};

enum gpu_wish {
	GPU_NOT_ASKED,
	GPU_DRIVER_ONLY, /* NVIDIA_VISIBLE_DEVICES=none: the driver's files, no device */
	GPU_ASKED,
};

struct gpu_request {
	enum gpu_wish wish;
	unsigned capabilities; /* enum capability, implied ones included; 0 when not asked */
	bool is_by_index; /* "0,1": which GPU is whole machines' business here; worth a note */
};

/* env:    env[env_count], "NAME=VALUE"
 * Errors: ERR_UNSUPPORTED  a GPU, MIG or mediated device named by its id
 *         ERR_FORMAT       a device that is none of the known forms, an unknown capability
 * Source: nvidia-container-toolkit internal/config/image */
MUST_CHECK bool gpu_request_read(struct gpu_request *out, const char *const *env,
				 size_t env_count, struct err *err);

/* A comma list ("compute,utility"; empty: these two) as bits, implied ones included.
 * Errors: ERR_FORMAT  an unknown word, which is named */
MUST_CHECK bool capability_parse(unsigned *out, struct view list, struct err *err);

/* The one bit of that word, without what it implies; 0: no such word, or "all". */
unsigned capability_of_word(struct view word);

/* The bits as a comma list, in the order of enum capability. out: CAPABILITY_TEXT_BYTES */
enum { CAPABILITY_TEXT_BYTES = 64 };
void capability_text(unsigned capabilities, char out[CAPABILITY_TEXT_BYTES]);

/* Which capabilities want a driver's library or program of this name ("libcuda.so.535.309.01",
 * "nvidia-smi"); 0 for one that the table does not know. */
unsigned capability_of_library(struct view name);
unsigned capability_of_program(struct view name);

/* The capabilities of a category of the driver's own sandboxutils-filelist.json; 0: unknown. */
unsigned capability_of_category(struct view category);
