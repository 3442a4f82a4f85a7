#include "oci/policy.h"

#include <check.h>

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define DOCKER(scope) \
	"{\"default\":" REJECT ",\"transports\":{\"docker\":{\"" scope "\":" ACCEPT "}}}"

static const struct {
	const char *policy, *image;
	enum requirement_kind kind;
} scopes[] = {
	{ "{\"default\":" ACCEPT "}", "a.io/x:1", REQUIREMENT_ACCEPT },
	{ DOCKER("a.io/x/y:1"), "a.io/x/y:1", REQUIREMENT_ACCEPT },
	{ DOCKER("a.io/x/y:1"), "a.io/x/y:2", REQUIREMENT_REJECT },
	{ DOCKER("a.io/x/y"), "a.io/x/y:1", REQUIREMENT_ACCEPT },
	{ DOCKER("a.io/x"), "a.io/x/y:1", REQUIREMENT_ACCEPT },
	{ DOCKER("a.io/x"), "a.io/xy:1", REQUIREMENT_REJECT },
	{ DOCKER("a.io"), "a.io/x/y:1", REQUIREMENT_ACCEPT },
	{ DOCKER("a.io:5"), "a.io:5/x", REQUIREMENT_ACCEPT },
	{ DOCKER("a.io"), "a.io:5/x", REQUIREMENT_REJECT },
	{ DOCKER("*.io"), "b.a.io/x", REQUIREMENT_ACCEPT },
	{ DOCKER("*.a.io"), "b.a.io/x", REQUIREMENT_ACCEPT },
	{ DOCKER("*.a.io"), "a.io/x", REQUIREMENT_REJECT },
	{ DOCKER("*.a.io"), "b.a.io:5000/x", REQUIREMENT_ACCEPT },
	{ DOCKER("*.a.io:5000"), "b.a.io:5000/x", REQUIREMENT_REJECT },
	{ DOCKER(""), "b.io/x", REQUIREMENT_ACCEPT },
	{ DOCKER(""), "oci:/tmp", REQUIREMENT_REJECT },
	{ DOCKER("docker.io/library/busybox"), "busybox", REQUIREMENT_ACCEPT },
	{ "{\"default\":" REJECT ",\"transports\":{\"oci\":{\"/tmp\":" ACCEPT "}}}", "oci:/tmp:x",
	  REQUIREMENT_ACCEPT },
	{ "{\"default\":" REJECT ",\"transports\":{\"oci\":{\"/tmp:x\":" ACCEPT "}}}", "oci:/tmp:x",
	  REQUIREMENT_REJECT },
	{ "{\"default\":" REJECT ",\"transports\":{\"docker-archive\":{\"\":" ACCEPT "}}}",
	  "docker-archive:/x", REQUIREMENT_ACCEPT },
};

enum { SCOPE_COUNT = sizeof(scopes) / sizeof(scopes[0]) };

static const char *const broken[] = {
	"",
	"{}",
	"{\"default\":[]}",
	"{\"default\":{}}",
	"{\"default\":[7]}",
	"{\"default\":[{\"type\":\"hope\"}]}",
	"{\"default\":[{\"type\":\"insecureAcceptAnything\",\"keyPath\":\"x\"}]}",
	"{\"default\":" ACCEPT ",\"more\":1}",
	"{\"default\":" ACCEPT ",\"transports\":[]}",
	"{\"default\":" ACCEPT ",\"transports\":{\"docker\":{\"a.io\":[]}}}",
	"{\"default\":" ACCEPT ",\"transports\":{\"docker\":{\"a.io\":7}}}",
};

enum { BROKEN_COUNT = sizeof(broken) / sizeof(broken[0]) };

static const char *const unsupported[] = {
	"{\"type\":\"signedBy\"}",
	"{\"type\":\"signedBaseLayer\"}",
	"{\"type\":\"sigstoreSigned\"}",
	"{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"keyPath\":\"x\"}",
	"{\"type\":\"sigstoreSigned\",\"keyData\":\"***\"}",
	"{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"fulcio\":{}}",
	"{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"pki\":{}}",
	"{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"rekorPublicKeyData\":\"eA==\"}",
	"{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"signedIdentity\":7}",
};

enum { UNSUPPORTED_COUNT = sizeof(unsupported) / sizeof(unsupported[0]) };

static struct reference image_named(const char *text)
{
	struct reference reference;
	struct err err = { 0 };

	ck_assert_msg(reference_parse(&reference, text, &err), "%s", err.msg);
	return reference;
}

START_TEST(the_narrowest_scope_decides)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(requirement_freep) struct requirement requirement = { 0 };
	struct reference image = image_named(scopes[_i].image);
	struct err err = { 0 };

	ck_assert_msg(policy_parse(&policy, view_of(scopes[_i].policy), &err), "%s", err.msg);
	ck_assert_uint_eq(policy_count(policy, &image), 1);
	ck_assert(policy_requirement(policy, &image, 0, &requirement, &err));
	ck_assert_int_eq(requirement.kind, scopes[_i].kind);
}
END_TEST

START_TEST(a_broken_policy_is_unsupported)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct err err = { 0 };

	ck_assert_msg(!policy_parse(&policy, view_of(broken[_i]), &err), "%s", broken[_i]);
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(what_is_not_understood_never_passes)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(requirement_freep) struct requirement requirement = { 0 };
	struct reference image = image_named("a.io/x");
	struct err err = { 0 };
	char text[200];

	snprintf(text, sizeof(text), "{\"default\":[%s]}", unsupported[_i]);
	ck_assert_msg(policy_parse(&policy, view_of(text), &err), "%s", err.msg);
	ck_assert(!policy_requirement(policy, &image, 0, &requirement, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(keys_of_all_data_are_taken)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(requirement_freep) struct requirement requirement = { 0 };
	struct reference image = image_named("a.io/x");
	static const char text[] = "{\"default\":[{\"type\":\"sigstoreSigned\","
				   "\"keyDatas\":[\"YQ==\",\"Yg==\"]}]}";
	struct err err = { 0 };

	ck_assert(policy_parse(&policy, view_of(text), &err));
	ck_assert(policy_requirement(policy, &image, 0, &requirement, &err));
	ck_assert_int_eq(requirement.kind, REQUIREMENT_SIGNED);
	ck_assert_str_eq(requirement.keys.data, "a\nb\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, the_narrowest_scope_decides, 0, SCOPE_COUNT);
	tcase_add_loop_test(rules, a_broken_policy_is_unsupported, 0, BROKEN_COUNT);
	tcase_add_loop_test(rules, what_is_not_understood_never_passes, 0, UNSUPPORTED_COUNT);
	tcase_add_test(rules, keys_of_all_data_are_taken);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
