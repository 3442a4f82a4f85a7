#include "drivers/kernel/module_match.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/le.h"

enum {
	INFO_AT = 0x100,
	VERSIONS_AT = 0x200,
	SYMBOLS_AT = 0x300,
	STRINGS_AT = 0x380,
	NAMES_AT = 0x400,
	TABLE_AT = 0x480,
	SECTION_COUNT = 6,
	MODULE_BYTES = TABLE_AT + SECTION_COUNT * 64 + 28,
	GOOD_CRC = 0x11223344,
};

static const char section_names[] = "\0.modinfo\0__versions\0.symtab\0.strtab\0.shstrtab";
static const char strings[] = "\0printk\0gpl_thing\0maybe";

/* A module as the tests vary it. */
struct made {
	const char *vermagic, *licence;
	uint32_t printk_crc; /* 0: without __versions */
	bool is_signed;
};

static Elf64_Shdr section_of(uint32_t name, uint32_t type, uint64_t at, uint64_t size)
{
	return (Elf64_Shdr){ .sh_name = name, .sh_type = type, .sh_offset = at, .sh_size = size };
}

/* Needs printk and gpl_thing, and maybe if it is there. */
static struct view make_module(char out[MODULE_BYTES], const struct made *made)
{
	static const char mark[] = "~Module signature appended~\n";
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_shoff = TABLE_AT,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTION_COUNT,
		.e_shstrndx = 5,
	};
	Elf64_Sym symbols[4] = {
		[1] = { .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE) },
		[2] = { .st_name = 8, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE) },
		[3] = { .st_name = 18, .st_info = ELF64_ST_INFO(STB_WEAK, STT_NOTYPE) },
	};
	char info[256];
	int info_len = snprintf(info, sizeof(info), "name=made%clicense=%s%cvermagic=%s", 0,
				made->licence, 0, made->vermagic);
	Elf64_Shdr sections[SECTION_COUNT] = {
		[1] = section_of(1, SHT_PROGBITS, INFO_AT, (uint64_t)info_len + 1),
		[2] = section_of(10, SHT_PROGBITS, VERSIONS_AT, made->printk_crc ? 64 : 0),
		[3] = section_of(21, SHT_SYMTAB, SYMBOLS_AT, sizeof(symbols)),
		[4] = section_of(29, SHT_STRTAB, STRINGS_AT, sizeof(strings)),
		[5] = section_of(37, SHT_STRTAB, NAMES_AT, sizeof(section_names)),
	};

	sections[3].sh_link = 4;
	memset(out, 0, MODULE_BYTES);
	memcpy(out, &header, sizeof(header));
	memcpy(out + INFO_AT, info, (size_t)info_len + 1);
	le64_put(out + VERSIONS_AT, made->printk_crc);
	memcpy(out + VERSIONS_AT + 8, "printk", sizeof("printk"));
	memcpy(out + SYMBOLS_AT, symbols, sizeof(symbols));
	memcpy(out + STRINGS_AT, strings, sizeof(strings));
	memcpy(out + NAMES_AT, section_names, sizeof(section_names));
	memcpy(out + TABLE_AT, sections, sizeof(sections));
	if (!made->is_signed)
		return (struct view){ out, MODULE_BYTES - 28 };
	memcpy(out + MODULE_BYTES - 28, mark, 28);
	return (struct view){ out, MODULE_BYTES };
}

/* Kernel 6.1.0-made: printk for all, gpl_thing for GPL modules. */
static struct export exports[] = {
	{ .name = { "gpl_thing", 9 }, .crc = 7, .has_crc = true, .is_gpl = true },
	{ .name = { "printk", 6 }, .crc = GOOD_CRC, .has_crc = true },
};

static char config_forced[] = "CONFIG_MODULES=y\nCONFIG_MODULE_SIG_FORCE=y\n";
static char config_plain[] = "CONFIG_MODULES=y\n";
static char config_without[] = "CONFIG_NET=y\n";

static struct kernel make_kernel(char *config)
{
	struct kernel kernel = KERNEL_NONE;

	snprintf(kernel.release, sizeof(kernel.release), "6.1.0-made");
	kernel.vermagic = view_of("6.1.0-made SMP mod_unload modversions ");
	kernel.machine = EM_X86_64;
	kernel.exports.items = exports;
	kernel.exports.count = 2;
	kernel.config.data = config;
	kernel.config.len = strlen(config);
	return kernel;
}

static const struct {
	struct made made;
	const char *found; /* "severity rule" of each finding, separated by "; " */
} cases[] = {
	{ { "6.1.0-made SMP mod_unload modversions ", "GPL", GOOD_CRC, true }, "" },
	{ { "6.1.0-other SMP mod_unload modversions ", "GPL", GOOD_CRC, true },
	  "warning kernel-release" },
	{ { "6.1.0-other SMP mod_unload modversions ", "GPL", 1, true },
	  "error modversions-crc; error kernel-release" },
	{ { "6.1.0-made SMP preempt mod_unload modversions ", "GPL", GOOD_CRC, true },
	  "error vermagic" },
	{ { "6.1.0-made SMP mod_unload modversions", "GPL", GOOD_CRC, true }, "error vermagic" },
	{ { "6.1.0-made SMP mod_unload modversions ", "GPL", 1, true }, "error modversions-crc" },
	{ { "6.1.0-made SMP mod_unload ", "GPL", 0, true },
	  "error modversions-crc; error vermagic" },
	{ { "6.1.0-made SMP mod_unload modversions ", "NVIDIA", GOOD_CRC, true },
	  "error undefined-symbol" },
	{ { "6.1.0-made SMP mod_unload modversions ", "Dual MIT/GPL", GOOD_CRC, false },
	  "error module-signature" },
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static void print_findings(struct bytes *out, const struct finding_list *list)
{
	struct err err = { 0 };

	ck_assert(bytes_append(out, "", 0, &err));
	for (size_t i = 0; i < list->count; i++)
		ck_assert(bytes_print(out, &err, "%s%s %s", i > 0 ? "; " : "",
				      severity_name(list->items[i].severity),
				      rule_id(list->items[i].rule)));
}

START_TEST(each_module_gets_the_kernels_own_verdict)
{
	CLEANUP(finding_list_freep) struct finding_list list = { 0 };
	CLEANUP(bytes_freep) struct bytes found = bytes_capped(4096);
	struct kernel kernel = make_kernel(config_forced);
	struct export_table loaded = { 0 };
	struct err err = { 0 };
	char module[MODULE_BYTES];

	ck_assert_msg(module_match(&list, &kernel, &loaded, make_module(module, &cases[_i].made),
				   &err), "%s", err.msg);
	print_findings(&found, &list);
	ck_assert_str_eq(found.data, cases[_i].found);
	ck_assert_uint_eq(finding_count(&list, SEVERITY_ERROR) == 0,
			  strstr(cases[_i].found, "error") == NULL);
}
END_TEST

START_TEST(symbol_of_a_module_loaded_before_is_found_and_else_named)
{
	static struct export by_other[] = { { .name = { "gpl_thing", 9 } } };
	CLEANUP(finding_list_freep) struct finding_list list = { 0 };
	struct export_table loaded = { 0 }, nothing = { 0 };
	struct kernel kernel = make_kernel(config_plain);
	struct err err = { 0 };
	char module[MODULE_BYTES];
	struct view made = make_module(module, &cases[0].made);

	kernel.exports.items = &exports[1];
	kernel.exports.count = 1;
	loaded.items = by_other;
	loaded.count = 1;
	ck_assert(module_match(&list, &kernel, &loaded, made, &err));
	ck_assert_uint_eq(list.count, 0);
	ck_assert(module_match(&list, &kernel, &nothing, made, &err));
	ck_assert_uint_eq(list.count, 1);
	ck_assert_ptr_nonnull(strstr(list.items[0].sentence, "gpl_thing"));
	ck_assert_ptr_null(strstr(list.items[0].sentence, "maybe"));
}
END_TEST

START_TEST(kernel_that_tells_nothing_leaves_it_unknown)
{
	CLEANUP(finding_list_freep) struct finding_list list = { 0 };
	CLEANUP(bytes_freep) struct bytes found = bytes_capped(4096);
	struct kernel kernel = make_kernel(config_plain);
	struct export_table loaded = { 0 };
	struct err err = { 0 };
	char module[MODULE_BYTES];

	kernel.exports.count = 0;
	kernel.config.len = 0;
	kernel.vermagic = (struct view){ 0 };
	ck_assert(module_match_kernel(&list, &kernel, &err));
	ck_assert(module_match(&list, &kernel, &loaded, make_module(module, &cases[0].made),
			       &err));
	print_findings(&found, &list);
	ck_assert_str_eq(found.data,
			 "unknown kernel-config; unknown vermagic; unknown undefined-symbol");
}
END_TEST

START_TEST(kernel_without_modules_is_refused_by_name)
{
	CLEANUP(finding_list_freep) struct finding_list list = { 0 };
	struct kernel without = make_kernel(config_without), with = make_kernel(config_plain);
	struct err err = { 0 };

	ck_assert(module_match_kernel(&list, &with, &err));
	ck_assert_uint_eq(list.count, 0);
	ck_assert(module_match_kernel(&list, &without, &err));
	ck_assert_uint_eq(finding_count(&list, SEVERITY_ERROR), 1);
	ck_assert_ptr_nonnull(strstr(list.items[0].sentence, "6.1.0-made"));
	ck_assert_ptr_nonnull(strstr(list.items[0].sentence, "CONFIG_MODULES"));
}
END_TEST

START_TEST(file_that_is_no_module_is_an_error_of_format)
{
	CLEANUP(finding_list_freep) struct finding_list list = { 0 };
	struct kernel kernel = make_kernel(config_plain);
	struct export_table loaded = { 0 };
	struct err err = { 0 };
	char module[MODULE_BYTES];
	struct view made = make_module(module, &cases[0].made);

	made.len = TABLE_AT + 32;
	ck_assert(!module_match(&list, &kernel, &loaded, made, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("module_match");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_module_gets_the_kernels_own_verdict, 0, CASE_COUNT);
	tcase_add_test(rules, symbol_of_a_module_loaded_before_is_found_and_else_named);
	tcase_add_test(rules, kernel_that_tells_nothing_leaves_it_unknown);
	tcase_add_test(rules, kernel_without_modules_is_refused_by_name);
	tcase_add_test(rules, file_that_is_no_module_is_an_error_of_format);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
