/* Removals, told by name alone: a whiteout may be a file, a hard link, anything.
 * Pure. Source: OCI image-spec layer.md, "Whiteouts"; AUFS's names from its own documentation. */
#pragma once

#include "base/view.h"

enum whiteout {
	WHITEOUT_NONE, /* an ordinary entry */
	WHITEOUT_NAME, /* ".wh.NAME": remove NAME */
	WHITEOUT_OPAQUE, /* ".wh..wh..opq": empty the folder it stands in */
	WHITEOUT_AUFS, /* other ".wh..wh.*": a storage driver's bookkeeping, nobody reads it */
	WHITEOUT_MALFORMED, /* ".wh.", ".wh..", ".wh...": would remove nothing, "." or ".." */
};

/* path:    clean and NUL-terminated; for WHITEOUT_NAME changed in place to the name removed
 * target:  inside path: what to remove, or the folder to empty; only set for those two */
enum whiteout whiteout_classify(char *path, struct view *target);
