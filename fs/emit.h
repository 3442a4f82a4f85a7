/* A placed plan becomes bytes: directories, symlinks, xattr blocks, extent trees and inode tables,
 * each kind in one sweep. Bodies are copy's. */
#pragma once

#include "base/err.h"
#include "ext4.h"
#include "plan.h"

struct emit_result {
	uint64_t clamped_mtime_count;
};

/* span: takes the bytes. Marks every block and inode it writes, and the bodies' blocks, as used. */
MUST_CHECK bool emit_metadata(struct span *span, const struct plan *plan, struct ext4 *ext4,
			      int64_t image_time, struct emit_result *out, struct err *err);
