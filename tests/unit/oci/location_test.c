#include "oci/location.h"

#include <check.h>

#include "base/cleanup.h"

static char first[] = "https://a.example/blob", second[] = "https://b.example/blob";
static char *urls[] = { first, second, NULL };

static void start(struct location *location)
{
	const struct digest digest = digest_of("x", 1);

	location_start(location, &digest, urls);
}

START_TEST(first_of_those_who_gave_is_barred)
{
	CLEANUP(location_end) struct location location;
	size_t giver = 0;

	start(&location);
	location_credit(&location, 3);
	location_credit(&location, 1);
	ck_assert(location_blame(&location, &giver));
	ck_assert_uint_eq(giver, 1);
	ck_assert(location_bars(&location, 1));
	ck_assert(!location_bars(&location, 3));
}
END_TEST

START_TEST(nobody_who_gave_nothing_is_blamed)
{
	CLEANUP(location_end) struct location location;
	size_t giver = 7;

	start(&location);
	ck_assert(!location_blame(&location, &giver));
	location_credit(&location, 0);
	location_renew(&location);
	ck_assert(!location_blame(&location, &giver));
	ck_assert_uint_eq(giver, 7);
}
END_TEST

START_TEST(blame_forgets_where_it_was_found)
{
	CLEANUP(location_end) struct location location;
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(1000);
	struct err err = { 0 };
	size_t giver = 0;

	start(&location);
	location_credit(&location, 2);
	location_found(&location, 2);
	location_remember(&location, view_of("https://cdn.example/x"), 2);
	ck_assert(location_recall(&location, &url, &giver, &err));
	ck_assert_str_eq(url.data, "https://cdn.example/x");
	ck_assert_uint_eq(giver, 2);
	bytes_clear(&url);
	ck_assert(location_blame(&location, &giver));
	ck_assert(location_recall(&location, &url, &giver, &err));
	ck_assert_uint_eq(url.len, 0);
	ck_assert_uint_eq(location_host(&location), 0);
}
END_TEST

START_TEST(url_that_failed_is_the_last_choice)
{
	CLEANUP(location_end) struct location location;
	size_t giver = 0;

	start(&location);
	ck_assert_ptr_eq(location_next_url(&location, &giver), first);
	ck_assert_ptr_eq(location_next_url(&location, &giver), second);
	giver = 0; /* of another call, that begins at the host */
	ck_assert_ptr_eq(location_next_url(&location, &giver), second);
}
END_TEST

START_TEST(barred_url_is_passed_over)
{
	CLEANUP(location_end) struct location location;
	size_t giver = 0;

	start(&location);
	ck_assert_uint_eq(location_open_urls(&location), 2);
	location_credit(&location, GIVER_URL_FIRST);
	ck_assert(location_blame(&location, &giver));
	ck_assert_uint_eq(location_open_urls(&location), 1);
	giver = 0;
	ck_assert_ptr_eq(location_next_url(&location, &giver), second);
	ck_assert_ptr_eq(location_next_url(&location, &giver), second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("location");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(rules, first_of_those_who_gave_is_barred);
	tcase_add_test(rules, nobody_who_gave_nothing_is_blamed);
	tcase_add_test(rules, blame_forgets_where_it_was_found);
	tcase_add_test(rules, url_that_failed_is_the_last_choice);
	tcase_add_test(rules, barred_url_is_passed_over);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
