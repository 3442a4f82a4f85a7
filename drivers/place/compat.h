/* CUDA's forward-compatibility package in an image (/usr/local/cuda/compat): a newer libcuda that
 * runs on an older kernel module, on data-center GPUs alone. Does the guest's loader get to see it?
 *
 * With a driver that is new enough by itself it must not: an older or equal libcuda in front of
 * the driver's own is at best of no use. Where it is needed it comes first.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "drivers/bundle/bundle.h"
#include "drivers/finding.h"
#include "drivers/image/image_files.h"

enum gpu_class { GPU_CLASS_UNKNOWN, GPU_CLASS_DATACENTER, GPU_CLASS_CONSUMER };

struct compat_request {
	const struct bundle *driver;
	enum gpu_class gpu_class;
	const char *const *env; /* env[env_count], the image's: CUDA_VERSION, LD_LIBRARY_PATH */
	size_t env_count;
};

enum { COMPAT_FOLDERS_MAX = 16 };

struct compat {
	uint32_t folders[COMPAT_FOLDERS_MAX]; /* folders[folder_count]: directories with a compat
					       * libcuda, each once */
	size_t folder_count;
	const char *used; /* absolute path of the one to search first; NULL: none is to be used */
};

/* What the image has, and what to do with it: with `used` NULL the loader's cache passes over all
 * folders. Findings: compat-shadow (a warning: LD_LIBRARY_PATH brings one back), compat-needed (an
 * error: the driver alone is too old for the image's CUDA, and the package cannot stand in).
 * arena: holds `used`
 * Source: nvidia-container-toolkit cmd/nvidia-cdi-hook/cudacompat; libcuda's own note
 *         .note.cuda.fwd_compatibility lists the driver branches that it runs on */
MUST_CHECK bool compat_judge(struct compat *out, struct finding_list *findings,
			     const struct image_files *files, const struct compat_request *request,
			     struct arena *arena, struct err *err);

/* What a compat libcuda says of the drivers that it runs on. */
enum { COMPAT_BRANCHES_MAX = 64 };
struct compat_note {
	bool is_there;
	char cuda[16]; /* "13.1"; "" when it does not say */
	unsigned branches[COMPAT_BRANCHES_MAX]; /* branches[branch_count]; 0: it does not say */
	size_t branch_count;
};

/* library: a whole ELF file. A note that makes no sense is none: the rule of before notes holds.
 * Pure. */
void compat_note_read(struct compat_note *out, struct view library);
