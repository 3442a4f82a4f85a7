/* `.manifest` of an NVIDIA .run, MANIFEST of its archive: what the driver's installer would
 * install, one line a file. Foreign bytes. Pure: all views point into the text.
 *
 *   line 1 description · 2 version · 4 kernel modules · 9 and on, up to an empty line:
 *   FILE MODE TYPE [NATIVE|COMPAT32] [CLASSIC|NEW] [PATH | INHERIT_PATH_DEPTH:N] [TARGET]
 *   [GLVND|NON_GLVND] [MODULE:NAME]
 * Which of the optional words a line has depends on TYPE; they are told apart by their form.
 * Source: nvidia-installer install-from-cwd.c (parse_manifest) and manifest.c (the types); the
 * lists of releases 390 and 440
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

enum install_use {
	INSTALL_UNKNOWN, /* a type that the table does not have */
	INSTALL_NOTHING, /* sources, documentation, the installer itself, what is the image's */
	INSTALL_LIBRARY,
	INSTALL_SYMLINK,
	INSTALL_PROGRAM,
	INSTALL_CONFIG,
	INSTALL_FIRMWARE,
};

struct install_entry {
	struct view path; /* in the package, clean */
	struct view type;
	struct view target; /* of a symlink, else empty */
	enum install_use use;
	unsigned capabilities; /* by type alone; 0: the file's name tells */
	uint32_t mode;
	bool is_compat32;
};

struct install_list {
	struct view version;
	struct install_entry *entries; /* entries[entry_count], in order; the arena's */
	size_t entry_count;
};

/* Errors: ERR_FORMAT       a line that is off; its number is named
 *         ERR_UNSUPPORTED  over a cap */
MUST_CHECK bool install_list_parse(struct install_list *out, struct arena *arena, struct view text,
				   struct err *err);

/* The entry of that path, or NULL. An archive has the list of the .run, whose files lie flat, and
 * sorts them into bin/, sbin/, lib/, lib32/, etc/ and share/: there the name tells, and whether it
 * is a 32-bit one. */
const struct install_entry *install_list_find(const struct install_list *list, const char *path);
