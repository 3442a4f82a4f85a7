#include "oci/reference.h"

#include <check.h>

static const struct {
	const char *text, *canonical;
} good[] = {
	{ "debian", "docker.io/library/debian:latest" },
	{ "debian:12", "docker.io/library/debian:12" },
	{ "a/b", "docker.io/a/b:latest" },
	{ "docker.io/debian", "docker.io/library/debian:latest" },
	{ "index.docker.io/a/b:1", "docker.io/a/b:1" },
	{ "docker://ghcr.io/a/b:tag", "ghcr.io/a/b:tag" },
	{ "127.0.0.1:5000/demo:1", "127.0.0.1:5000/demo:1" },
	{ "localhost/demo", "localhost/demo:latest" },
	{ "[::1]:5000/demo:1", "[::1]:5000/demo:1" },
	{ "[::1]/demo:1", "[::1]/demo:1" },
	{ "host:5000/a", "host:5000/a:latest" },
	{ "a__b/c-d---e.f_g", "docker.io/a__b/c-d---e.f_g:latest" },
	{ "oci:dir", "oci:dir" },
	{ "oci:/a/b:docker.io/x/y:1", "oci:/a/b:docker.io/x/y:1" },
	{ "oci-archive:a.tar:1", "oci-archive:a.tar:1" },
	{ "docker-archive:a.tar", "docker-archive:a.tar" },
	{ "ghcr.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	  "ghcr.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	{ "ghcr.io/a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	  "ghcr.io/a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
};

enum { GOOD_COUNT = sizeof(good) / sizeof(good[0]) };

static const char *const bad[] = {
	"",
	":",
	"Debian",
	"debian:",
	"debian:.x",
	"a//b",
	"/a",
	"a/",
	"-a",
	"a..b",
	"a___b",
	"a/b@",
	"ghcr.io:70000/a",
	"ghcr.io:0/a",
	"ghcr.io:/a",
	"[::1/a",
	"[]/a",
	".host/a:1",
	"ho st.io/a",
	"a@sha256:12",
	"oci:",
	"oci::tag",
	"oci:dir:",
	"a\nb",
	"a/b:x/y",
	"docker://",
	"docker.io/Upper/x",
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_spelling_has_its_canonical_text)
{
	struct reference reference;
	struct err err = { 0 };
	char text[REFERENCE_TEXT_BYTES];

	ck_assert_msg(reference_parse(&reference, good[_i].text, &err), "%s", err.msg);
	reference_text(&reference, text);
	ck_assert_str_eq(text, good[_i].canonical);
}
END_TEST

START_TEST(canonical_text_means_the_same)
{
	struct reference first, second;
	struct err err = { 0 };
	char text[REFERENCE_TEXT_BYTES], again[REFERENCE_TEXT_BYTES];

	ck_assert(reference_parse(&first, good[_i].text, &err));
	reference_text(&first, text);
	ck_assert(reference_parse(&second, text, &err));
	reference_text(&second, again);
	ck_assert_str_eq(again, text);
}
END_TEST

START_TEST(malformed_name_is_a_usage_error_and_out_untouched)
{
	struct reference reference = { .tag = "before" };
	struct err err = { 0 };

	ck_assert_msg(!reference_parse(&reference, bad[_i], &err), "%s", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_str_eq(reference.tag, "before");
}
END_TEST

START_TEST(other_digest_algorithm_is_unsupported)
{
	struct reference reference;
	struct err err = { 0 };

	ck_assert(!reference_parse(&reference, "a@sha512:0123456789abcdef0123456789abcdef", &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(digest_alone_has_no_tag)
{
	struct reference reference;
	struct err err = { 0 };

	ck_assert(reference_parse(&reference, good[GOOD_COUNT - 2].text, &err));
	ck_assert(reference.has_digest);
	ck_assert_str_eq(reference.tag, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reference");
	TCase *parse = tcase_create("parse");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(parse, each_spelling_has_its_canonical_text, 0, GOOD_COUNT);
	tcase_add_loop_test(parse, canonical_text_means_the_same, 0, GOOD_COUNT);
	tcase_add_loop_test(parse, malformed_name_is_a_usage_error_and_out_untouched, 0, BAD_COUNT);
	tcase_add_test(parse, other_digest_algorithm_is_unsupported);
	tcase_add_test(parse, digest_alone_has_no_tag);
	suite_add_tcase(suite, parse);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
