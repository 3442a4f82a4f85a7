/* Removals, told by name alone: a whiteout may be a file, a hard link, anything.
 * Pure. Source: OCI image-spec layer.md, "Whiteouts"; AUFS's names from its own documentation. */
#pragma once

#include "base/view.h"

/* Where AUFS put files with several names. Their names are hard links to here, so what is here must
 * be known until the layer is merged, and then go. */
#define WHITEOUT_AUFS_LINKS ".wh..wh.plnk"

enum whiteout {
	WHITEOUT_NONE, /* an ordinary entry */
	WHITEOUT_NAME, /* ".wh.NAME": remove NAME */
	WHITEOUT_OPAQUE, /* ".wh..wh..opq": empty the folder it stands in */
	WHITEOUT_AUFS, /* other ".wh..wh.*": a storage driver's bookkeeping, nobody reads it */
	WHITEOUT_AUFS_LINKED, /* below WHITEOUT_AUFS_LINKS */
	WHITEOUT_MALFORMED, /* ".wh.", ".wh..", ".wh...": would remove nothing, "." or ".." */
};

/* path:    clean and NUL-terminated; for WHITEOUT_NAME changed in place to the name removed
 * target:  inside path: what to remove, or the folder to empty; only set for those two */
enum whiteout whiteout_classify(char *path, struct view *target);
