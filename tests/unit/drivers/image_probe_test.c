#include "drivers/image/image_probe.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>

#include "tests/kit/drivers/made_root.h"

static struct made_root root;
static struct image_probe probe;
static struct err err;

static const struct made_library libc64 = {
	.soname = "libc.so.6", .versions_defined = { "GLIBC_2.9", "GLIBC_2.28", "GLIBC_PRIVATE" }
};
static const struct made_library libc32 = { .is_32 = true, .soname = "libc.so.6" };

static void start(void)
{
	made_root_begin(&root);
}

static void end(void)
{
	image_probe_freep(&probe);
	made_root_freep(&root);
}

static void add_shell(const char *interpreter)
{
	const struct made_library shell = { .interpreter = interpreter };

	made_root_library(&root, "usr/bin/sh", &shell);
	made_root_symlink(&root, "bin", "usr/bin");
}

/* folders: as they stand in a loader, with their last NUL in the literal */
static void add_loader(const char *path, struct view folders)
{
	made_root_file(&root, path, folders);
}
#define FOLDERS(literal) ((struct view){ "\177ELF\0" literal, sizeof("\177ELF\0" literal) })

static bool probe_with(const char *program)
{
	made_root_finish(&root);
	struct image_files files = { root.tree, &root.data_fd };

	return image_probe(&probe, &files, EM_X86_64, program, &err);
}

static void must_probe(void)
{
	ck_assert_msg(probe_with(NULL), "%s", err.msg);
}

static void assert_folder(size_t index, const char *path)
{
	ck_assert_uint_lt(index, probe.folders.count);
	ck_assert_str_eq(probe.folders.items[index].path, path);
}

START_TEST(merged_debian)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	made_root_symlink(&root, "lib", "usr/lib");
	made_root_symlink(&root, "lib64", "usr/lib64");
	made_root_symlink(&root, "usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld.so");
	add_loader("usr/lib/x86_64-linux-gnu/ld.so",
		   FOLDERS("/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0"
			   "/usr/lib/\0"));
	made_root_library(&root, "usr/lib/x86_64-linux-gnu/libc.so.6", &libc64);
	must_probe();
	ck_assert_int_eq(probe.libc, IMAGE_LIBC_GLIBC);
	ck_assert_str_eq(probe.libdir, "/usr/lib/x86_64-linux-gnu");
	ck_assert_str_eq(probe.libdir32, "/usr/lib/i386-linux-gnu");
	ck_assert_str_eq(probe.bindir, "/usr/bin");
	ck_assert(probe.libdir_is_searched);
	ck_assert_uint_eq(probe.glibc_minor, 28);
	ck_assert(!probe.has_cache);
	ck_assert_uint_eq(probe.folders.count, 2);
	assert_folder(0, "/lib/x86_64-linux-gnu");
	assert_folder(1, "/lib");
}
END_TEST

START_TEST(debian_before_the_merge_prefers_usr)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	add_loader("lib64/ld-linux-x86-64.so.2",
		   FOLDERS("/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0"));
	made_root_library(&root, "lib/x86_64-linux-gnu/libc.so.6", &libc64);
	made_root_file(&root, "usr/lib/x86_64-linux-gnu/libx.so", view_of("x"));
	made_root_library(&root, "lib/i386-linux-gnu/libc.so.6", &libc32);
	must_probe();
	ck_assert_str_eq(probe.libdir, "/usr/lib/x86_64-linux-gnu");
	ck_assert_str_eq(probe.libdir32, "/lib/i386-linux-gnu");
	ck_assert(probe.libdir_is_searched);
}
END_TEST

START_TEST(fedora_with_lib64)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	made_root_symlink(&root, "lib", "usr/lib");
	made_root_symlink(&root, "lib64", "usr/lib64");
	add_loader("usr/lib64/ld-linux-x86-64.so.2", FOLDERS("/lib64/\0/usr/lib64/\0"));
	made_root_library(&root, "usr/lib64/libc.so.6", &libc64);
	made_root_file(&root, "usr/lib/x", view_of(""));
	must_probe();
	ck_assert_str_eq(probe.libdir, "/usr/lib64");
	ck_assert_str_eq(probe.libdir32, "/usr/lib");
	ck_assert_uint_eq(probe.folders.count, 2);
	assert_folder(0, "/lib");
	assert_folder(1, "/lib64");
}
END_TEST

START_TEST(arch_with_one_folder)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	made_root_symlink(&root, "lib", "usr/lib");
	made_root_symlink(&root, "lib64", "usr/lib");
	made_root_symlink(&root, "usr/lib64", "lib");
	add_loader("usr/lib/ld-linux-x86-64.so.2", FOLDERS("/usr/lib/\0"));
	made_root_library(&root, "usr/lib/libc.so.6", &libc64);
	must_probe();
	ck_assert_str_eq(probe.libdir, "/usr/lib");
	ck_assert_str_eq(probe.libdir32, "/usr/lib32");
	assert_folder(0, "/usr/lib");
	ck_assert_uint_eq(probe.folders.count, 1);
}
END_TEST

START_TEST(distroless_is_known_by_its_entrypoint)
{
	const struct made_library program = { .interpreter = "/opt/glibc/ld-linux-x86-64.so.2" };

	made_root_library(&root, "app/server", &program);
	add_loader("opt/glibc/ld-linux-x86-64.so.2", FOLDERS("/opt/glibc/lib/\0"));
	made_root_library(&root, "opt/glibc/lib/libc.so.6", &libc64);
	ck_assert_msg(probe_with("/app/server"), "%s", err.msg);
	ck_assert_str_eq(probe.libdir, "/opt/glibc/lib");
	ck_assert(probe.libdir_is_searched);
}
END_TEST

START_TEST(distroless_without_either_is_known_by_its_loader)
{
	add_loader("lib64/ld-linux-x86-64.so.2", FOLDERS("/lib64/\0/usr/lib64/\0"));
	made_root_library(&root, "lib64/libc.so.6", &libc64);
	must_probe();
	ck_assert_int_eq(probe.libc, IMAGE_LIBC_GLIBC);
	ck_assert_str_eq(probe.libdir, "/lib64");
}
END_TEST

START_TEST(libc_behind_ld_so_conf_is_not_searched_by_itself)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	add_loader("lib64/ld-linux-x86-64.so.2", FOLDERS("/lib64/\0"));
	made_root_file(&root, "etc/ld.so.conf", view_of("/opt/libc/\n"));
	made_root_library(&root, "opt/libc/libc.so.6", &libc64);
	must_probe();
	ck_assert_str_eq(probe.libdir, "/opt/libc");
	ck_assert(!probe.libdir_is_searched);
}
END_TEST

START_TEST(musl_and_nothing_are_told)
{
	add_shell("/lib/ld-musl-x86_64.so.1");
	made_root_file(&root, "lib/ld-musl-x86_64.so.1", view_of("musl"));
	must_probe();
	ck_assert_int_eq(probe.libc, IMAGE_LIBC_MUSL);
}
END_TEST

START_TEST(interpreter_that_is_not_there_is_none)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	must_probe();
	ck_assert_int_eq(probe.libc, IMAGE_LIBC_NONE);
	ck_assert_ptr_null(probe.interpreter);
}
END_TEST

START_TEST(conf_includes_and_hwcaps_come_in_order)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	add_loader("lib64/ld-linux-x86-64.so.2", FOLDERS("/lib64/\0"));
	made_root_library(&root, "lib64/libc.so.6", &libc64);
	made_root_file(&root, "etc/ld.so.conf",
		       view_of("include ld.so.conf.d/*.conf\nhwcap 1 x\n/opt/z # last\n"));
	made_root_file(&root, "etc/ld.so.conf.d/b.conf", view_of("/opt/b///\n"));
	made_root_file(&root, "etc/ld.so.conf.d/a.conf", view_of("/opt/a\n/opt/b\n"));
	made_root_file(&root, "etc/ld.so.conf.d/.h.conf", view_of("/opt/hidden\n"));
	made_root_file(&root, "opt/a/glibc-hwcaps/x86-64-v3/x", view_of(""));
	made_root_file(&root, "opt/b/x", view_of(""));
	made_root_file(&root, "opt/z/x", view_of(""));
	made_root_file(&root, "opt/hidden/x", view_of(""));
	must_probe();
	assert_folder(0, "/opt/a");
	assert_folder(1, "/opt/a/glibc-hwcaps/x86-64-v3");
	ck_assert_str_eq(probe.folders.items[1].hwcaps, "x86-64-v3");
	assert_folder(2, "/opt/b");
	assert_folder(3, "/opt/z");
	assert_folder(4, "/lib64");
	ck_assert_uint_eq(probe.folders.count, 5);
}
END_TEST

START_TEST(conf_that_includes_itself_is_refused)
{
	add_shell("/lib64/ld-linux-x86-64.so.2");
	add_loader("lib64/ld-linux-x86-64.so.2", FOLDERS("/lib64/\0"));
	made_root_file(&root, "etc/ld.so.conf", view_of("include /etc/ld.so.conf\n"));
	ck_assert(!probe_with(NULL));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image_probe");
	TCase *tests = tcase_create("image_probe");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, merged_debian);
	tcase_add_test(tests, debian_before_the_merge_prefers_usr);
	tcase_add_test(tests, fedora_with_lib64);
	tcase_add_test(tests, arch_with_one_folder);
	tcase_add_test(tests, distroless_is_known_by_its_entrypoint);
	tcase_add_test(tests, distroless_without_either_is_known_by_its_loader);
	tcase_add_test(tests, libc_behind_ld_so_conf_is_not_searched_by_itself);
	tcase_add_test(tests, musl_and_nothing_are_told);
	tcase_add_test(tests, interpreter_that_is_not_there_is_none);
	tcase_add_test(tests, conf_includes_and_hwcaps_come_in_order);
	tcase_add_test(tests, conf_that_includes_itself_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
