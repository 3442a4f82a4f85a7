#include "drivers/elf/elf_mark.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kit/drivers/made_elf_section.h"

static char file[MADE_SECTION_BYTES];

static struct view make(const char *section, const void *content, size_t len)
{
	return (struct view){ file,
			      made_elf_section(file, ET_DYN, section, SHT_PROGBITS,
					       (struct view){ content, len }) };
}

#define DIGITS_63 "123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *section, *content;
	size_t len;
	const char *version;
} firmwares[] = {
	{ ".fwversion", "535.309.01", 11, "535.309.01" },
	{ ".fwversion", "535.309.01", 10, "535.309.01" }, /* without its NUL */
	{ ".fwversion", "", 1, "" },
	{ ".fwversion", "", 0, "" },
	{ ".fwversion", DIGITS_63, 63, DIGITS_63 },
	{ ".fwversion", DIGITS_63 "4", 64, "" },
	{ ".fwimage", "535.309.01", 11, "" },
};

START_TEST(firmware_says_its_version_in_a_section)
{
	struct view whole = make(firmwares[_i].section, firmwares[_i].content, firmwares[_i].len);

	ck_assert(view_equal(elf_mark_firmware(whole), firmwares[_i].version));
	for (size_t len = 0; len < whole.len; len++)
		(void)elf_mark_firmware((struct view){ file, len });
}
END_TEST

/* Lengths of name and content, type, "GNU", system, version. */
static const struct {
	const char *section;
	uint32_t note[8];
	size_t len;
	bool is_of_today;
} notes[] = {
	{ ".note.ABI-tag", { 4, 16, 1, 0x554e47, 0, 2, 3, 99 }, 32, true },
	{ ".note.ABI-tag", { 4, 16, 1, 0x554e47, 0, 2, 3, 98 }, 32, false },
	{ ".note.ABI-tag", { 4, 16, 1, 0x554e47, 0, 2, 2, 5 }, 32, false },
	{ ".note.ABI-tag", { 4, 16, 1, 0x554e47, 0, 2, 3, 99 }, 28, false },
	{ ".note.ABI-tag", { 0 }, 0, false },
	{ ".note.other", { 4, 16, 1, 0x554e47, 0, 2, 3, 99 }, 32, false },
};

START_TEST(libnvidia_tls_of_todays_threads_has_a_note)
{
	struct view whole = make(notes[_i].section, notes[_i].note, notes[_i].len);

	ck_assert(elf_mark_is_todays_tls(whole) == notes[_i].is_of_today);
	for (size_t len = 0; len < whole.len; len++)
		(void)elf_mark_is_todays_tls((struct view){ file, len });
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf_mark");
	TCase *tests = tcase_create("elf_mark");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, firmware_says_its_version_in_a_section, 0,
			    sizeof(firmwares) / sizeof(firmwares[0]));
	tcase_add_loop_test(tests, libnvidia_tls_of_todays_threads_has_a_note, 0,
			    sizeof(notes) / sizeof(notes[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
