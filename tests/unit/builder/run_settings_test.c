#include "builder/run/run_settings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "init/contract/settings_keys.h"

static struct json_t *document;
static struct bytes text;
static struct err err;

static void start(void)
{
	document = json_new_object();
	text = bytes_capped(64 << 10);
	err = (struct err){ 0 };
}

static void end(void)
{
	json_freep(&document);
	bytes_freep(&text);
}

static const char *printed(void)
{
	bytes_clear(&text);
	ck_assert(json_print(&text, document, JSON_ONE_LINE, &err));
	return text.data;
}

static bool check(uint32_t *grace_seconds)
{
	return run_settings_check(document, grace_seconds, &err);
}

START_TEST(words_of_every_kind_become_settings)
{
	const char *items[] = { "a,b", "c d", "" };
	uint32_t grace = 0;

	ck_assert(run_settings_put_list(document, SETTING_CMD, items, 3, "ARG", &err));
	ck_assert(run_settings_put_text(document, SETTING_USER, "[1]", "--user", &err));
	ck_assert(run_settings_put_text(document, SETTING_HOSTNAME, NULL, "--hostname", &err));
	ck_assert(run_settings_set(document, "grow", &err));
	ck_assert(run_settings_set(document, "grace-seconds=3", &err));
	ck_assert(run_settings_set(document, "dns=1.1.1.1,8.8.8.8", &err));
	ck_assert(run_settings_set(document, "rlimits.nofile=1:2", &err));
	ck_assert(run_settings_set(document, "mounts=[{\"source\":\"tmpfs\",\"target\":\"/t\"}]",
				   &err));
	ck_assert_str_eq(printed(),
			 "{\"cmd\":[\"a,b\",\"c d\",\"\"],\"user\":\"[1]\",\"grow\":true,"
			 "\"grace-seconds\":3,\"dns\":[\"1.1.1.1\",\"8.8.8.8\"],"
			 "\"rlimits\":{\"nofile\":\"1:2\"},"
			 "\"mounts\":[{\"source\":\"tmpfs\",\"target\":\"/t\"}]}");
	ck_assert_msg(check(&grace), "%s", err.msg);
	ck_assert_uint_eq(grace, 3);
}
END_TEST

START_TEST(hostile_values_of_variables_arrive_as_they_are)
{
	ck_assert(run_settings_put_env(document, "A=[\"x\"", &err));
	ck_assert(run_settings_put_env(document, "B= it's \"q\"\n$C=d ", &err));
	ck_assert(run_settings_put_env(document, "a.b=", &err));
	ck_assert_str_eq(printed(), "{\"env\":{\"A\":\"[\\\"x\\\"\","
				    "\"B\":\" it's \\\"q\\\"\\n$C=d \",\"a.b\":\"\"}}");
}
END_TEST

START_TEST(variable_without_a_value_takes_the_one_here)
{
	setenv("VMBAKE_TEST_HERE", "x=y", 1);
	unsetenv("VMBAKE_TEST_GONE");
	ck_assert(run_settings_put_env(document, "VMBAKE_TEST_HERE", &err));
	ck_assert(run_settings_put_env(document, "VMBAKE_TEST_GONE", &err));
	ck_assert_str_eq(printed(), "{\"env\":{\"VMBAKE_TEST_HERE\":\"x=y\"}}");
}
END_TEST

START_TEST(nothing_given_means_the_guests_own_grace)
{
	uint32_t grace = 0;

	ck_assert(check(&grace));
	ck_assert_uint_eq(grace, 10);
}
END_TEST

static const struct {
	const char *set, *part;
} broken[] = {
	{ "hostnam=x", "hostnam" },
	{ "vmbake.user=x", "vmbake" },
	{ "grow=maybe", "grow" },
	{ "grace-seconds=soon", "grace-seconds" },
	{ "grace-seconds=86401", "grace-seconds" },
	{ "network=eth0", "network" },
	{ "cmd=[\"a\"", "cmd" },
	{ "workdir=srv", "workdir" },
	{ "env=A", "env" },
	{ "=x", "" },
	{ "user=\xff", "UTF-8" },
};

START_TEST(settings_that_a_guest_would_refuse_are_refused_here)
{
	uint32_t grace = 0;

	ck_assert(!run_settings_set(document, broken[_i].set, &err) || !check(&grace));
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_msg(strstr(err.msg, broken[_i].part) != NULL, "%s", err.msg);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	const char *item = "\xc3";

	ck_assert(!run_settings_put_env(document, "A=\xff", &err));
	ck_assert(!run_settings_put_env(document, "=x", &err));
	ck_assert(!run_settings_put_text(document, SETTING_USER, "\xff", "--user", &err));
	ck_assert(!run_settings_put_list(document, SETTING_CMD, &item, 1, "ARG", &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_settings");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, end);
	tcase_add_test(all, words_of_every_kind_become_settings);
	tcase_add_test(all, hostile_values_of_variables_arrive_as_they_are);
	tcase_add_test(all, variable_without_a_value_takes_the_one_here);
	tcase_add_test(all, nothing_given_means_the_guests_own_grace);
	tcase_add_loop_test(all, settings_that_a_guest_would_refuse_are_refused_here, 0,
			    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(all, bytes_that_are_no_text_are_refused);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
