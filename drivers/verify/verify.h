/* The rules that a driver in an image has to keep, checked on the image itself: every injected
 * file's content, the versions of all its parts, the modules against the guest's kernel, and what
 * the loader will find (DRIVERS.md §7.5; ids in finding.h).
 *
 * The same for a finished image and for a builder's tree before it is written. Nothing is executed.
 * A fact that is lacking is a finding of unknown severity that says which.
 */
#pragma once

#include "drivers/bundle/bundle.h"
#include "drivers/finding.h"
#include "drivers/kernel/kernel.h"
#include "drivers/place/compat.h"
#include "drivers/select/gpu_chip.h"
#include "init/contract/boot_config.h"
#include "layers/tree.h"

struct verify_subject {
	const struct tree *tree;
	const int *data_fds; /* as in layers/content.h */
	const struct boot_config *boot; /* what the guest will do; its env is the image's */
	const struct bundle *driver; /* the image's own record; NULL: it has none */
	const struct kernel *kernel; /* NULL: its file is not at hand */
	const char *release; /* of the kernel; NULL: not known either */
	const struct gpu_chip *chip; /* NULL: not known */
	enum gpu_class gpu_class; /* for CUDA's compat package */
	unsigned jobs; /* threads that read files, at least 1 */
	/* The files come right out of a stored bundle, whose digests were made at import and whose
	 * modules were held against the kernel when it was chosen: sizes are compared, and a build
	 * need not read 300 MB that it only clones. What place_driver judged, compat packages and
	 * leftovers, is not judged again. */
	bool are_contents_known;
	bool keeps_leftovers; /* what another driver left is there on purpose */
};

/* Add what is wrong, or could not be checked; nothing when all is well.
 * Errors: ERR_FORMAT, ERR_IO  the image cannot be read */
MUST_CHECK bool verify_image(struct finding_list *findings, const struct verify_subject *subject,
			     struct err *err);
