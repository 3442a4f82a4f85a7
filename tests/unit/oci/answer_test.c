#include "oci/answer.h"

#include <check.h>

static const struct {
	unsigned status;
	const char *body;
	enum err_kind kind;
	bool may_pass;
	const char *sentence;
} answers[] = {
	{ 404, "", ERR_NOT_FOUND, false, "h:5 does not have it (404 Not Found)" },
	{ 401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who are\\nyou\"}]}", ERR_AUTH,
	  false, "h:5 refuses (401 Unauthorized): who are?you" },
	{ 403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\"}]}", ERR_AUTH, false,
	  "h:5 refuses (403 Forbidden): DENIED" },
	{ 429, "<html>", ERR_NETWORK, true, "h:5 is asked too often (429 Too Many Requests)" },
	{ 503, "{\"errors\":7}", ERR_NETWORK, true, "h:5 answers with status 503" },
	{ 418, "{\"details\":\"teapot\"}", ERR_NETWORK, false,
	  "h:5 answers with status 418: teapot" },
	{ 408, "[]", ERR_NETWORK, true, "h:5 answers with status 408" },
};

enum { ANSWER_COUNT = sizeof(answers) / sizeof(answers[0]) };

START_TEST(each_refusal_has_its_sentence_and_kind)
{
	const struct answer answer = { answers[_i].status, 3, view_of(answers[_i].body) };
	struct setback setback = { 0 };
	struct err err = { 0 };

	ck_assert(!answer_error(&answer, view_of("h:5"), &setback, &err));
	ck_assert_int_eq(err.kind, answers[_i].kind);
	ck_assert_str_eq(err.msg, answers[_i].sentence);
	ck_assert_int_eq(setback.may_pass, answers[_i].may_pass);
	ck_assert_uint_eq(setback.wait_seconds, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answer");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_refusal_has_its_sentence_and_kind, 0, ANSWER_COUNT);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
