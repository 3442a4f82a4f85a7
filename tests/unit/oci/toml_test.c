#include "oci/toml.h"

#include <check.h>

#include "base/json.h"

static const struct {
	const char *toml, *json;
} good[] = {
	{ "", "{}" },
	{ "# only a comment", "{}" },
	{ "a = 1\nb = true # why\r\nc = \"x\"", "{\"a\":1,\"b\":true,\"c\":\"x\"}" },
	{ "a.b = 'l\\n'", "{\"a\":{\"b\":\"l\\\\n\"}}" },
	{ "\"a.b\" = \"\\u00e9\\t\\\"\"", "{\"a.b\":\"\xc3\xa9\\t\\\"\"}" },
	{ "[a]\nb = [1,\n  [ \"x\" ], # c\n]\n[a.\"c d\"]",
	  "{\"a\":{\"b\":[1,[\"x\"]],\"c d\":{}}}" },
	{ "[host.\"https://m:5\"]\ncapabilities = [\"pull\"]\n"
	  "[host.\"https://m:5\".header]\nx = \"y\"",
	  "{\"host\":{\"https://m:5\":{\"capabilities\":[\"pull\"],\"header\":{\"x\":\"y\"}}}}" },
	{ "h = { a = 'b', c = [ 2 ] }", "{\"h\":{\"a\":\"b\",\"c\":[2]}}" },
	{ "[a.b]\n[a]\nc = 1", "{\"a\":{\"b\":{},\"c\":1}}" },
};

enum { GOOD_COUNT = sizeof(good) / sizeof(good[0]) };

static const struct {
	const char *toml;
	enum err_kind kind;
} bad[] = {
	{ "a", ERR_FORMAT },
	{ "a =", ERR_FORMAT },
	{ "= 1", ERR_FORMAT },
	{ "a = 1 b = 2", ERR_FORMAT },
	{ "a = 1\na = 2", ERR_FORMAT },
	{ "[a]\n[a]", ERR_FORMAT },
	{ "a = 1\n[a]", ERR_FORMAT },
	{ "a = 1\na.b = 2", ERR_FORMAT },
	{ "a = {}\n[a.b]", ERR_FORMAT },
	{ "a = \"open", ERR_FORMAT },
	{ "a = \"two\nlines\"", ERR_FORMAT },
	{ "a = \"\\x41\"", ERR_FORMAT },
	{ "a = \"\\ud800\"", ERR_FORMAT },
	{ "a = \"\\u0000\"", ERR_FORMAT },
	{ "a = [1", ERR_FORMAT },
	{ "a = [1 2]", ERR_FORMAT },
	{ "a = { b = 1", ERR_FORMAT },
	{ "a = { b = 1, b = 2 }", ERR_FORMAT },
	{ "[a", ERR_FORMAT },
	{ "[]", ERR_FORMAT },
	{ "\"a\\u001fb\" = 1", ERR_FORMAT },
	{ "[[a]]", ERR_UNSUPPORTED },
	{ "a = \"\"\"x\"\"\"", ERR_UNSUPPORTED },
	{ "a = 1.5", ERR_UNSUPPORTED },
	{ "a = 1979-05-27", ERR_UNSUPPORTED },
	{ "a = [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", ERR_UNSUPPORTED },
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_document_becomes_its_json)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(4096);
	struct err err = { 0 };

	ck_assert_msg(toml_parse(&json, view_of(good[_i].toml), &err), "%s", err.msg);
	ck_assert(json_print(&text, json, JSON_ONE_LINE, &err));
	ck_assert_str_eq(text.data, good[_i].json);
}
END_TEST

START_TEST(each_malformed_document_is_refused)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct err err = { 0 };

	ck_assert_msg(!toml_parse(&json, view_of(bad[_i].toml), &err), "%s", bad[_i].toml);
	ck_assert_msg(err.kind == bad[_i].kind, "%s: %s", bad[_i].toml, err.msg);
	ck_assert_ptr_null(json);
}
END_TEST

START_TEST(the_line_is_named)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct err err = { 0 };

	ck_assert(!toml_parse(&json, view_of("a = 1\n\n# x\nb"), &err));
	ck_assert_str_eq(err.msg, "line 4: a key without a value");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toml");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_document_becomes_its_json, 0, GOOD_COUNT);
	tcase_add_loop_test(rules, each_malformed_document_is_refused, 0, BAD_COUNT);
	tcase_add_test(rules, the_line_is_named);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
