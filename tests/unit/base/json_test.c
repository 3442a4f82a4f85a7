#include "base/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const good[] = {
	"{}", "[]", "\"text\"", "1", "null", "{\"a\":{\"a\":1}}", " [1, 2]\n", "\"[[[[\\\"\"",
};

enum { GOOD_COUNT = sizeof(good) / sizeof(good[0]) };

START_TEST(document_is_read)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct err err = { 0 };

	ck_assert_msg(json_parse(&json, view_of(good[_i]), &err), "%s", err.msg);
}
END_TEST

static const struct view bad[] = {
	{ NULL, 0 },
	{ "{", 1 },
	{ "{} {}", 5 },
	{ "{\"a\":1,\"a\":2}", 13 },
	{ "{\"b\":{\"a\":1,\"a\":1}}", 19 },
	{ "[1,]", 4 },
	{ "\"\\u0000\"", 8 },
	{ "\"a\0b\"", 5 },
	{ "\"\xff\"", 3 },
	{ "<html>", 6 },
	{ "{}\0", 3 },
	{ "{'a':1}", 7 },
	{ "nan", 3 },
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(malformed_document_is_refused_and_out_untouched)
{
	struct json_t *json = NULL;
	struct err err = { 0 };

	ck_assert(!json_parse(&json, bad[_i], &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_ptr_null(json);
}
END_TEST

START_TEST(duplicate_key_is_named_with_its_line)
{
	struct json_t *json = NULL;
	struct err err = { 0 };

	ck_assert(!json_parse(&json, view_of("{\"size\":1,\n\"size\":2}"), &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "size"));
	ck_assert_ptr_nonnull(strstr(err.msg, "line 2"));
}
END_TEST

START_TEST(depth_of_64_is_read_and_65_is_not)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct json_t *deeper = NULL;
	struct err err = { 0 };
	char text[130];

	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	ck_assert(json_parse(&json, (struct view){ text + 1, 128 }, &err));
	ck_assert(!json_parse(&deeper, (struct view){ text, 130 }, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(a_million_brackets_do_not_exhaust_the_stack)
{
	struct json_t *json = NULL;
	struct err err = { 0 };
	char *text = malloc(1000000);

	memset(text, '[', 1000000);
	ck_assert(!json_parse(&json, (struct view){ text, 1000000 }, &err));
	free(text);
}
END_TEST

START_TEST(members_are_had_by_type)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *object = NULL, *array = NULL;
	const char *text = NULL;
	uint64_t size = 0;
	bool flag = false;
	struct err err = { 0 };

	ck_assert(json_parse(
		&json, view_of("{\"s\":\"x\",\"o\":{},\"a\":[1,\"y\"],\"n\":7,\"t\":true}"), &err));
	ck_assert(json_need_string(json, "s", &text, &err));
	ck_assert(json_need_object(json, "o", &object, &err));
	ck_assert(json_need_array(json, "a", &array, &err));
	ck_assert(json_need_size(json, "n", &size, &err));
	ck_assert(json_want_bool(json, "t", &flag, &err));
	ck_assert_str_eq(text, "x");
	ck_assert_ptr_nonnull(object);
	ck_assert_uint_eq(json_count(array), 2);
	ck_assert_ptr_null(json_text(json_item(array, 0)));
	ck_assert_str_eq(json_text(json_item(array, 1)), "y");
	ck_assert_uint_eq(size, 7);
	ck_assert(flag);
}
END_TEST

START_TEST(absent_and_null_count_alike)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const char *text = "before";
	const struct json_t *array = NULL;
	uint64_t size = 9;
	struct err err = { 0 };

	ck_assert(json_parse(&json, view_of("{\"null\":null}"), &err));
	ck_assert(json_want_string(json, "null", &text, &err));
	ck_assert_ptr_null(text);
	ck_assert(json_want_size(json, "absent", &size, &err));
	ck_assert_uint_eq(size, 0);
	ck_assert(json_want_array(json, "absent", &array, &err));
	ck_assert_uint_eq(json_count(array), 0);
	ck_assert(!json_need_string(json, "null", &text, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_str_eq(err.msg, "\"null\" is missing");
}
END_TEST

START_TEST(wrong_type_is_an_error_that_names_the_key)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const char *text = "before";
	struct err err = { 0 };

	ck_assert(json_parse(&json, view_of("{\"mediaType\":5}"), &err));
	ck_assert(!json_want_string(json, "mediaType", &text, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "mediaType"));
	ck_assert_str_eq(text, "before");
}
END_TEST

static const char *const no_sizes[] = {
	"{\"size\":-1}", "{\"size\":1.5}", "{\"size\":1e3}", "{\"size\":\"1\"}", "{\"size\":true}",
};

enum { NO_SIZE_COUNT = sizeof(no_sizes) / sizeof(no_sizes[0]) };

START_TEST(size_is_a_whole_number_of_0_or_more)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	uint64_t size = 9;
	struct err err = { 0 };

	ck_assert(json_parse(&json, view_of(no_sizes[_i]), &err));
	ck_assert(!json_need_size(json, "size", &size, &err));
	ck_assert_uint_eq(size, 9);
}
END_TEST

START_TEST(members_come_in_document_order)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *value = NULL;
	const char *key = NULL;
	void *position = NULL;
	struct err err = { 0 };

	ck_assert(json_parse(&json, view_of("{\"z\":\"1\",\"a\":\"2\"}"), &err));
	ck_assert(json_next_member(json, &position, &key, &value));
	ck_assert_str_eq(key, "z");
	ck_assert(json_next_member(json, &position, &key, &value));
	ck_assert_str_eq(key, "a");
	ck_assert_str_eq(json_text(value), "2");
	ck_assert(!json_next_member(json, &position, &key, &value));
}
END_TEST

START_TEST(object_under_a_key_is_made_once)
{
	CLEANUP(json_freep) struct json_t *object = json_new_object();
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(100);
	struct err problem = { 0 };

	json_put_text(object, "b", "in its place");
	json_put_text(json_object_at(object, "a"), "x", "1");
	json_put_text(json_object_at(object, "a"), "y", "2");
	json_put_text(json_object_at(object, "b"), "z", "3");
	ck_assert(json_print(&text, object, JSON_ONE_LINE, &problem));
	ck_assert_str_eq(text.data, "{\"b\":{\"z\":\"3\"},\"a\":{\"x\":\"1\",\"y\":\"2\"}}");
}
END_TEST

START_TEST(printed_form_is_fixed)
{
	CLEANUP(json_freep) struct json_t *json = json_new_object();
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1000);
	struct json_t *list = json_new_array();
	struct err err = { 0 };

	json_put_text(json, "b", "x\"\n");
	json_put_size(json, "a", 1ULL << 40);
	json_put_bool(json, "yes", true);
	json_put_text(json, "none", NULL);
	json_add_text(list, "1");
	json_put(json, "list", list);
	ck_assert(json_print(&out, json, JSON_ONE_LINE, &err));
	ck_assert_str_eq(out.data, "{\"b\":\"x\\\"\\n\",\"a\":1099511627776,\"yes\":true,"
				   "\"none\":null,\"list\":[\"1\"]}");
}
END_TEST

START_TEST(text_that_is_not_utf8_is_still_printed)
{
	CLEANUP(json_freep) struct json_t *json = json_new_object();
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1000);
	struct err err = { 0 };

	json_put_view(json, "name",
		      (struct view){ "a\xff\xfe"
				     "b",
				     4 });
	ck_assert(json_print(&out, json, JSON_ONE_LINE, &err));
	ck_assert_str_eq(out.data, "{\"name\":\"a\xef\xbf\xbd\xef\xbf\xbd"
				   "b\"}");
}
END_TEST

START_TEST(print_past_the_cap_fails)
{
	CLEANUP(json_freep) struct json_t *json = json_new_object();
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(4);
	struct err err = { 0 };

	json_put_text(json, "key", "value");
	ck_assert(!json_print(&out, json, JSON_ONE_LINE, &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("json");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, document_is_read, 0, GOOD_COUNT);
	tcase_add_loop_test(tests, malformed_document_is_refused_and_out_untouched, 0, BAD_COUNT);
	tcase_add_test(tests, duplicate_key_is_named_with_its_line);
	tcase_add_test(tests, depth_of_64_is_read_and_65_is_not);
	tcase_add_test(tests, a_million_brackets_do_not_exhaust_the_stack);
	tcase_add_test(tests, members_are_had_by_type);
	tcase_add_test(tests, absent_and_null_count_alike);
	tcase_add_test(tests, wrong_type_is_an_error_that_names_the_key);
	tcase_add_loop_test(tests, size_is_a_whole_number_of_0_or_more, 0, NO_SIZE_COUNT);
	tcase_add_test(tests, members_come_in_document_order);
	tcase_add_test(tests, object_under_a_key_is_made_once);
	tcase_add_test(tests, printed_form_is_fixed);
	tcase_add_test(tests, text_that_is_not_utf8_is_still_printed);
	tcase_add_test(tests, print_past_the_cap_fails);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
