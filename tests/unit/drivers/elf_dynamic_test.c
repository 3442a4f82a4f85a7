#include "drivers/elf/elf_dynamic.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>

#include "tests/kit/drivers/made_library.h"

static char file[MADE_LIBRARY_BYTES];
static size_t file_len;
static struct made_library_parts parts;

static void make(const struct made_library *library)
{
	file_len = made_library(file, library, &parts);
}

static const struct made_library full = {
	.interpreter = "/lib64/ld-linux-x86-64.so.2",
	.soname = "libx.so.1",
	.rpath = "/opt/a",
	.runpath = "$ORIGIN/b",
	.needed = { "libc.so.6", "libm.so.6" },
	.version_files = { "libc.so.6", "libm.so.6" },
	.versions_needed = { "GLIBC_2.34", "GLIBC_2.29" },
	.versions_defined = { "X_1", "X_2" },
	.has_note = true,
};

static void make_full(void)
{
	make(&full);
}

static struct elf_dynamic opened(void)
{
	struct elf_dynamic elf = { 0 };
	struct err err = { 0 };

	ck_assert_msg(elf_dynamic_open(&elf, (struct view){ file, file_len }, &err), "%s", err.msg);
	return elf;
}

static enum err_kind kind_of_opening(size_t len)
{
	struct elf_dynamic elf;
	struct err err = { 0 };

	return elf_dynamic_open(&elf, (struct view){ file, len }, &err) ? ERR_NONE : err.kind;
}

/* The value of a dynamic entry, for tests that break it. */
static uint64_t *dynamic_value(int64_t tag)
{
	Elf64_Dyn *entry = (Elf64_Dyn *)(void *)(file + parts.dynamic);

	while (entry->d_tag != tag && entry->d_tag != DT_NULL)
		entry++;
	ck_assert_int_eq(entry->d_tag, tag);
	return &entry->d_un.d_val;
}

static void check_full(const struct elf_dynamic *elf)
{
	struct elf_version_cursor needs = { 0 }, defines = { 0 };
	struct view name, version;
	size_t cursor = 0;
	bool is_weak = true;

	ck_assert(elf->is_dynamic);
	ck_assert(view_equal(elf->soname, "libx.so.1"));
	ck_assert(view_equal(elf->rpath, "/opt/a"));
	ck_assert(view_equal(elf->runpath, "$ORIGIN/b"));
	ck_assert(view_equal(elf->interpreter, "/lib64/ld-linux-x86-64.so.2"));
	ck_assert_uint_eq(elf->osabi_note.len, 16);
	ck_assert(elf_dynamic_next_needed(elf, &cursor, &name) && view_equal(name, "libc.so.6"));
	ck_assert(elf_dynamic_next_needed(elf, &cursor, &name) && view_equal(name, "libm.so.6"));
	ck_assert(!elf_dynamic_next_needed(elf, &cursor, &name));
	ck_assert(elf_dynamic_next_version_needed(elf, &needs, &name, &version, &is_weak));
	ck_assert(view_equal(name, "libc.so.6") && view_equal(version, "GLIBC_2.34"));
	ck_assert(!is_weak);
	ck_assert(elf_dynamic_next_version_needed(elf, &needs, &name, &version, &is_weak));
	ck_assert(view_equal(name, "libm.so.6") && view_equal(version, "GLIBC_2.29"));
	ck_assert(!elf_dynamic_next_version_needed(elf, &needs, &name, &version, &is_weak));
	ck_assert(elf_dynamic_next_version_defined(elf, &defines, &version));
	ck_assert(view_equal(version, "X_1"));
	ck_assert(elf_dynamic_next_version_defined(elf, &defines, &version));
	ck_assert(view_equal(version, "X_2"));
	ck_assert(!elf_dynamic_next_version_defined(elf, &defines, &version));
}

START_TEST(library_of_64_bits_tells_all)
{
	struct elf_dynamic elf = opened();

	ck_assert(elf.is_64);
	ck_assert_uint_eq(elf.machine, EM_X86_64);
	ck_assert_uint_eq(elf.type, ET_DYN);
	check_full(&elf);
}
END_TEST

START_TEST(library_of_32_bits_tells_all)
{
	struct made_library library = full;

	library.is_32 = true;
	make(&library);
	struct elf_dynamic elf = opened();

	ck_assert(!elf.is_64);
	ck_assert_uint_eq(elf.machine, EM_386);
	check_full(&elf);
}
END_TEST

START_TEST(weak_need_is_told)
{
	struct made_library library = full;
	struct elf_version_cursor cursor = { 0 };
	struct view name, version;
	bool is_weak = false;

	library.is_weak = true;
	make(&library);
	struct elf_dynamic elf = opened();

	ck_assert(elf_dynamic_next_version_needed(&elf, &cursor, &name, &version, &is_weak));
	ck_assert(is_weak);
}
END_TEST

START_TEST(static_program_has_nothing_dynamic)
{
	make(&(struct made_library){ .type = ET_EXEC, .is_static = true });
	struct elf_dynamic elf = opened();
	size_t cursor = 0;
	struct view name;

	ck_assert(!elf.is_dynamic);
	ck_assert_uint_eq(elf.interpreter.len, 0);
	ck_assert(!elf_dynamic_next_needed(&elf, &cursor, &name));
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	for (size_t len = 0; len < file_len; len++)
		ck_assert_int_eq(kind_of_opening(len), ERR_FORMAT);
	ck_assert_int_eq(kind_of_opening(file_len), ERR_NONE);
}
END_TEST

START_TEST(big_endian_is_unsupported)
{
	file[EI_DATA] = ELFDATA2MSB;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_UNSUPPORTED);
}
END_TEST

START_TEST(program_headers_of_another_size_are_refused)
{
	((Elf64_Ehdr *)(void *)file)->e_phentsize = 32;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(strings_that_wrap_around_are_refused)
{
	*dynamic_value(DT_STRSZ) = UINT64_MAX - 16;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(strings_outside_of_every_segment_are_refused)
{
	*dynamic_value(DT_STRTAB) = MADE_LIBRARY_BASE - 1;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(name_outside_of_the_strings_is_refused)
{
	*dynamic_value(DT_SONAME) = parts.strings_bytes;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(need_outside_of_the_strings_is_refused)
{
	*dynamic_value(DT_NEEDED) = UINT64_MAX;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(name_without_an_end_is_refused)
{
	*dynamic_value(DT_STRSZ) = *dynamic_value(DT_SONAME) + 3;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(version_row_outside_of_the_file_is_refused)
{
	((Elf64_Verneed *)(void *)(file + parts.verneed))->vn_next = UINT32_MAX;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(version_outside_of_the_file_is_refused)
{
	((Elf64_Verdef *)(void *)(file + parts.verdef + 32))->vd_aux = UINT32_MAX;
	ck_assert_int_eq(kind_of_opening(file_len), ERR_FORMAT);
}
END_TEST

START_TEST(more_rows_promised_than_linked_end_where_the_links_end)
{
	*dynamic_value(DT_VERNEEDNUM) = UINT64_MAX;
	*dynamic_value(DT_VERDEFNUM) = UINT64_MAX;
	struct elf_dynamic elf = opened();

	check_full(&elf);
}
END_TEST

START_TEST(note_that_promises_too_much_is_passed_over)
{
	Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file + parts.segments);

	ck_assert_uint_eq(segments[2].p_type, PT_NOTE);
	((Elf64_Nhdr *)(void *)(file + segments[2].p_offset))->n_namesz = UINT32_MAX;
	struct elf_dynamic elf = opened();

	ck_assert_ptr_null(elf.osabi_note.ptr);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf_dynamic");
	TCase *tests = tcase_create("elf_dynamic");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, make_full, NULL);
	tcase_add_test(tests, library_of_64_bits_tells_all);
	tcase_add_test(tests, library_of_32_bits_tells_all);
	tcase_add_test(tests, weak_need_is_told);
	tcase_add_test(tests, static_program_has_nothing_dynamic);
	tcase_add_test(tests, every_truncation_is_refused);
	tcase_add_test(tests, big_endian_is_unsupported);
	tcase_add_test(tests, program_headers_of_another_size_are_refused);
	tcase_add_test(tests, strings_that_wrap_around_are_refused);
	tcase_add_test(tests, strings_outside_of_every_segment_are_refused);
	tcase_add_test(tests, name_outside_of_the_strings_is_refused);
	tcase_add_test(tests, need_outside_of_the_strings_is_refused);
	tcase_add_test(tests, name_without_an_end_is_refused);
	tcase_add_test(tests, version_row_outside_of_the_file_is_refused);
	tcase_add_test(tests, version_outside_of_the_file_is_refused);
	tcase_add_test(tests, more_rows_promised_than_linked_end_where_the_links_end);
	tcase_add_test(tests, note_that_promises_too_much_is_passed_over);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
