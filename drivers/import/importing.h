/* An import under way: what its steps hand on to each other (drivers/import*.c only). */
#pragma once

#include "drivers/bundle/bundle.h"
#include "drivers/finding.h"
#include "import_request.h"
#include "install_list.h"
#include "intake.h"
#include "vendor_modules.h"

/* A file that goes into the bundle's index, wherever it was taken from. */
struct picked {
	const char *path; /* in the bundle */
	size_t part; /* number in the intake */
	uint32_t mode;
};

struct importing {
	const struct import_request *request;
	struct finding_list *findings;
	struct intake intake; /* owned, as are the next two */
	struct taken_modules modules; /* the driver's, then those of the kernel */
	struct picked *picked; /* picked[picked_count] */
	size_t picked_count, picked_capacity;
	struct bundle bundle; /* strings are its arena's or the intake's */
	struct view listed_version; /* of a package's own list; empty without */
	uint16_t machine; /* EM_X86_64 or EM_AARCH64, of its libraries */
};

void importing_freep(struct importing *importing);
MUST_CHECK bool importing_pick(struct importing *importing, const char *path, size_t part,
			       uint32_t mode, struct err *err);
/* A text of the bundle's, printed. NULL when out of memory. */
const char *importing_print(struct importing *importing, const char *format, ...) PRINTF(2, 3);

/* The names under which a library is asked for besides its own: by DT_SONAME, by our table, and
 * those that the source has. */
MUST_CHECK bool import_links(struct importing *importing, const struct install_list *list,
			     const char *name, struct bundle_file *file, struct err *err);

/* Steps, in this order. */
/* Take modules; bundle.kernels and flavor. */
MUST_CHECK bool import_kernels(struct importing *importing, struct err *err);
/* Sift what was taken; bundle.files, version, architecture, gpus, licence. After intake_finish. */
MUST_CHECK bool import_select(struct importing *importing, struct err *err);
/* One version throughout, firmware as modules ask for it, licence, the kernel if one is given. */
MUST_CHECK bool import_check(struct importing *importing, struct err *err);
