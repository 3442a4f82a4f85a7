#include "drivers/elf/elf.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>

#include "drivers/kernel/modinfo.h"
#include "made_module.h"

static char module[MADE_MODULE_BYTES];
static size_t module_len;

static void make_module(void)
{
	module_len = made_module(module, MADE_INFO("name=x\0alias=a\0alias=b\0depends="));
}

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)(void *)module;
}

static Elf64_Shdr *section(size_t index)
{
	return (Elf64_Shdr *)(void *)(module + header()->e_shoff) + index;
}

static enum err_kind kind_of_opening(size_t len)
{
	struct err err = { 0 };
	struct elf elf;

	return elf_open(&elf, (struct view){ module, len }, &err) ? ERR_NONE : err.kind;
}

START_TEST(section_is_found_by_name_with_its_content)
{
	struct err err = { 0 };
	struct elf elf;
	struct elf_section found;

	ck_assert(elf_open(&elf, (struct view){ module, module_len }, &err));
	ck_assert_uint_eq(elf.section_count, 3);
	ck_assert(elf_find(&elf, ".modinfo", &found));
	ck_assert(view_starts(found.content, "name=x"));
	ck_assert(!elf_find(&elf, ".text", &found));
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	for (size_t len = 0; len < module_len; len++)
		ck_assert_int_eq(kind_of_opening(len), ERR_FORMAT);
	ck_assert_int_eq(kind_of_opening(module_len), ERR_NONE);
}
END_TEST

START_TEST(section_that_wraps_around_is_refused)
{
	section(1)->sh_offset = 16;
	section(1)->sh_size = UINT64_MAX - 8;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_FORMAT);
}
END_TEST

START_TEST(table_that_wraps_around_is_refused)
{
	header()->e_shoff = UINT64_MAX - 63;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_FORMAT);
}
END_TEST

START_TEST(extended_section_count_is_bounded_too)
{
	header()->e_shnum = 0;
	section(0)->sh_size = UINT64_MAX / 32;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_FORMAT);
	section(0)->sh_size = 3;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_NONE);
}
END_TEST

START_TEST(name_without_an_end_is_refused)
{
	section(2)->sh_size = 10 + strlen(".shstr");
	ck_assert_int_eq(kind_of_opening(module_len), ERR_FORMAT);
}
END_TEST

START_TEST(names_index_outside_the_table_is_refused)
{
	header()->e_shstrndx = 3;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_FORMAT);
}
END_TEST

START_TEST(foreign_classes_are_unsupported)
{
	header()->e_ident[EI_CLASS] = ELFCLASS32;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_UNSUPPORTED);
	header()->e_ident[EI_CLASS] = ELFCLASS64;
	header()->e_ident[EI_DATA] = ELFDATA2MSB;
	ck_assert_int_eq(kind_of_opening(module_len), ERR_UNSUPPORTED);
}
END_TEST

START_TEST(modinfo_gives_first_and_all_values)
{
	struct err err = { 0 };
	struct modinfo info;
	struct view rest, value;

	ck_assert(modinfo_read(&info, (struct view){ module, module_len }, &err));
	ck_assert(view_equal(modinfo_get(&info, "name"), "x"));
	ck_assert(view_equal(modinfo_get(&info, "depends"), ""));
	ck_assert_ptr_null(modinfo_get(&info, "vermagic").ptr);
	rest = info.text;
	ck_assert(modinfo_next(&rest, "alias", &value) && view_equal(value, "a"));
	ck_assert(modinfo_next(&rest, "alias", &value) && view_equal(value, "b"));
	ck_assert(!modinfo_next(&rest, "alias", &value));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf");
	TCase *tests = tcase_create("elf");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, make_module, NULL);
	tcase_add_test(tests, section_is_found_by_name_with_its_content);
	tcase_add_test(tests, every_truncation_is_refused);
	tcase_add_test(tests, section_that_wraps_around_is_refused);
	tcase_add_test(tests, table_that_wraps_around_is_refused);
	tcase_add_test(tests, extended_section_count_is_bounded_too);
	tcase_add_test(tests, name_without_an_end_is_refused);
	tcase_add_test(tests, names_index_outside_the_table_is_refused);
	tcase_add_test(tests, foreign_classes_are_unsupported);
	tcase_add_test(tests, modinfo_gives_first_and_all_values);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
