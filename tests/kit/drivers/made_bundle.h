/* Driver bundles made by tests: a small manifest to start from, and one laid into a store. */
#pragma once

#include "drivers/bundle/bundle.h"

/* A file of a bundle and its content. */
struct made_file {
	const char *path;
	const char *content;
};

/* A bundle of constant parts: libcuda and nvidia-smi, with modules nvidia and nvidia_uvm for
 * 6.1.0-made. Sizes and digests are those of made_files. Nothing to free. */
extern const struct made_file made_files[];
extern const size_t made_file_count;
struct bundle made_bundle(void);

/* Write data, index and manifest to a folder of dir_fd, named as a store names it; name gets that.
 * The bundle's index_digest is set. files: by path */
void made_bundle_keep(int dir_fd, struct bundle *bundle, const struct made_file *files,
		      size_t file_count, char name[BUNDLE_NAME_BYTES]);
