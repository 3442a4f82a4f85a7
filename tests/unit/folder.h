/* A folder of its own for each test that needs files: make_folder and remove_folder are a checked
 * fixture of libcheck. Paths are given relative to dir_fd, or built from `folder`.
 */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static char folder[64];
static int dir_fd = -1;

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/vmbake-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
}

static void remove_folder(void)
{
	struct err err;

	close(dir_fd);
	ck_assert(file_remove_tree(AT_FDCWD, folder, &err));
}
