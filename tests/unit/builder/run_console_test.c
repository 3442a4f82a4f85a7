#include "builder/run/console.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct console console;

static void start(void)
{
	console = (struct console){ 0 };
}

static void hear(const char *text)
{
	console_take(&console, view_of(text));
}

START_TEST(ending_is_heard_in_any_pieces)
{
	const char *text = "hello\r\n\r\nvmbake: exited code=7\r\n[ 5.2] reboot: Power down\r\n";

	for (; *text; text++)
		console_take(&console, (struct view){ text, 1 });
	ck_assert(console.has_ending);
	ck_assert_int_eq(console.ending.code, 7);
	ck_assert(!console.stands_still);
}
END_TEST

START_TEST(last_ending_counts)
{
	hear("vmbake: exited code=0\nvmbake: exited signal=9\nvmbake: exited code=x\n");
	ck_assert(console.has_ending && console.ending.was_signaled);
	ck_assert_int_eq(console.ending.code, 9);
}
END_TEST

START_TEST(ending_within_a_line_is_none)
{
	hear("say vmbake: exited code=0\nvmbake: exited code=0 and more\nvmbake: exited code=0");
	ck_assert(!console.has_ending);
}
END_TEST

START_TEST(failure_is_kept_and_cut_to_its_room)
{
	char longer[800];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	hear("vmbake: failed: no root\n");
	ck_assert_str_eq(console.failure, "no root");
	hear("vmbake: failed: ");
	hear(longer);
	hear("\n");
	ck_assert_uint_eq(strlen(console.failure), sizeof(console.failure) - 1);
}
END_TEST

START_TEST(line_longer_than_its_room_does_no_harm)
{
	for (int i = 0; i < 3000; i++)
		hear("vmbake: exited code=0");
	hear("\nvmbake: exited code=3\n");
	ck_assert_int_eq(console.ending.code, 3);
}
END_TEST

START_TEST(panic_stands_still_until_something_follows)
{
	hear("[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\n");
	ck_assert_str_eq(console.panic, "VFS: Unable to mount root fs");
	ck_assert(!console.stands_still);
	hear("[ 1.1] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\n\n");
	ck_assert(console.stands_still);
	hear("and yet it moves\n");
	ck_assert(!console.stands_still);
	ck_assert_str_eq(console.panic, "VFS: Unable to mount root fs");
}
END_TEST

/* Pieces, and what is left of them together. */
static const struct {
	const char *pieces[4];
	const char *plain;
} cases[] = {
	{ { "a\r\nb\r\n" }, "a\nb\n" },
	{ { "a\r", "\nb" }, "a\nb" },
	{ { "a\r", "b" }, "a\rb" },
	{ { "a\r\r\n" }, "a\n" },
	{ { "a\r", "\r", "\n" }, "a\n" },
	{ { "\r", "\r", "x" }, "\rx" },
	{ { "10%\r20%\r\n" }, "10%\r20%\n" },
	{ { "\n\n" }, "\n\n" },
};

START_TEST(line_ends_become_those_of_files)
{
	char all[64] = "", piece[32];
	size_t all_len = 0;

	for (size_t i = 0; i < 4 && cases[_i].pieces[i]; i++) {
		size_t len = strlen(cases[_i].pieces[i]);

		memcpy(piece, cases[_i].pieces[i], len);
		len = console_plain(&console, piece, len);
		memcpy(all + all_len, piece, len);
		all_len += len;
	}
	ck_assert_str_eq(all, cases[_i].plain);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_console");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, NULL);
	tcase_add_test(all, ending_is_heard_in_any_pieces);
	tcase_add_test(all, last_ending_counts);
	tcase_add_test(all, ending_within_a_line_is_none);
	tcase_add_test(all, failure_is_kept_and_cut_to_its_room);
	tcase_add_test(all, line_longer_than_its_room_does_no_harm);
	tcase_add_test(all, panic_stands_still_until_something_follows);
	tcase_add_loop_test(all, line_ends_become_those_of_files, 0,
			    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
