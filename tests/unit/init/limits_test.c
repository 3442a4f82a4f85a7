#include "init/limits.h"

#include "init/capabilities.h"
#include "suite.h"

static struct limits limits;
static struct err err;

static bool make(const char *name, const char *value)
{
	const struct setting_pair pair = { name, value };
	const struct setting_pairs pairs = { &pair, 1 };

	return limits_make(&limits, &pairs, &err);
}

static const struct rlimit *find(int resource)
{
	static const struct rlimit none;

	for (size_t i = 0; i < limits.count; i++)
		if (limits.items[i].resource == resource)
			return &limits.items[i].value;
	return &none;
}

START_TEST(gpu_programs_may_pin_memory_and_open_files_by_default)
{
	const struct setting_pairs none = { 0 };

	ck_assert(limits_make(&limits, &none, &err));
	ck_assert(find(RLIMIT_MEMLOCK)->rlim_max == RLIM_INFINITY);
	ck_assert_uint_eq(find(RLIMIT_NOFILE)->rlim_cur, 1048576);
}
END_TEST

START_TEST(what_is_set_replaces_a_default_and_keeps_others)
{
	ck_assert(make("NoFile", "10:20"));
	ck_assert_uint_eq(find(RLIMIT_NOFILE)->rlim_cur, 10);
	ck_assert_uint_eq(find(RLIMIT_NOFILE)->rlim_max, 20);
	ck_assert(find(RLIMIT_MEMLOCK)->rlim_cur == RLIM_INFINITY);
	ck_assert_uint_eq(limits.count, 2);
	ck_assert(make("core", "unlimited"));
	ck_assert(find(RLIMIT_CORE)->rlim_cur == RLIM_INFINITY);
}
END_TEST

static const struct {
	const char *name, *value;
} wrong[] = {
	{ "nofiles", "1" }, { "nofile", "" },	{ "nofile", "x" },
	{ "nofile", "2:1" }, { "nofile", "1:" }, { "nofile", "99999999999999999999" },
};

START_TEST(each_wrong_limit_is_refused)
{
	ck_assert(!make(wrong[_i].name, wrong[_i].value));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(all_capabilities_unless_some_are_named)
{
	const struct text_list none = { 0 };
	uint64_t set = 0;

	ck_assert(capabilities_parse(&set, &none, &err));
	ck_assert(set == CAPABILITIES_ALL);
}
END_TEST

START_TEST(named_capabilities_add_up)
{
	static const char *const names[] = { "docker", "CAP_SYS_ADMIN", "net_admin", NULL };
	const struct text_list list = { names, 3 };
	uint64_t set = 0;

	ck_assert(capabilities_parse(&set, &list, &err));
	ck_assert_int_eq(__builtin_popcountll(set), 16);
	ck_assert(set & (UINT64_C(1) << 21));
}
END_TEST

START_TEST(empty_list_is_no_capability_and_a_wrong_name_none)
{
	static const char *const names[] = { "cap_everything", NULL };
	const struct text_list empty = { names, 0 }, wrong_name = { names, 1 };
	uint64_t set = 1;

	ck_assert(capabilities_parse(&set, &empty, &err));
	ck_assert_uint_eq(set, 0);
	ck_assert(!capabilities_parse(&set, &wrong_name, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("limits");

	tcase_add_test(tests, gpu_programs_may_pin_memory_and_open_files_by_default);
	tcase_add_test(tests, what_is_set_replaces_a_default_and_keeps_others);
	tcase_add_loop_test(tests, each_wrong_limit_is_refused, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tests, all_capabilities_unless_some_are_named);
	tcase_add_test(tests, named_capabilities_add_up);
	tcase_add_test(tests, empty_list_is_no_capability_and_a_wrong_name_none);
	return suite_run(tests, "limits");
}
