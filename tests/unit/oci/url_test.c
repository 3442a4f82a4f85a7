#include "oci/url.h"

#include <check.h>

static const struct {
	const char *a, *b;
	bool is_same;
} origins[] = {
	{ "https://h/x", "https://h/y", true },
	{ "https://h/x", "https://h:443/y", true },
	{ "https://H/x", "https://h?y", true },
	{ "http://h:80/x", "http://h/y", true },
	{ "https://h/x", "http://h/x", false },
	{ "https://h/x", "https://h:444/x", false },
	{ "https://h/x", "https://h.evil/x", false },
	{ "https://h/x", "https://h@evil/x", false },
	{ "https://[::1]:5/x", "https://[::1]:5/y", true },
	{ "ftp://h/x", "ftp://h/x", false },
};

enum { ORIGIN_COUNT = sizeof(origins) / sizeof(origins[0]) };

static const struct {
	const char *authority;
	bool is_loopback;
} hosts[] = {
	{ "localhost", true },
	{ "LOCALHOST:5000", true },
	{ "127.0.0.1", true },
	{ "127.9.9.9:1", true },
	{ "[::1]", true },
	{ "[::1]:5000", true },
	{ "127.0.0.1.example.org", false },
	{ "127.example.org", false },
	{ "localhost.example.org", false },
	{ "128.0.0.1", false },
	{ "127.0.0.256", false },
	{ "[::2]", false },
	{ "", false },
};

enum { HOST_COUNT = sizeof(hosts) / sizeof(hosts[0]) };

START_TEST(each_pair_is_of_one_origin_or_not)
{
	struct view a = view_of(origins[_i].a), b = view_of(origins[_i].b);

	ck_assert_int_eq(url_same_origin(a, b), origins[_i].is_same);
}
END_TEST

START_TEST(each_host_is_this_machine_or_not)
{
	ck_assert_int_eq(host_is_loopback(view_of(hosts[_i].authority)), hosts[_i].is_loopback);
}
END_TEST

START_TEST(escaped_text_holds_no_reserved_byte)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(100);
	struct err err = { 0 };

	ck_assert(url_escape(&out, view_of("a-z_0.9~ /:&=+%\xff"), &err));
	ck_assert_str_eq(out.data, "a-z_0.9~%20%2F%3A%26%3D%2B%25%FF");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("url");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_pair_is_of_one_origin_or_not, 0, ORIGIN_COUNT);
	tcase_add_loop_test(rules, each_host_is_this_machine_or_not, 0, HOST_COUNT);
	tcase_add_test(rules, escaped_text_holds_no_reserved_byte);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
