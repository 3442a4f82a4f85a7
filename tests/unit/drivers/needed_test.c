#include "drivers/image/needed.h"

#include <elf.h>
#include <stdlib.h>

#include "needed_fixture.h"

#define DRIVER "/usr/lib/x86_64-linux-gnu/libdriver.so.1"

static void add_driver(const char *first, const char *second)
{
	ADD("usr/lib/x86_64-linux-gnu/libdriver.so.1", .soname = "libdriver.so.1",
	    .needed = { first, second });
}

START_TEST(nothing_is_said_where_nothing_is_lacking)
{
	add_debian();
	ADD("usr/lib/x86_64-linux-gnu/libdriver.so.1", .soname = "libdriver.so.1",
	    .needed = { "liba.so.1", "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.34" });
	ADD("usr/lib/liba.so.1.0", .soname = "liba.so.1", .needed = { "libb.so.1" });
	made_root_symlink(&root, "usr/lib/liba.so.1", "liba.so.1.0");
	ADD("usr/lib/libb.so.1", .soname = "libb.so.1",
	    .needed = { "liba.so.1", "libdriver.so.1" }); /* back again */
	CHECK(DRIVER);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(missing_name_is_told_once_with_those_who_need_it)
{
	add_debian();
	add_driver("libx.so.1", "libmiddle.so");
	ADD("usr/lib/libmiddle.so", .needed = { "libx.so.1" });
	CHECK(DRIVER, DRIVER);
	ck_assert_str_eq(said,
			 "needed-missing error: the image has no libx.so.1: it is needed by " DRIVER
			 " and /lib/libmiddle.so\n");
}
END_TEST

START_TEST(many_who_need_it_are_others)
{
	add_debian();
	ADD("opt/1.so", .needed = { "libx.so" });
	ADD("opt/2.so", .needed = { "libx.so" });
	ADD("opt/3.so", .needed = { "libx.so" });
	ADD("opt/4.so", .needed = { "libx.so" });
	ADD("opt/5.so", .needed = { "libx.so" });
	CHECK("/opt/1.so", "/opt/2.so", "/opt/3.so", "/opt/4.so", "/opt/5.so");
	ck_assert_str_eq(said, "needed-missing error: the image has no libx.so: it is needed by "
			       "/opt/1.so, /opt/2.so, /opt/3.so and others\n");
}
END_TEST

START_TEST(what_an_optional_subject_lacks_is_a_warning)
{
	add_debian();
	ADD("opt/gl.so", .needed = { "libX11.so.6" });
	check_subjects(&(struct needed_subject){ "/opt/gl.so", true }, 1);
	ck_assert_str_eq(said, "needed-missing warning: the image has no libX11.so.6: it is needed "
			       "by /opt/gl.so\n");
}
END_TEST

START_TEST(what_another_subject_lacks_too_is_an_error)
{
	static const struct needed_subject both[] = { { "/opt/gl.so", true },
						      { "/opt/cuda.so", false } };

	add_debian();
	ADD("opt/gl.so", .needed = { "libx.so" });
	ADD("opt/cuda.so", .needed = { "libx.so" });
	check_subjects(both, 2);
	ck_assert_str_eq(said, "needed-missing error: the image has no libx.so: it is needed by "
			       "/opt/gl.so and /opt/cuda.so\n");
}
END_TEST

START_TEST(zero_bytes_are_no_library)
{
	add_debian();
	add_driver("libx.so", NULL);
	made_root_file(&root, "usr/lib/x86_64-linux-gnu/libx.so", view_of(""));
	ADD("usr/lib/libx.so", .soname = "libx.so"); /* which is never reached */
	CHECK(DRIVER);
	ck_assert_str_eq(said, "needed-missing error: /lib/x86_64-linux-gnu/libx.so of the image "
			       "cannot be loaded (not an ELF file): it is needed by " DRIVER "\n");
}
END_TEST

START_TEST(program_is_no_library)
{
	add_debian();
	add_driver("libx.so", NULL);
	ADD("usr/lib/libx.so", .type = ET_EXEC);
	CHECK(DRIVER);
	ck_assert_str_eq(said, "needed-missing error: /lib/libx.so of the image cannot be loaded "
			       "(no shared library): it is needed by " DRIVER "\n");
}
END_TEST

START_TEST(subject_that_is_not_there_is_told)
{
	add_debian();
	made_root_file(&root, "usr/lib/empty.so", view_of(""));
	CHECK("/usr/lib/none.so", "/usr/lib/empty.so");
	ck_assert_str_eq(said,
			 "needed-missing error: /usr/lib/none.so of the driver cannot be loaded: "
			 "it is no regular file\n"
			 "needed-missing error: /usr/lib/empty.so of the driver cannot be loaded: "
			 "it is not an ELF file\n");
}
END_TEST

START_TEST(static_program_needs_nothing)
{
	ADD("usr/bin/smi", .type = ET_EXEC, .is_static = true);
	CHECK("/usr/bin/smi");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(program_needs_its_loader)
{
	add_debian();
	ADD("usr/bin/smi", .interpreter = "/lib64/ld-linux-x86-64.so.2", .needed = { "libc.so.6" });
	ADD("usr/bin/odd", .interpreter = "/lib64/ld-odd.so.1", .needed = { "libc.so.6" });
	CHECK("/usr/bin/smi", "/usr/bin/odd");
	ck_assert_str_eq(said, "needed-missing error: the image has no loader /lib64/ld-odd.so.1: "
			       "it is needed by /usr/bin/odd\n");
}
END_TEST

START_TEST(newest_of_glibcs_lacking_versions_is_told)
{
	add_debian();
	ADD("opt/a.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6", "libc.so.6" },
	    .versions_needed = { "GLIBC_2.36", "GLIBC_2.4" });
	ADD("opt/b.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.100" });
	ADD("opt/c.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_ABI_DT_RELR" });
	CHECK("/opt/a.so", "/opt/b.so", "/opt/c.so");
	ck_assert_str_eq(said, "glibc-too-old error: glibc of the image is 2.34: GLIBC_2.100 of "
			       "libc.so.6 is needed by /opt/b.so\n");
}
END_TEST

START_TEST(version_that_is_no_number_is_lacking_too)
{
	add_debian();
	ADD("opt/c.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_ABI_DT_RELR" });
	CHECK("/opt/c.so");
	ck_assert_str_eq(said, "glibc-too-old error: glibc of the image is 2.34: GLIBC_ABI_DT_RELR "
			       "of libc.so.6 is needed by /opt/c.so\n");
}
END_TEST

START_TEST(older_version_that_an_optional_subject_lacks_is_not_told_again)
{
	static const struct needed_subject both[] = { { "/opt/a.so", true },
						      { "/opt/b.so", false } };

	add_debian();
	ADD("opt/a.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.36" });
	ADD("opt/b.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.38" });
	check_subjects(both, 2);
	ck_assert_str_eq(said, "glibc-too-old error: glibc of the image is 2.34: GLIBC_2.38 of "
			       "libc.so.6 is needed by /opt/b.so\n");
}
END_TEST

START_TEST(newer_version_that_an_optional_subject_lacks_is_a_warning_of_its_own)
{
	static const struct needed_subject both[] = { { "/opt/a.so", true },
						      { "/opt/b.so", false } };

	add_debian();
	ADD("opt/a.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.38" });
	ADD("opt/b.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.36" });
	check_subjects(both, 2);
	ck_assert_str_eq(said, "glibc-too-old warning: glibc of the image is 2.34: GLIBC_2.38 of "
			       "libc.so.6 is needed by /opt/a.so\n"
			       "glibc-too-old error: glibc of the image is 2.34: GLIBC_2.36 of "
			       "libc.so.6 is needed by /opt/b.so\n");
}
END_TEST

START_TEST(weak_need_of_a_version_is_none)
{
	add_debian();
	ADD("opt/a.so", .needed = { "libc.so.6" }, .version_files = { "libc.so.6" },
	    .versions_needed = { "GLIBC_2.99" }, .is_weak = true);
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(version_of_another_library_is_told_with_its_path)
{
	add_debian();
	ADD("usr/lib/libstdc++.so.6", .soname = "libstdc++.so.6",
	    .versions_defined = { "GLIBCXX_3.4.29" });
	ADD("opt/a.so", .needed = { "libstdc++.so.6" },
	    .version_files = { "libstdc++.so.6", "libstdc++.so.6" },
	    .versions_needed = { "GLIBCXX_3.4.29", "GLIBCXX_3.4.30" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "needed-missing error: /lib/libstdc++.so.6 of the image has no "
			       "version GLIBCXX_3.4.30: it is needed by /opt/a.so\n");
}
END_TEST

START_TEST(library_without_versions_does_for_any)
{
	add_debian();
	ADD("usr/lib/libx.so.1", .soname = "libx.so.1");
	ADD("opt/a.so", .needed = { "libx.so.1" }, .version_files = { "libx.so.1" },
	    .versions_needed = { "X_1" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(image_without_glibc_is_a_mismatch_and_nothing_more)
{
	add_driver("libc.so.6", "libm.so.6");
	ADD("usr/bin/smi", .interpreter = "/lib64/ld-linux-x86-64.so.2", .needed = { "libc.so.6" });
	CHECK(DRIVER, "/usr/bin/smi");
	ck_assert_str_eq(said, "libc-mismatch error: the image has no glibc for x86-64 programs: "
			       "it is needed by " DRIVER " and /usr/bin/smi\n");
}
END_TEST

START_TEST(library_of_32_bits_needs_a_glibc_of_32_bits)
{
	add_debian();
	ADD("usr/lib/i386-linux-gnu/libcuda.so.1", .is_32 = true, .needed = { "libc.so.6" });
	CHECK("/usr/lib/i386-linux-gnu/libcuda.so.1");
	ck_assert_str_eq(said, "libc-mismatch error: the image has no glibc for 32-bit x86 "
			       "programs: it is needed by /usr/lib/i386-linux-gnu/libcuda.so.1\n");
}
END_TEST

START_TEST(both_word_sizes_are_looked_at_side_by_side)
{
	struct made_library libc = glibc_2_34;

	add_debian();
	libc.is_32 = true;
	add("usr/lib/i386-linux-gnu/libc.so.6", &libc);
	ADD("usr/lib/i386-linux-gnu/libz.so.1", .is_32 = true);
	ADD("usr/lib/x86_64-linux-gnu/libX.so", .soname = "libX.so");
	ADD("opt/32.so", .is_32 = true, .needed = { "libc.so.6", "libz.so.1", "libX.so" });
	ADD("opt/64.so", .needed = { "libc.so.6", "libz.so.1", "libX.so" });
	CHECK("/opt/32.so", "/opt/64.so");
	ck_assert_str_eq(said, "needed-missing error: the image has no libX.so (32-bit x86): it is "
			       "needed by /opt/32.so\n"
			       "needed-missing error: the image has no libz.so.1: it is needed by "
			       "/opt/64.so\n");
}
END_TEST

START_TEST(machine_of_another_kind_has_no_glibc)
{
	add_debian();
	ADD("opt/a.so", .machine = EM_RISCV, .needed = { "libc.so.6" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "libc-mismatch error: the image has no glibc for foreign programs: "
			       "it is needed by /opt/a.so\n");
}
END_TEST

START_TEST(more_lacks_than_anyone_reads_are_counted)
{
	char path[64], name[64];

	add_debian();
	struct needed_subject subjects[101];

	for (size_t i = 0; i < 101; i++) {
		snprintf(path, sizeof(path), "opt/%zu.so", i);
		snprintf(name, sizeof(name), "lib-a%zu.so", i);
		ADD(path, .needed = { name, name + 4 });
		snprintf(path, sizeof(path), "/opt/%zu.so", i);
		subjects[i].path = strdup(path);
		subjects[i].is_optional = true;
	}
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	struct err err = { 0 };

	made_root_finish(&root);
	ck_assert(needed_check(&findings, root.tree, &root.data_fd, subjects, 101, &err));
	ck_assert_uint_eq(findings.count, 201);
	ck_assert_int_eq(findings.items[200].severity, SEVERITY_WARNING);
	ck_assert_str_eq(findings.items[200].sentence, "over 200 libraries and versions are "
						       "missing; the others are not listed");
	for (size_t i = 0; i < 101; i++)
		free((void *)(uintptr_t)subjects[i].path);
}
END_TEST

START_TEST(cache_that_is_none_is_refused)
{
	struct err err = { 0 };

	add_debian();
	made_root_file(&root, "etc/ld.so.cache", view_of("glibc-ld.so.cache1.1"));
	ck_assert(!try_check(NULL, 0, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_msg(strstr(err.msg, "/etc/ld.so.cache of the image"), "%s", err.msg);
}
END_TEST

/* Each library needs the next: a chain with an end far away. */
START_TEST(endless_closure_is_refused)
{
	struct needed_subject subject = { "/usr/lib/0.so", false };
	struct err err = { 0 };
	char path[64], next[64];

	for (int i = 0; i < 1030; i++) {
		snprintf(path, sizeof(path), "usr/lib/%d.so", i);
		snprintf(next, sizeof(next), "%d.so", i + 1);
		ADD(path, .needed = { next });
	}
	ck_assert(!try_check(&subject, 1, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_msg(strstr(err.msg, "over 1024 libraries"), "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("needed");
	TCase *tests = tcase_create("needed");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, nothing_is_said_where_nothing_is_lacking);
	tcase_add_test(tests, missing_name_is_told_once_with_those_who_need_it);
	tcase_add_test(tests, many_who_need_it_are_others);
	tcase_add_test(tests, what_an_optional_subject_lacks_is_a_warning);
	tcase_add_test(tests, what_another_subject_lacks_too_is_an_error);
	tcase_add_test(tests, zero_bytes_are_no_library);
	tcase_add_test(tests, program_is_no_library);
	tcase_add_test(tests, subject_that_is_not_there_is_told);
	tcase_add_test(tests, static_program_needs_nothing);
	tcase_add_test(tests, program_needs_its_loader);
	tcase_add_test(tests, newest_of_glibcs_lacking_versions_is_told);
	tcase_add_test(tests, version_that_is_no_number_is_lacking_too);
	tcase_add_test(tests, older_version_that_an_optional_subject_lacks_is_not_told_again);
	tcase_add_test(tests, newer_version_that_an_optional_subject_lacks_is_a_warning_of_its_own);
	tcase_add_test(tests, weak_need_of_a_version_is_none);
	tcase_add_test(tests, version_of_another_library_is_told_with_its_path);
	tcase_add_test(tests, library_without_versions_does_for_any);
	tcase_add_test(tests, image_without_glibc_is_a_mismatch_and_nothing_more);
	tcase_add_test(tests, library_of_32_bits_needs_a_glibc_of_32_bits);
	tcase_add_test(tests, both_word_sizes_are_looked_at_side_by_side);
	tcase_add_test(tests, machine_of_another_kind_has_no_glibc);
	tcase_add_test(tests, more_lacks_than_anyone_reads_are_counted);
	tcase_add_test(tests, cache_that_is_none_is_refused);
	tcase_add_test(tests, endless_closure_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
