#include "builder/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const char *const *words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return count;
}

#define WORDS(...) ((const char *[]){ __VA_ARGS__, NULL })

/* What warm's own command line gives. */
static struct options parse_warm(const char *const *words)
{
	struct options options;
	struct err err = { 0 };

	ck_assert_msg(options_parse(&options, (int)count_of(words), words, &err), "%s", err.msg);
	return options;
}

static bool parse_line(struct options *out, const struct options *defaults, struct err *err,
		       const char *const *words)
{
	*err = (struct err){ 0 };
	return options_parse_line(out, defaults, words, count_of(words), err);
}

START_TEST(line_adds_to_and_replaces_what_the_command_line_gave)
{
	struct options warm = parse_warm(WORDS("vmbake", "warm", "-f", "list", "--jobs", "3",
					       "--size=2G", "--driver", "none", "--json"));
	struct options line;
	struct err err;

	ck_assert(parse_line(&line, &warm, &err, WORDS("--platform", "linux/arm64", "a/b:1",
						       "--driver=535.309.01")));
	ck_assert_uint_eq(line.operands.count, 1);
	ck_assert_str_eq(line.operands.items[0], "a/b:1");
	ck_assert_str_eq(line.platform, "linux/arm64");
	ck_assert_str_eq(line.driver.driver, "535.309.01");
	ck_assert_uint_eq(line.size_bytes, (uint64_t)2 << 30);
	ck_assert_uint_eq(line.jobs, 3);
	ck_assert(line.json);
	ck_assert_str_eq(warm.driver.driver, "none");
}
END_TEST

START_TEST(images_of_the_command_line_are_none_of_the_lines)
{
	struct options warm = parse_warm(WORDS("vmbake", "warm", "a", "b", "-f", "list", "-flist"));
	struct options line;
	struct err err;

	ck_assert_uint_eq(warm.operands.count, 2);
	ck_assert_uint_eq(warm.lists.count, 2);
	ck_assert(parse_line(&line, &warm, &err, WORDS("--", "-c")));
	ck_assert_uint_eq(line.operands.count, 1);
	ck_assert_str_eq(line.operands.items[0], "-c");
}
END_TEST

static const struct {
	const char *words[5];
	const char *names; /* what the sentence must name */
} refused[] = {
	{ { "--verity" }, "no image" },
	{ { "a", "b" }, "too many: b" },
	{ { "warm", "a" }, "too many: a" },
	{ { "a", "--sise=1G" }, "unknown option --sise=1G (see vmbake warm --help)" },
	{ { "a", "--size" }, "N[KMGT]" },
	{ { "a", "--size=ten" }, "ten" },
	{ { "a", "--verity=yes" }, "--verity" },
	{ { "a", "-o", "b" }, "unknown option -o" },
	{ { "a", "--force" }, "unknown option --force" },
	{ { "a", "--store", "b" }, "--store is for all images" },
	{ { "a", "--jobs=1" }, "--jobs is for all images" },
	{ { "a", "-j1" }, "--jobs is for all images" },
	{ { "a", "--json" }, "--json is for all images" },
	{ { "a", "--progress=none" }, "--progress is for all images" },
	{ { "a", "--lock-timeout=1" }, "--lock-timeout is for all images" },
	{ { "a", "-f", "b" }, "--file is for all images" },
	{ { "a", "--quiet" }, "--quiet is for all images" },
	{ { "a", "--help" }, "--help is for all images" },
	{ { "a", "--version" }, "unknown option --version" },
};

enum { REFUSED_COUNT = sizeof(refused) / sizeof(refused[0]) };

START_TEST(wrong_words_of_a_line_are_named)
{
	struct options warm = parse_warm(WORDS("vmbake", "warm", "-f", "list")), line;
	struct err err;

	ck_assert(!parse_line(&line, &warm, &err, refused[_i].words));
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_msg(strstr(err.msg, refused[_i].names) != NULL, "\"%s\" does not name %s",
		      err.msg, refused[_i].names);
}
END_TEST

/* What build takes for its one image, warm takes for all and a line for its own. */
START_TEST(each_option_of_an_image_stands_on_a_line_too)
{
	static const char *const words[] = {
		"a", "--platform=b", "--size=1", "--free=1", "--journal=none", "--inodes=1",
		"--label=b", "--read-only-fs", "--verity", "--driver=b", "--kernel=b",
		"--kernel-release=b", "--kernel-config=b", "--gpu-id=b", "--gpu=b", "--gpu-class=b",
		"--capabilities=b", "--keep-leftovers", "--allow-musl", "--plain-http",
		"--keep-blobs", "--retry=1", "--blob-connections=1", "--creds=b", "--authfile=b",
		"--hosts-dir=b", "--policy=b", "--max-entries=1", "--max-bytes=1", "--max-ratio=1",
		"--max-path=1", "--max-header=1", "--max-xattrs=1", "--layers-only", NULL
	};
	struct options warm = parse_warm(WORDS("vmbake", "warm", "-f", "list")), line;
	struct err err;

	ck_assert_msg(parse_line(&line, &warm, &err, words), "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options_line");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(all, line_adds_to_and_replaces_what_the_command_line_gave);
	tcase_add_test(all, images_of_the_command_line_are_none_of_the_lines);
	tcase_add_loop_test(all, wrong_words_of_a_line_are_named, 0, REFUSED_COUNT);
	tcase_add_test(all, each_option_of_an_image_stands_on_a_line_too);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
