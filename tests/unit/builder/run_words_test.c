#include "builder/run/words.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"

static struct words words;
static struct bytes text;
static struct err err;

static void start(void)
{
	words = WORDS_NONE;
	text = bytes_capped(64 << 10);
}

static void end(void)
{
	words_freep(&words);
	bytes_freep(&text);
}

static const struct {
	const char *word, *quoted;
} cases[] = {
	{ "plain-word_1.2/a:b,c=d+e@f%", "plain-word_1.2/a:b,c=d+e@f%" },
	{ "", "''" },
	{ "two words", "'two words'" },
	{ "it's", "'it'\\''s'" },
	{ "'", "''\\'''" },
	{ "a\nb\tc", "'a\nb\tc'" },
	{ "$HOME `id` \\ ! * ~ \"q\"", "'$HOME `id` \\ ! * ~ \"q\"'" },
	{ "\xff\xfe", "'\xff\xfe'" },
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

START_TEST(word_is_quoted_only_where_a_shell_needs_it)
{
	ck_assert(words_add(&words, &err, "%s", cases[_i].word));
	ck_assert(words_quote(&text, &words, &err));
	ck_assert_str_eq(text.data, cases[_i].quoted);
}
END_TEST

/* A shell is the judge: it gets the line, and says its words with a NUL behind each. */
START_TEST(shell_reads_the_same_words)
{
	CLEANUP(bytes_freep) struct bytes script = bytes_capped(64 << 10);
	char heard[1024];

	for (size_t i = 0; i < CASE_COUNT; i++)
		ck_assert(words_add(&words, &err, "%s", cases[i].word));
	ck_assert(words_quote(&text, &words, &err));
	ck_assert(bytes_print(&script, &err, "printf '%%s\\0' %s", text.data));
	FILE *shell = popen(script.data, "r");

	ck_assert_ptr_nonnull(shell);
	ck_assert_uint_eq(fread(heard, 1, sizeof(heard), shell), words.text.len);
	ck_assert_int_eq(pclose(shell), 0);
	ck_assert_mem_eq(heard, words.text.data, words.text.len);
}
END_TEST

START_TEST(argv_and_json_have_every_word)
{
	CLEANUP(json_freep) struct json_t *json = NULL;

	ck_assert(words_add_all(&words, (const char *const[]){ "a", "", "c d", NULL }, &err));
	CLEANUP(freep) char **argv = words_argv(&words);

	ck_assert_str_eq(argv[0], "a");
	ck_assert_str_eq(argv[1], "");
	ck_assert_str_eq(argv[2], "c d");
	ck_assert_ptr_null(argv[3]);
	json = words_json(&words);
	ck_assert_uint_eq(json_count(json), 3);
	ck_assert_str_eq(json_text(json_item(json, 2)), "c d");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_words");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, end);
	tcase_add_loop_test(all, word_is_quoted_only_where_a_shell_needs_it, 0, CASE_COUNT);
	tcase_add_test(all, shell_reads_the_same_words);
	tcase_add_test(all, argv_and_json_have_every_word);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
