/* Which files of a driver's source are let in, told by their names alone, and where such a file
 * goes in an image. Tables, each row with its reason. Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/view.h"

enum part_kind {
	PART_LIBRARY,
	PART_PROGRAM,
	PART_CONFIG, /* ICDs, vendor JSON, data files */
	PART_FIRMWARE,
	PART_LICENCE,
	PART_FILE_LIST,	   /* sandboxutils-filelist.json */
	PART_GPU_LIST,	   /* supported-gpus.json */
	PART_INSTALL_LIST, /* .manifest of a .run, MANIFEST of an archive */
	PART_MODULE,	   /* of --modules: never let in by name */
};

/* Is this one worth taking along until all is known? path: clean, from the source's root */
bool place_lets_in(struct view path, enum part_kind *kind);

/* Where libraries, programs and data of a driver root lie, as folders from its root, "" itself
 * among them; NULL behind the last. A driver root is never walked as a whole: it may be a host's.
 * A last component "@" is each folder in there, "%" each whose name speaks of the driver. */
extern const char *const place_folders[];

struct place_config {
	const char *name; /* the file's name; '*' stands for anything */
	const char *dest; /* folder in an image, with its last '/' */
	unsigned capabilities;
	const char *reason;
};
/* Does a folder's name speak of the driver: "nvidia-smi", "libcuda1", "NVIDIA_GLX-1.0"? */
bool place_is_vendors(struct view folder);

const struct place_config *place_of_config(struct view name);

/* More names under which a library is asked for, besides its SONAME: "libcuda.so". *cursor starts
 * as 0; NULL when there are no more. name: the library's file name */
const char *place_next_link(struct view name, size_t *cursor);

/* The folder where it is looked for: "" and "vdpau/" are in the image's folder of libraries, one
 * that starts with '/' is not. */
const char *place_of_library(struct view name);
