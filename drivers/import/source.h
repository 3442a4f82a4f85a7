/* Where a driver comes from: files and folders that the user names, or an image's tree. What each
 * one is, its content tells, never its name; nothing in it is executed.
 */
#pragma once

#include "base/err.h"
#include "intake.h"
#include "layers/tree.h"

struct source {
	const char *type; /* as struct bundle's source_type; constant */
};

/* Take what a driver may need out of one file or folder: a .run, a .deb, an archive of NVIDIA's, a
 * folder of .debs, a driver root (or an unpacked .run or archive).
 * Errors: ERR_NOT_FOUND, ERR_IO
 *         ERR_UNSUPPORTED  none of these
 *         ERR_FORMAT       one of these, and broken
 *         ERR_INTEGRITY    a .run whose checksum differs */
MUST_CHECK bool source_take(struct source *out, struct intake *intake, const char *path,
			    struct err *err);

/* The same from the tree of an image that holds a driver root.
 * data_fds: data_fds[layer], the data file of each layer number in the tree */
MUST_CHECK bool source_take_tree(struct intake *intake, const struct tree *tree,
				 const int *data_fds, const char *name, struct err *err);

/* Parts of source_take, one a form. */
MUST_CHECK bool source_take_deb(struct intake *intake, const char *path, struct err *err);
MUST_CHECK bool source_take_run(struct intake *intake, const char *path, struct err *err);
MUST_CHECK bool source_take_archive(struct intake *intake, const char *path, struct err *err);
MUST_CHECK bool source_take_folder(struct intake *intake, const char *path, struct err *err);
