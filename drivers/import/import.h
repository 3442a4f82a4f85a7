/* A driver becomes a bundle: one source of userspace files, and kernel modules built for one or
 * more kernels, checked against each other and laid down as `data`, `index` and the manifest.
 *
 * The source is read once, front to back; what proves not to belong is let go of. The same input
 * gives the same three files. Vendor files stay byte for byte what they were. Runs nothing.
 */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "drivers/bundle/bundle.h"
#include "drivers/finding.h"
#include "import_request.h"

struct import_result {
	struct bundle bundle; /* owned */
	struct digest manifest_digest;
};
void import_result_freep(struct import_result *result);

/* dir_fd:   an empty folder; gets vmbake-driver.json, data and index, each synced, itself not. On
 *           failure what is there is rubbish that the caller removes.
 * findings: what was found, warnings too; also after a failure, which they explain
 * Errors: ERR_MISMATCH     versions, modules and kernel do not fit together: see findings
 *         ERR_NOT_FOUND    no driver in the source, no modules in the folders
 *         ERR_UNSUPPORTED, ERR_FORMAT, ERR_INTEGRITY, ERR_SPACE, ERR_IO */
MUST_CHECK bool driver_import(struct import_result *out, struct finding_list *findings,
			      const struct import_request *request, int dir_fd, struct err *err);
