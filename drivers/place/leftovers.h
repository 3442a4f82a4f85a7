/* What an earlier driver left in an image: builds under a container runtime with GPU support leave
 * empty libcuda.so.1 files behind, careless ones a whole driver of another version. The loader
 * finds them before or instead of the right ones.
 *
 * Looks only where a driver's files are looked for, never into folders of CUDA's forward-compat
 * libraries (compat) and of its link-time stand-ins (stubs).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "drivers/finding.h"
#include "drivers/image/image_probe.h"

enum leftover_kind {
	LEFTOVER_ZERO_BYTE,
	LEFTOVER_DANGLING, /* a link that leads nowhere */
	LEFTOVER_FOREIGN,  /* of another driver version, or of none that it tells */
	LEFTOVER_SAME,	   /* of the version that is to be placed */
};

struct leftover {
	const char *path; /* absolute, its folder without symlinks */
	enum leftover_kind kind;
};

struct leftover_list {
	struct leftover *items; /* items[count], each path once; owned */
	size_t count, capacity;
	struct arena arena; /* owned */
};
void leftover_list_freep(struct leftover_list *list);

/* library_path: the image's LD_LIBRARY_PATH, which goes before all else; or empty
 * version: of the driver that is to be placed, "535.309.01" */
MUST_CHECK bool leftovers_find(struct leftover_list *out, const struct image_files *files,
			       const struct image_probe *probe, struct view library_path,
			       const char *version, struct err *err);

/* "an empty file", "a link to nowhere", "of another driver", "of this driver". */
const char *leftover_kind_text(enum leftover_kind kind);

/* Warnings for CUDA's stand-ins (stubs/libcuda.so) where the loader would take them for drivers. */
MUST_CHECK bool leftovers_check_stubs(struct finding_list *findings,
				      const struct image_files *files,
				      const struct image_probe *probe, struct view library_path,
				      struct err *err);
