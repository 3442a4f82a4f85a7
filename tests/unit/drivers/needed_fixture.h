/* An image made of a few libraries, and what needed_check says of it as one text: all that the
 * tests of drivers/image/needed.h share.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drivers/image/ldcache.h"
#include "drivers/image/needed.h"
#include "tests/kit/drivers/made_root.h"

static struct made_root root;
static char said[8192]; /* "RULE SEVERITY: SENTENCE\n" of each finding */

static void start(void)
{
	made_root_begin(&root);
}

static void end(void)
{
	made_root_freep(&root);
}

static void add(const char *path, const struct made_library *library)
{
	made_root_library(&root, path, library);
}

#define ADD(path, ...) add(path, &(struct made_library){ __VA_ARGS__ })

/* A loader that has these folders built in, as ld.so has them. */
static void add_loader(const char *path, const char *folders, size_t len)
{
	char file[MADE_LIBRARY_BYTES];
	size_t at = made_library(file, &(struct made_library){ .soname = "ld.so" }, NULL);

	ck_assert_uint_lt(at + 1 + len, sizeof(file));
	memcpy(file + at + 1, folders, len);
	made_root_file(&root, path, (struct view){ file, at + 1 + len });
}

static const struct made_library glibc_2_34 = {
	.soname = "libc.so.6",
	.versions_defined = { "GLIBC_2.2.5", "GLIBC_2.4", "GLIBC_2.34", "GLIBC_PRIVATE" },
};

/* A Debian of x86-64 with nothing but glibc. */
static void add_debian(void)
{
	static const char folders[] = "/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0"
				      "/lib/\0/usr/lib/";

	made_root_symlink(&root, "lib", "usr/lib");
	made_root_symlink(&root, "lib64", "usr/lib64");
	add_loader("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", folders, sizeof(folders));
	made_root_symlink(&root, "usr/lib64/ld-linux-x86-64.so.2",
			  "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
	add("usr/lib/x86_64-linux-gnu/libc.so.6", &glibc_2_34);
}

static bool try_check(const struct needed_subject *subjects, size_t count, struct err *err)
{
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	size_t len = 0;

	made_root_finish(&root);
	if (!needed_check(&findings, root.tree, &root.data_fd, subjects, count, err))
		return false;
	said[0] = '\0';
	for (size_t i = 0; i < findings.count; i++) {
		const struct finding *finding = &findings.items[i];

		len += (size_t)snprintf(said + len, sizeof(said) - len, "%s %s: %s\n",
					rule_id(finding->rule), severity_name(finding->severity),
					finding->sentence);
		ck_assert_uint_lt(len, sizeof(said));
	}
	return true;
}

static void check_subjects(const struct needed_subject *subjects, size_t count)
{
	struct err err = { 0 };

	ck_assert_msg(try_check(subjects, count, &err), "%s", err.msg);
}

/* All paths given; they are not optional. */
#define CHECK(...) \
	do { \
		const char *const paths[] = { __VA_ARGS__ }; \
		struct needed_subject all[sizeof(paths) / sizeof(paths[0])]; \
\
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) \
			all[i] = (struct needed_subject){ .path = paths[i] }; \
		check_subjects(all, sizeof(paths) / sizeof(paths[0])); \
	} while (0)
