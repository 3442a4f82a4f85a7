#include "builder/recipe.h"

#include <check.h>
#include <stdlib.h>

static struct image image_created_at(int64_t seconds)
{
	struct image image = { .platform = { "linux", "amd64", "" } };

	image.config.created_seconds = seconds;
	image.config.labels_json = bytes_capped(100);
	return image;
}

static struct digest key_of(const struct image *image, const struct options *options)
{
	struct digest init = { .sha256 = { 1 } }, key;
	struct recipe recipe;
	struct err err = { 0 };

	ck_assert_msg(recipe_make(&recipe, image, options, &init, &err), "%s", err.msg);
	ck_assert(recipe_key(&recipe, &key, &err));
	return key;
}

static const struct {
	const char *epoch; /* SOURCE_DATE_EPOCH, NULL: not set */
	int64_t created, time;
} times[] = {
	{ NULL, 1700000000, 1700000000 },
	{ NULL, 0, 1 }, /* 1970, or not given: never 0 */
	{ NULL, -5, 1 },
	{ NULL, 5000000000, 4294967295 },
	{ "1600000000", 1700000000, 1600000000 },
	{ "0", 1700000000, 1 },
	{ "", 1700000000, 1700000000 },
};

enum { TIME_COUNT = sizeof(times) / sizeof(times[0]) };

START_TEST(image_time_is_epoch_else_created_within_ext4s_range)
{
	struct image image = image_created_at(times[_i].created);
	struct options options = { 0 };
	struct digest init = { 0 };
	struct recipe recipe;
	struct err err = { 0 };

	unsetenv("SOURCE_DATE_EPOCH");
	if (times[_i].epoch)
		setenv("SOURCE_DATE_EPOCH", times[_i].epoch, 1);
	ck_assert(recipe_make(&recipe, &image, &options, &init, &err));
	ck_assert_int_eq(recipe.time_seconds, times[_i].time);
}
END_TEST

START_TEST(epoch_that_is_no_number_is_refused)
{
	struct image image = image_created_at(1);
	struct options options = { 0 };
	struct digest init = { 0 };
	struct recipe recipe;
	struct err err = { 0 };

	setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
	ck_assert(!recipe_make(&recipe, &image, &options, &init, &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

static const struct options at_odds[] = {
	{ .label = "seventeen letters" },
	{ .read_only_fs = true, .free = { .is_given = true } },
	{ .read_only_fs = true, .journal = { .bytes = 8 << 20 } },
};

START_TEST(each_set_of_options_at_odds_is_refused)
{
	struct image image = image_created_at(1);
	struct digest init = { 0 };
	struct recipe recipe;
	struct err err = { 0 };

	unsetenv("SOURCE_DATE_EPOCH");
	ck_assert(!recipe_make(&recipe, &image, &at_odds[_i], &init, &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

START_TEST(key_differs_with_whatever_decides_the_bytes_and_with_nothing_else)
{
	struct image image = image_created_at(1700000000), other = image;
	struct options plain = { .jobs = 1 }, same = { .jobs = 8, .output = "x", .json = true };
	struct options larger = { .size_bytes = 1 << 30 };
	struct options labelled = { .label = "root" }, bare = { .journal = { .is_none = true } };
	struct options journaled = { .journal = { .bytes = 8 << 20 } };
	struct options read_only = { .read_only_fs = true }, counted = { .inode_count = 5000 };
	struct options verified = { .verity = true };
	struct options roomier = { .free = { .is_given = true, .amount = 1 << 20 } };

	unsetenv("SOURCE_DATE_EPOCH");
	other.manifest_digest.sha256[0] = 1;
	struct digest key = key_of(&image, &plain), same_key = key_of(&image, &same);
	struct digest others[] = { key_of(&image, &larger), key_of(&image, &roomier),
				   key_of(&other, &plain),   key_of(&image, &labelled),
				   key_of(&image, &bare),    key_of(&image, &journaled),
				   key_of(&image, &counted), key_of(&image, &read_only),
				   key_of(&image, &verified) };

	ck_assert(digest_equal(&key, &same_key));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert(!digest_equal(&key, &others[i]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recipe");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, image_time_is_epoch_else_created_within_ext4s_range, 0,
			    TIME_COUNT);
	tcase_add_test(all, epoch_that_is_no_number_is_refused);
	tcase_add_loop_test(all, each_set_of_options_at_odds_is_refused, 0,
			    sizeof(at_odds) / sizeof(at_odds[0]));
	tcase_add_test(all, key_differs_with_whatever_decides_the_bytes_and_with_nothing_else);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
