#include "drivers/image/library.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/kit/drivers/made_root.h"

static char file[MADE_LIBRARY_BYTES];
static size_t file_len;
static struct made_library_parts parts;
static struct made_root root;
static struct image_files files;
static struct library_table table;
static bool is_open;

static const struct made_library full = {
	.interpreter = "/lib64/ld-linux-x86-64.so.2",
	.soname = "libx.so.1",
	.rpath = "/opt/a",
	.runpath = "$ORIGIN/b",
	.needed = { "libc.so.6", "libm.so.6" },
	.version_files = { "libc.so.6", "libm.so.6" },
	.versions_needed = { "GLIBC_2.34", "GLIBC_2.29" },
	.versions_defined = { "X_1", "X_2" },
};

static void start(void)
{
	made_root_begin(&root);
	file_len = made_library(file, &full, &parts);
	is_open = false;
}

static void end(void)
{
	if (is_open)
		library_table_freep(&table);
	made_root_freep(&root);
}

static const struct library *read_bytes(const char *bytes, size_t len)
{
	const struct library *library = NULL;
	struct err err = { 0 };

	made_root_file(&root, "x.so", (struct view){ bytes, len });
	made_root_finish(&root);
	files = (struct image_files){ root.tree, &root.data_fd };
	ck_assert(library_table_new(&table, &files, &err));
	is_open = true;
	uint32_t inode = image_find(&files, TREE_ROOT, view_of("x.so"));

	ck_assert_msg(library_table_get(&table, inode, &library, &err), "%s", err.msg);
	return library;
}

/* What is said of the file as it is now, or of its first bytes. */
static const struct library *read_file(size_t len)
{
	return read_bytes(file, len);
}

static void assert_fault(const char *fault)
{
	const struct library *library = read_file(file_len);

	ck_assert_ptr_nonnull(library->fault);
	ck_assert_str_eq(library->fault, fault);
}

static uint64_t *dynamic_value(int64_t tag)
{
	Elf64_Dyn *entry = (Elf64_Dyn *)(void *)(file + parts.dynamic);

	while (entry->d_tag != tag && entry->d_tag != DT_NULL)
		entry++;
	ck_assert_int_eq(entry->d_tag, tag);
	return &entry->d_un.d_val;
}

static void check_full(const struct library *library)
{
	ck_assert_ptr_null(library->fault);
	ck_assert_uint_eq(library->type, ET_DYN);
	ck_assert_str_eq(library->interpreter, full.interpreter);
	ck_assert_str_eq(library->soname, full.soname);
	ck_assert_str_eq(library->rpath, full.rpath);
	ck_assert_str_eq(library->runpath, full.runpath);
	ck_assert_uint_eq(library->needed_count, 2);
	ck_assert_str_eq(library->needed[0], "libc.so.6");
	ck_assert_str_eq(library->needed[1], "libm.so.6");
	ck_assert_uint_eq(library->versions_needed_count, 2);
	ck_assert_str_eq(library->versions_needed[1].file, "libm.so.6");
	ck_assert_str_eq(library->versions_needed[1].name, "GLIBC_2.29");
	ck_assert(!library->versions_needed[1].is_weak);
	ck_assert_uint_eq(library->versions_defined_count, 3);
	ck_assert_str_eq(library->versions_defined[0].name, "libx.so.1"); /* the base */
	ck_assert_str_eq(library->versions_defined[2].name, "X_2");
}

START_TEST(library_of_64_bits_tells_all)
{
	const struct library *library = read_file(file_len);

	ck_assert(library->is_64);
	ck_assert_uint_eq(library->machine, EM_X86_64);
	check_full(library);
}
END_TEST

START_TEST(library_of_32_bits_tells_all)
{
	struct made_library short_one = full;

	short_one.is_32 = true;
	file_len = made_library(file, &short_one, NULL);
	const struct library *library = read_file(file_len);

	ck_assert(!library->is_64);
	ck_assert_uint_eq(library->machine, EM_386);
	check_full(library);
}
END_TEST

START_TEST(hashes_and_weakness_are_the_files)
{
	Elf64_Vernaux *needed = (Elf64_Vernaux *)(void *)(file + parts.verneed + 16);

	needed->vna_hash = 0x069691b4;
	needed->vna_flags = VER_FLG_WEAK;
	((Elf64_Verdef *)(void *)(file + parts.verdef))->vd_hash = 7;
	const struct library *library = read_file(file_len);

	ck_assert_uint_eq(library->versions_needed[0].hash, 0x069691b4);
	ck_assert(library->versions_needed[0].is_weak);
	ck_assert_uint_eq(library->versions_defined[0].hash, 7);
}
END_TEST

START_TEST(each_file_is_read_once)
{
	const struct library *first = read_file(file_len), *again = NULL;
	struct err err = { 0 };
	uint32_t inode = image_find(&files, TREE_ROOT, view_of("x.so"));

	ck_assert(library_table_get(&table, inode, &again, &err));
	ck_assert_ptr_eq(first, again);
	ck_assert_uint_eq(table.count, 1);
}
END_TEST

enum { TRUNCATIONS = 100 };

START_TEST(every_truncation_is_a_fault)
{
	const struct library *library = read_file(file_len * (size_t)_i / TRUNCATIONS);

	ck_assert_ptr_nonnull(library->fault);
}
END_TEST

START_TEST(text_is_no_library)
{
	file_len = (size_t)snprintf(file, sizeof(file), "INPUT(libx.so.1)\n");
	assert_fault("not an ELF file");
}
END_TEST

START_TEST(program_headers_out_of_the_file_are_a_fault)
{
	((Elf64_Ehdr *)(void *)file)->e_phoff = UINT64_MAX - 8;
	assert_fault("an ELF file whose program headers are cut off");
}
END_TEST

START_TEST(too_many_program_headers_are_a_fault)
{
	((Elf64_Ehdr *)(void *)file)->e_phnum = 257;
	assert_fault("an ELF file with absurdly many segments");
}
END_TEST

START_TEST(name_out_of_the_file_is_a_fault)
{
	*dynamic_value(DT_NEEDED) = UINT64_MAX - 1;
	assert_fault("an ELF file with a broken name");
}
END_TEST

START_TEST(version_row_out_of_the_file_is_a_fault)
{
	((Elf64_Verneed *)(void *)(file + parts.verneed))->vn_next = UINT32_MAX;
	assert_fault("an ELF file with a broken version table");
}
END_TEST

START_TEST(needed_version_out_of_the_file_is_a_fault)
{
	((Elf64_Verneed *)(void *)(file + parts.verneed))->vn_aux = UINT32_MAX;
	assert_fault("an ELF file with a broken version table");
}
END_TEST

START_TEST(defined_version_out_of_the_file_is_a_fault)
{
	((Elf64_Verdef *)(void *)(file + parts.verdef))->vd_aux = UINT32_MAX;
	assert_fault("an ELF file with a broken version table");
}
END_TEST

START_TEST(absurdly_many_versions_are_a_fault)
{
	enum { ROWS = LIBRARY_VERSIONS_MAX + 1, BYTES = MADE_LIBRARY_BYTES + (ROWS + 1) * 20 };
	static char wide[BYTES];
	size_t at = MADE_LIBRARY_BYTES;

	*dynamic_value(DT_VERDEF) = at; /* an address that is in no segment counts as an offset */
	memcpy(wide, file, file_len);
	for (uint32_t i = 0; i < ROWS; i++) {
		Elf64_Verdef row = { .vd_aux = (ROWS - i) * 20, .vd_next = i + 1 < ROWS ? 20 : 0 };

		memcpy(wide + at + (size_t)i * 20, &row, sizeof(row));
	}
	const struct library *library = read_bytes(wide, sizeof(wide));

	ck_assert_ptr_nonnull(library->fault);
	ck_assert_str_eq(library->fault, "an ELF file with absurdly many versions");
}
END_TEST

START_TEST(interpreter_without_an_end_is_a_fault)
{
	Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file + parts.segments);

	ck_assert_uint_eq(segments[1].p_type, PT_INTERP);
	segments[1].p_offset = file_len - 1;
	file[file_len - 1] = 'x';
	assert_fault("an ELF file whose interpreter's name has no end");
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, library_of_64_bits_tells_all);
	tcase_add_test(tests, library_of_32_bits_tells_all);
	tcase_add_test(tests, hashes_and_weakness_are_the_files);
	tcase_add_test(tests, each_file_is_read_once);
	tcase_add_loop_test(tests, every_truncation_is_a_fault, 0, TRUNCATIONS);
	tcase_add_test(tests, text_is_no_library);
	tcase_add_test(tests, program_headers_out_of_the_file_are_a_fault);
	tcase_add_test(tests, too_many_program_headers_are_a_fault);
	tcase_add_test(tests, name_out_of_the_file_is_a_fault);
	tcase_add_test(tests, version_row_out_of_the_file_is_a_fault);
	tcase_add_test(tests, needed_version_out_of_the_file_is_a_fault);
	tcase_add_test(tests, defined_version_out_of_the_file_is_a_fault);
	tcase_add_test(tests, absurdly_many_versions_are_a_fault);
	tcase_add_test(tests, interpreter_without_an_end_is_a_fault);
}

int main(void)
{
	Suite *suite = suite_create("library");
	TCase *tests = tcase_create("library");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	add_tests(tests);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
