/* A folder with made-up sys/, proc/ and dev/, as init's functions take it. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

static char made_root_path[64];
static int made_root = -1;

static inline void made_root_start(void)
{
	snprintf(made_root_path, sizeof(made_root_path), "/tmp/vmbake-root-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(made_root_path));
	made_root = open(made_root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(made_root, 0);
}

static inline void made_root_end(void)
{
	struct err err = { 0 };

	fd_closep(&made_root);
	ck_assert_msg(file_remove_tree(AT_FDCWD, made_root_path, &err), "%s", err.msg);
}

static inline void made_root_put(const char *path, const char *text)
{
	struct err err = { 0 };
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	ck_assert_msg(file_make_dirs(made_root, folder, 0755, &err) &&
			      file_write_whole(made_root, path, 0644, view_of(text), &err),
		      "%s", err.msg);
}
