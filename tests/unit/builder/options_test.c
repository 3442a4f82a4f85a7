#include "builder/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The words, NULL at the end, as a command line. */
static bool parse(struct options *out, struct err *err, const char *const *words)
{
	int argc = 0;

	while (words[argc])
		argc++;
	*err = (struct err){ 0 };
	return options_parse(out, argc, words, err);
}

#define WORDS(...) ((const char *[]){ "vmbake", __VA_ARGS__, NULL })

START_TEST(build_takes_options_before_and_after_the_image)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err, WORDS("build", "-o", "a.ext4", "debian:12", "--json",
					      "--jobs=3", "--size", "10G", "--free=50%")));
	ck_assert_int_eq(options.command, COMMAND_BUILD);
	ck_assert_str_eq(options.output, "a.ext4");
	ck_assert_str_eq(options.operands.items[0], "debian:12");
	ck_assert(options.json);
	ck_assert_uint_eq(options.jobs, 3);
	ck_assert_uint_eq(options.size_bytes, (uint64_t)10 << 30);
	ck_assert(options.free.is_given && options.free.is_percent);
	ck_assert_uint_eq(options.free.amount, 50);
}
END_TEST

START_TEST(double_dash_ends_the_options)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err, WORDS("inspect", "--", "-odd.ext4")));
	ck_assert_str_eq(options.operands.items[0], "-odd.ext4");
}
END_TEST

START_TEST(run_takes_what_stands_behind_a_double_dash_for_the_entrypoint)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err,
			WORDS("run", "-e", "A=b c", "-eB", "--gpu", "01:00.0", "--set=grow",
			      "i.ext4", "--kernel=k", "-t", "--", "-l", "--json")));
	ck_assert_int_eq(options.command, COMMAND_RUN);
	ck_assert_uint_eq(options.operands.count, 3);
	ck_assert_str_eq(options.operands.items[2], "--json");
	ck_assert(!options.json && options.machine.has_terminal);
	ck_assert_str_eq(options.machine.env.items[0], "A=b c");
	ck_assert_str_eq(options.machine.env.items[1], "B");
	ck_assert_str_eq(options.machine.gpus.items[0], "01:00.0");
	ck_assert_str_eq(options.machine.sets.items[0], "grow");
	ck_assert_str_eq(options.driver.kernel, "k");
}
END_TEST

START_TEST(short_option_may_hold_its_value)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err, WORDS("build", "-oa.ext4", "x")));
	ck_assert_str_eq(options.output, "a.ext4");
}
END_TEST

static const struct {
	const char *words[5];
	const char *names; /* what the sentence must name */
} refused[] = {
	{ { NULL }, "no command" },
	{ { "bake" }, "bake" },
	{ { "build" }, "IMAGE" },
	{ { "build", "a", "b" }, "b" },
	{ { "build", "--sise=1G", "a" }, "--sise" },
	{ { "build", "-x", "a" }, "-x" },
	{ { "build", "--o", "a" }, "--o" },
	{ { "build", "a", "--size" }, "N[KMGT]" },
	{ { "build", "a", "--size=ten" }, "ten" },
	{ { "build", "a", "--size=99999999T" }, "99999999T" },
	{ { "build", "a", "--size=-1" }, "-1" },
	{ { "build", "a", "--free=10%%" }, "10%%" },
	{ { "build", "a", "--jobs=0" }, "0" },
	{ { "build", "a", "--journal=0" }, "none" },
	{ { "build", "a", "--journal=some" }, "some" },
	{ { "build", "a", "--inodes=0" }, "--inodes" },
	{ { "build", "a", "--json=yes" }, "--json" },
	{ { "build", "a", "--progress=loud" }, "loud" },
	{ { "build", "a", "--output=" }, "--output" },
	{ { "inspect", "a", "--jobs=2" }, "--jobs" },
	{ { "cache" }, "cache needs list, gc or check behind it" },
	{ { "cache", "purge" }, "not purge" },
	{ { "driver", "list", "a" }, "one word too many" },
	{ { "cache", "list", "a" }, "one word too many" },
	{ { "cache", "list", "--dry-run" }, "--dry-run" },
	{ { "cache", "gc", "--older-than=30" }, "30" },
	{ { "cache", "gc", "--older-than=d" }, "d" },
	{ { "cache", "gc", "--older-than=1d-" }, "1d-" },
	{ { "cache", "gc", "--older-than=-1d" }, "-1d" },
	{ { "cache", "gc", "--older-than=4294967296d" }, "4294967296d" },
	{ { "cache", "gc", "--older-than=4294967295w" }, "4294967295w" },
	{ { "cache", "gc", "--older-than=" }, "--older-than" },
	{ { "cache", "gc", "--max-bytes=10P" }, "10P" },
	{ { "cache", "gc", "--keep-free=x%" }, "x%" },
	{ { "cache", "check", "--jobs=0" }, "0" },
};

enum { REFUSED_COUNT = sizeof(refused) / sizeof(refused[0]) };

START_TEST(wrong_words_are_named)
{
	const char *words[7] = { "vmbake" };
	struct options options;
	struct err err;

	for (size_t i = 0; i < 5 && refused[_i].words[i]; i++)
		words[i + 1] = refused[_i].words[i];
	ck_assert(!parse(&options, &err, words));
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_msg(strstr(err.msg, refused[_i].names) != NULL, "\"%s\" does not name %s",
		      err.msg, refused[_i].names);
}
END_TEST

static const struct {
	const char *text;
	uint64_t seconds;
} ages[] = {
	{ "0s", 0 },	    { "90s", 90 },	{ "5m", 300 },
	{ "12h", 43200 },   { "30d", 2592000 }, { "2w", 1209600 },
	{ "1d12h", 129600 },
};
enum { AGE_COUNT = sizeof(ages) / sizeof(ages[0]) };

START_TEST(age_is_a_sum_of_units)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err, WORDS("cache", "gc", "--older-than", ages[_i].text)));
	ck_assert_int_eq(options.command, COMMAND_CACHE_GC);
	ck_assert_uint_eq(options.cache.older_than_seconds, ages[_i].seconds);
	ck_assert_uint_eq(options.cache.max_bytes, UINT64_MAX);
}
END_TEST

/* build's --max-bytes has the same name and another meaning. */
START_TEST(max_bytes_is_the_commands_own)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err, WORDS("cache", "gc", "--max-bytes=0")));
	ck_assert_uint_eq(options.cache.max_bytes, 0);
	ck_assert(parse(&options, &err, WORDS("build", "a", "--max-bytes=1G")));
	ck_assert_uint_eq(options.cache.max_bytes, UINT64_MAX);
	ck_assert_uint_eq(options.max_bytes, (uint64_t)1 << 30);
}
END_TEST

START_TEST(help_needs_no_second_word)
{
	const char *words[] = { "vmbake", "cache", _i ? "-h" : "--help" };
	struct options options = { 0 };
	struct err err = { 0 };

	ck_assert_msg(options_parse(&options, 3, words, &err), "%s", err.msg);
	ck_assert(options.wants_help);
	ck_assert_int_eq(options.command, COMMAND_NONE);
}
END_TEST

START_TEST(help_needs_no_operand)
{
	struct options options;
	struct err err;

	ck_assert(parse(&options, &err, WORDS("build", "--help")));
	ck_assert(options.wants_help);
	ck_assert(parse(&options, &err, WORDS("--version")));
	ck_assert(options.wants_version);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(all, build_takes_options_before_and_after_the_image);
	tcase_add_test(all, double_dash_ends_the_options);
	tcase_add_test(all, run_takes_what_stands_behind_a_double_dash_for_the_entrypoint);
	tcase_add_test(all, short_option_may_hold_its_value);
	tcase_add_loop_test(all, wrong_words_are_named, 0, REFUSED_COUNT);
	tcase_add_loop_test(all, age_is_a_sum_of_units, 0, AGE_COUNT);
	tcase_add_test(all, max_bytes_is_the_commands_own);
	tcase_add_test(all, help_needs_no_operand);
	tcase_add_loop_test(all, help_needs_no_second_word, 0, 2);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
