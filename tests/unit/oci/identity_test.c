#include "oci/identity.h"

#include <check.h>

#include "base/json.h"

#define D "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define E "@sha256:ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TYPE(name) "{\"type\":\"" name "\"}"
#define REMAP "{\"type\":\"remapIdentity\",\"prefix\":\"m.io/p\",\"signedPrefix\":\"o.io\"}"
#define REMAP_HOST "{\"type\":\"remapIdentity\",\"prefix\":\"m.io\",\"signedPrefix\":\"o.io\"}"
#define EXACT "{\"type\":\"exactReference\",\"dockerReference\":\"o.io/x:1\"}"
#define EXACT_REPOSITORY "{\"type\":\"exactRepository\",\"dockerRepository\":\"o.io/x\"}"

static const struct {
	const char *rule, *image, *signed_name;
	bool is_match;
} cases[] = {
	{ NULL, "a.io/x:1", "a.io/x:1", true },
	{ NULL, "a.io/x:1", "a.io/x:2", false },
	{ NULL, "a.io/x:1", "a.io/x", false },
	{ NULL, "a.io/x:1", "b.io/x:1", false },
	{ NULL, "a.io/x" D, "a.io/x:2", true },
	{ NULL, "a.io/x" D, "a.io/x" E, true },
	{ NULL, "a.io/x" D, "a.io/y:2", false },
	{ NULL, "busybox", "docker.io/library/busybox:latest", true },
	{ NULL, "a.io/x:1", "not a name", false },
	{ NULL, "a.io/x:1", "oci:a.io/x:1", false },
	{ TYPE("matchRepoDigestOrExact"), "a.io/x:1", "a.io/x:1", true },
	{ TYPE("matchExact"), "a.io/x:1", "a.io/x:1", true },
	{ TYPE("matchExact"), "a.io/x" D, "a.io/x:1", false },
	{ TYPE("matchExact"), "a.io/x" D, "a.io/x" D, true },
	{ TYPE("matchRepository"), "a.io/x:1", "a.io/x", true },
	{ TYPE("matchRepository"), "a.io/x:1", "a.io/xx:1", false },
	{ EXACT, "a.io/x:1", "o.io/x:1", true },
	{ EXACT, "o.io/x:2", "o.io/x:2", false },
	{ EXACT_REPOSITORY, "a.io/x:1", "o.io/x:9", true },
	{ EXACT_REPOSITORY, "o.io/y:1", "o.io/y:1", false },
	{ REMAP, "m.io/p/x:1", "o.io/x:1", true },
	{ REMAP, "m.io/p/x:1", "m.io/p/x:1", false },
	{ REMAP, "m.io/pp/x:1", "m.io/pp/x:1", true },
	{ REMAP, "m.io/pp/x:1", "o.iop/x:1", false },
	{ REMAP, "a.io/x:1", "a.io/x:1", true },
	{ REMAP_HOST, "m.io/x:1", "o.io/x:1", true },
	{ REMAP_HOST, "m.io:5000/x:1", "o.io:5000/x:1", false },
	{ REMAP_HOST, "m.io:5000/x:1", "m.io:5000/x:1", true },
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

static const char *const bad[] = {
	"{}",
	"{\"type\":7}",
	TYPE("matchAnything"),
	TYPE("exactReference"),
	TYPE("exactRepository"),
	TYPE("remapIdentity"),
	"{\"type\":\"exactReference\",\"dockerReference\":\"A B\"}",
	"{\"type\":\"matchRepository\",\"dockerRepository\":\"a.io/x\"}",
	"{\"type\":\"matchExact\",\"prefix\":\"a.io\"}",
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

static struct reference image_named(const char *text)
{
	struct reference reference;
	struct err err = { 0 };

	ck_assert_msg(reference_parse(&reference, text, &err), "%s", err.msg);
	return reference;
}

START_TEST(each_signed_name_covers_the_image_or_not)
{
	CLEANUP(json_freep) struct json_t *rule = NULL;
	struct reference image = image_named(cases[_i].image);
	struct err err = { 0 };
	bool is_match = !cases[_i].is_match;

	ck_assert(!cases[_i].rule || json_parse(&rule, view_of(cases[_i].rule), &err));
	ck_assert_msg(identity_matches(&is_match, rule, &image, cases[_i].signed_name, &err), "%s",
		      err.msg);
	ck_assert_int_eq(is_match, cases[_i].is_match);
}
END_TEST

START_TEST(a_rule_that_is_not_understood_is_never_a_match)
{
	CLEANUP(json_freep) struct json_t *rule = NULL;
	struct reference image = image_named("a.io/x:1");
	struct err err = { 0 };
	bool is_match = true;

	ck_assert(json_parse(&rule, view_of(bad[_i]), &err));
	ck_assert_msg(!identity_matches(&is_match, rule, &image, "a.io/x:1", &err), "%s", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert(!is_match);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_signed_name_covers_the_image_or_not, 0, CASE_COUNT);
	tcase_add_loop_test(rules, a_rule_that_is_not_understood_is_never_a_match, 0, BAD_COUNT);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
