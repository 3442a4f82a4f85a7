#include "builder/warm_list.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/folder.h"

static struct warm_list list;

static void forget_list(void)
{
	warm_list_freep(&list);
}

static bool parse(struct view content, struct err *err)
{
	*err = (struct err){ 0 };
	return warm_list_parse(&list, "L", content, err);
}

/* A line's words with a | between them. */
static const char *joined(const struct warm_line *line)
{
	static char text[1024];
	size_t len = 0;

	for (size_t i = 0; i < line->word_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? "|" : "",
					line->words[i]);
	return text;
}

static const struct {
	const char *content, *words; /* of its one line, joined */
	size_t number;
} taken[] = {
	{ "a/b:1\n", "a/b:1", 1 },
	{ "a/b:1", "a/b:1", 1 },
	{ "a/b:1\r\n", "a/b:1", 1 },
	{ "\xef\xbb\xbf" "a:1\n", "a:1", 1 },
	{ "# ours\n\n \t \n\r\n  a:1 \t --driver  535.309.01\t\n", "a:1|--driver|535.309.01", 5 },
	{ "a:1 # why\n", "a:1", 1 },
	{ "a:1 #\n", "a:1", 1 },
	{ "a:1 --label=a#b\n", "a:1|--label=a#b", 1 },
	{ "a:1 --label 'of \"two\" words'\n", "a:1|--label|of \"two\" words", 1 },
	{ "a:1 --label=\"it's\" # mine\n", "a:1|--label=it's", 1 },
	{ "a:1 --label '# none' ''\n", "a:1|--label|# none|", 1 },
	{ "a:1 --label 'a'\" \"'b'\n", "a:1|--label|a b", 1 },
	{ "a:1 --kernel $HOME/*/`id`;x&\n", "a:1|--kernel|$HOME/*/`id`;x&", 1 },
	{ "a:1 --label 'a\\b'\n", "a:1|--label|a\\b", 1 },
	{ "\"oci:a folder:1\"\n", "oci:a folder:1", 1 },
};

enum { TAKEN_COUNT = sizeof(taken) / sizeof(taken[0]) };

START_TEST(line_is_split_into_words)
{
	struct err err;

	ck_assert_msg(parse(view_of(taken[_i].content), &err), "%s", err.msg);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(joined(&list.lines[0]), taken[_i].words);
	ck_assert_uint_eq(list.lines[0].number, taken[_i].number);
	ck_assert_str_eq(list.lines[0].list, "L");
}
END_TEST

static const struct {
	struct view content;
	const char *sentence; /* how it begins */
} refused[] = {
	{ { "a:1\nb:1 'c\n", 11 }, "L line 2: a ' is not closed" },
	{ { "a:1 \"b' c\n", 10 }, "L line 1: a \" is not closed" },
	{ { "a:1 'b\nc'\n", 10 }, "L line 1: a ' is not closed" },
	{ { "a:1 \\\n--json\n", 13 }, "L line 1: a backslash means nothing here" },
	{ { "a\0b\n", 4 }, "L line 1: a NUL byte" },
	{ { "\n\0", 2 }, "L line 2: a NUL byte" },
	{ { "\xff\xfe" "a\0:\0", 6 }, "L line 1: a NUL byte" },
};

enum { REFUSED_COUNT = sizeof(refused) / sizeof(refused[0]) };

START_TEST(what_is_no_line_is_refused_with_its_number)
{
	struct err err;

	ck_assert(!parse(refused[_i].content, &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_msg(strncmp(err.msg, refused[_i].sentence, strlen(refused[_i].sentence)) == 0,
		      "\"%s\" does not begin with %s", err.msg, refused[_i].sentence);
}
END_TEST

/* So many of that byte behind "a:1\na", as a second line. */
static bool parse_long(char byte, size_t count, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(SIZE_MAX);
	char *room = NULL;

	ck_assert(bytes_append(&text, "a:1\na", 5, err) && bytes_grow(&text, count, &room, err));
	memset(room, byte, count);
	return parse(bytes_view(&text), err);
}

START_TEST(line_of_a_mebibyte_is_refused)
{
	struct err err = { 0 };

	ck_assert(!parse_long('a', 1 << 20, &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_str_eq(err.msg, "L line 2: over 65536 bytes");
}
END_TEST

START_TEST(line_may_be_as_long_as_allowed)
{
	struct err err = { 0 };

	ck_assert_msg(parse_long('a', WARM_LINE_BYTES_MAX - 1, &err), "%s", err.msg);
	ck_assert_uint_eq(strlen(list.lines[1].words[0]), WARM_LINE_BYTES_MAX);
}
END_TEST

START_TEST(blanks_at_a_lines_end_do_not_count)
{
	struct err err = { 0 };

	ck_assert_msg(parse_long(' ', 1 << 20, &err), "%s", err.msg);
	ck_assert_str_eq(joined(&list.lines[1]), "a");
}
END_TEST

/* "a", and so many times " a". */
static bool parse_words(size_t count, struct err *err)
{
	char text[2 * WARM_WORDS_MAX + 4] = "a";

	ck_assert_uint_lt(2 * count + 1, sizeof(text));
	for (size_t i = 0; i < count; i++)
		memcpy(text + 1 + 2 * i, " a", 3);
	return parse(view_of(text), err);
}

START_TEST(words_are_capped)
{
	struct err err = { 0 };

	ck_assert(parse_words(WARM_WORDS_MAX - 1, &err));
	ck_assert_uint_eq(list.lines[0].word_count, WARM_WORDS_MAX);
	ck_assert(!parse_words(WARM_WORDS_MAX, &err));
	ck_assert_str_eq(err.msg, "L line 1: over 256 words");
}
END_TEST

START_TEST(images_are_capped)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(SIZE_MAX);
	struct err err = { 0 };

	for (int i = 0; i <= WARM_LINES_MAX; i++)
		ck_assert(bytes_append(&text, "a\n", 2, &err));
	ck_assert(!parse(bytes_view(&text), &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_str_eq(err.msg, "L line 100001: over 100000 images");
}
END_TEST

START_TEST(list_without_an_image_is_empty)
{
	struct err err;

	ck_assert(parse(view_of("# nothing yet\r\n\n"), &err));
	ck_assert(parse((struct view){ 0 }, &err));
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

/* An operand is an image, even where the shell let something else through. */
START_TEST(operand_is_one_word_that_is_no_option)
{
	struct err err = { 0 };

	ck_assert(warm_list_add(&list, "--label 'a", &err));
	ck_assert_str_eq(joined(&list.lines[0]), "--|--label 'a");
	ck_assert_ptr_null(list.lines[0].list);
}
END_TEST

START_TEST(lists_add_up_in_order)
{
	char path[128];
	struct err err = { 0 };

	snprintf(path, sizeof(path), "%s/list", folder);
	ck_assert(file_write_whole(dir_fd, "list", 0644, view_of("b:1\n\nc:1"), &err));
	ck_assert(warm_list_add(&list, "a:1", &err));
	ck_assert_msg(warm_list_read(&list, path, &err), "%s", err.msg);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.lines[2].words[0], "c:1");
	ck_assert_uint_eq(list.lines[2].number, 3);
	ck_assert_str_eq(list.lines[2].list, path);
}
END_TEST

START_TEST(missing_list_is_not_found)
{
	struct err err = { 0 };

	ck_assert(!warm_list_read(&list, "/nonexistent/list", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("warm_list");
	TCase *all = tcase_create("all"), *files = tcase_create("files");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, NULL, forget_list);
	tcase_add_loop_test(all, line_is_split_into_words, 0, TAKEN_COUNT);
	tcase_add_loop_test(all, what_is_no_line_is_refused_with_its_number, 0, REFUSED_COUNT);
	tcase_add_test(all, line_of_a_mebibyte_is_refused);
	tcase_add_test(all, line_may_be_as_long_as_allowed);
	tcase_add_test(all, blanks_at_a_lines_end_do_not_count);
	tcase_add_test(all, words_are_capped);
	tcase_add_test(all, images_are_capped);
	tcase_add_test(all, list_without_an_image_is_empty);
	tcase_add_test(all, operand_is_one_word_that_is_no_option);
	suite_add_tcase(suite, all);
	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_checked_fixture(files, NULL, forget_list);
	tcase_add_test(files, lists_add_up_in_order);
	tcase_add_test(files, missing_list_is_not_found);
	suite_add_tcase(suite, files);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
