/* Where a run's own files are: the settings drive, sockets, Firecracker's configuration. A private
 * folder that goes with the run, or one that the user named and that stays. A private one that a
 * killed run left goes with the next run.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct json_t;

struct run_folder {
	struct bytes path; /* absolute; owned */
	int lock_fd; /* of a private one, to be removed: locked while we live; -1: it is not ours */
};
#define RUN_FOLDER_NONE (struct run_folder){ .path = bytes_capped(4096), .lock_fd = -1 }
void run_folder_freep(struct run_folder *folder);

/* out:   starts as RUN_FOLDER_NONE
 * named: made when it is not there; NULL: below $TMPDIR or /tmp
 * Errors: ERR_IO, ERR_NOT_FOUND */
MUST_CHECK bool run_folder_open(struct run_folder *out, const char *named, struct err *err);

/* out: starts empty; becomes the path of a file in it */
MUST_CHECK bool run_folder_path(struct bytes *out, const struct run_folder *folder,
				const char *name, struct err *err);

/* A path as it stands from the root on; symlinks stay what they are. out: starts empty */
MUST_CHECK bool run_absolute(struct bytes *out, const char *path, struct err *err);

/* The settings drive, and a JSON document for people and programs. */
MUST_CHECK bool run_folder_write_settings(const char *path, const struct json_t *document,
					  struct err *err);
MUST_CHECK bool run_folder_write_json(const char *path, const struct json_t *document,
				      struct err *err);
