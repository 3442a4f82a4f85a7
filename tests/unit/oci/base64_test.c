#include "oci/base64.h"

#include <check.h>

static const struct {
	const char *plain, *encoded;
} pairs[] = {
	{ "", "" },	    { "f", "Zg==" },	    { "fo", "Zm8=" },	     { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "\xff\xef", "/+8=" },
};

enum { PAIR_COUNT = sizeof(pairs) / sizeof(pairs[0]) };

static const char *const bad[] = { "Zg=", "Z", "Zg==Zg==", "Zg===", "Z*==", "=", "Zm9vY" };

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_text_is_encoded_and_decoded_back)
{
	CLEANUP(bytes_freep) struct bytes encoded = bytes_capped(64);
	CLEANUP(bytes_freep) struct bytes decoded = bytes_capped(64);
	struct err err = { 0 };

	ck_assert(base64_encode(&encoded, view_of(pairs[_i].plain), &err));
	ck_assert(view_equal(bytes_view(&encoded), pairs[_i].encoded));
	ck_assert(base64_decode(&decoded, bytes_view(&encoded), &err));
	ck_assert(view_equal(bytes_view(&decoded), pairs[_i].plain));
}
END_TEST

START_TEST(white_space_and_missing_padding_are_taken)
{
	CLEANUP(bytes_freep) struct bytes decoded = bytes_capped(64);
	struct err err = { 0 };

	ck_assert(base64_decode(&decoded, view_of(" Zm9v\nYg"), &err));
	ck_assert_str_eq(decoded.data, "foob");
}
END_TEST

START_TEST(malformed_text_is_refused)
{
	CLEANUP(bytes_freep) struct bytes decoded = bytes_capped(64);
	struct err err = { 0 };

	ck_assert_msg(!base64_decode(&decoded, view_of(bad[_i]), &err), "%s", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base64");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_text_is_encoded_and_decoded_back, 0, PAIR_COUNT);
	tcase_add_test(rules, white_space_and_missing_padding_are_taken);
	tcase_add_loop_test(rules, malformed_text_is_refused, 0, BAD_COUNT);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
