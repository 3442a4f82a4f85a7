/* The words in an rpath that stand for something else: $ORIGIN, $LIB, $PLATFORM. Pure. */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "base/view.h"

struct loader_words {
	struct view origin; /* the folder of the file that the rpath is of */
	struct view lib;
	struct view platform;
};

/* text with its words replaced; unknown ones stay as they are. False when that is over PATH_MAX.
 * Source: ld.so(8), "Dynamic string tokens" */
bool loader_expand(char out[PATH_MAX], struct view text, const struct loader_words *words);

/* "/usr/lib" of "/usr/lib/libx.so"; "/" of "/x". */
struct view loader_folder_of(const char *path);
