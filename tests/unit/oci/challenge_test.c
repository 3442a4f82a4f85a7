#include "oci/challenge.h"

#include <check.h>

static const struct {
	const char *header;
	size_t count;
	enum challenge_scheme scheme; /* of the last one, like what follows */
	const char *realm, *service, *scope;
} good[] = {
	{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	  "scope=\"repository:library/debian:pull\"",
	  1, CHALLENGE_BEARER, "https://auth.docker.io/token", "registry.docker.io",
	  "repository:library/debian:pull" },
	{ "Basic realm=\"a, b=c\"", 1, CHALLENGE_BASIC, "a, b=c", "", "" },
	{ "basic REALM=x", 1, CHALLENGE_BASIC, "x", "", "" },
	{ "Bearer realm=https://h/t,service=s", 1, CHALLENGE_BEARER, "https://h/t", "s", "" },
	{ "Basic realm=\"r\", Bearer realm=\"https://h/t\", scope=\"a:b:pull c:d:pull\"", 2,
	  CHALLENGE_BEARER, "https://h/t", "", "a:b:pull c:d:pull" },
	{ "Negotiate, Basic realm=\"r\"", 2, CHALLENGE_BASIC, "r", "", "" },
	{ "Negotiate YWJj==, Basic realm=\"r\"", 2, CHALLENGE_BASIC, "r", "", "" },
	{ "Bearer realm = \"r\\\"q\" , , error=\"invalid_token\"", 1, CHALLENGE_BEARER, "r\"q", "",
	  "" },
	{ "Digest nonce=\"n\", realm=\"d\"", 1, CHALLENGE_OTHER, "d", "", "" },
	{ ", Basic", 1, CHALLENGE_BASIC, "", "", "" },
};

enum { GOOD_COUNT = sizeof(good) / sizeof(good[0]) };

static const char *const bad[] = {
	"Bearer realm=\"open",
	"=\"x\"",
	"Bearer realm=\"a\" service=\"b\"",
	"Bearer realm=\"a\",realm=\"b\"",
	"Bearer realm=\"a\x01\"",
	"\"x\"",
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_header_gives_its_challenges)
{
	struct challenge found[CHALLENGE_COUNT_MAX];
	struct err err = { 0 };
	size_t count = 0;

	ck_assert_msg(challenge_parse(found, &count, view_of(good[_i].header), &err), "%s",
		      err.msg);
	ck_assert_uint_eq(count, good[_i].count);
	ck_assert_int_eq(found[count - 1].scheme, good[_i].scheme);
	ck_assert_str_eq(found[count - 1].realm, good[_i].realm);
	ck_assert_str_eq(found[count - 1].service, good[_i].service);
	ck_assert_str_eq(found[count - 1].scope, good[_i].scope);
}
END_TEST

START_TEST(malformed_header_is_a_format_error)
{
	struct challenge found[CHALLENGE_COUNT_MAX];
	struct err err = { 0 };
	size_t count = 0;

	ck_assert_msg(!challenge_parse(found, &count, view_of(bad[_i]), &err), "%s", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(value_that_is_too_long_is_refused)
{
	struct challenge found[CHALLENGE_COUNT_MAX];
	char header[CHALLENGE_VALUE_BYTES + 64] = "Bearer realm=\"";
	struct err err = { 0 };
	size_t count = 0, start = strlen(header);

	memset(header + start, 'x', CHALLENGE_VALUE_BYTES);
	header[start + CHALLENGE_VALUE_BYTES] = '"';
	ck_assert(!challenge_parse(found, &count, view_of(header), &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(more_challenges_than_room_are_left_out)
{
	struct challenge found[CHALLENGE_COUNT_MAX];
	struct err err = { 0 };
	size_t count = 0;

	ck_assert(challenge_parse(found, &count, view_of("a,b,c,d,e,f,g,h,i,j,k"), &err));
	ck_assert_uint_eq(count, CHALLENGE_COUNT_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("challenge");
	TCase *parse = tcase_create("parse");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(parse, each_header_gives_its_challenges, 0, GOOD_COUNT);
	tcase_add_loop_test(parse, malformed_header_is_a_format_error, 0, BAD_COUNT);
	tcase_add_test(parse, value_that_is_too_long_is_refused);
	tcase_add_test(parse, more_challenges_than_room_are_left_out);
	suite_add_tcase(suite, parse);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
