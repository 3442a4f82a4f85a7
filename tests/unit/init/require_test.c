#include "init/contract/require.h"

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "init/contract/version.h"

static const struct {
	const char *predicate, *cuda, *driver, *arch, *brand;
	int verdict; /* enum require_verdict, -1: invalid expression */
} cases[] = {
	{ "cuda>=12.4 brand=tesla,driver>=535,driver<536", "12.4", "550.54", "", "", 0 },
	{ "cuda>=12.4 brand=tesla,driver>=535,driver<536", "12.2", "535.1", "", "Tesla", 0 },
	{ "cuda>=12.4 brand=tesla,driver>=535,driver<536", "12.2", "535.1", "", "geforce", 2 },
	{ "cuda>=12.4 brand=tesla,driver>=535,driver<536", "12.2", "535.1", "", "", 1 },
	{ "cuda>=12.4 brand=tesla,driver>=535,driver<536", "12.2", "525.1", "", "", 2 },
	{ "", "12.2", "", "", "", 0 },
	{ "  ", "12.2", "", "", "", 0 },
	{ "CUDA>=12.2.0", "12.2", "", "", "", 0 },
	{ "cuda=12.2.0", "12.2", "", "", "", 0 },
	{ "driver>=470", "", "470.57", "", "", 0 },
	{ "driver=470", "", "470.57", "", "", 2 },
	{ "driver<470.57.02", "", "470.57", "", "", 0 },
	{ "driver!=470", "", "470.57", "", "", 0 },
	{ "driver!470", "", "470", "", "", 2 },
	{ "cuda==12.2", "12.2", "", "", "", -1 },
	{ "cuda>=", "12.2", "", "", "", -1 },
	{ ">=12", "12.2", "", "", "", -1 },
	{ "cuda>=12x", "12.2", "", "", "", -1 },
	{ "cuda>=.", "12.2", "", "", "", -1 },
	{ "cuda>=99999999999999999999", "12.2", "", "", "", -1 },
	{ "brand<tesla", "", "", "", "tesla", -1 },
	{ "colour=red", "12.2", "", "", "", -1 },
	{ "cuda>=12 colour=red", "12.2", "", "", "", 0 },
	{ "cuda>=13,colour=red", "12.2", "", "", "", 2 },
	{ "cuda>=13 colour=red", "12.2", "", "", "", -1 },
	{ "arch>=9.0 colour=red", "12.2", "", "", "", 1 },
	{ "arch>=9.0,colour=red", "12.2", "", "", "", -1 },
	{ "arch>=9.0,cuda>=13", "12.2", "", "", "", 2 },
	{ "arch>=9.0 cuda>=12", "12.2", "", "", "", 0 },
	{ "arch>=x", "12.2", "", "", "", -1 },
	{ "cuda>=13 , cuda>=12", "12.2", "", "", "", 2 },
	{ ",cuda>=12,", "12.2", "", "", "", 0 },
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

START_TEST(each_predicate_gets_the_runtimes_verdict)
{
	struct require_facts facts = { view_of(cases[_i].cuda), view_of(cases[_i].driver),
				       view_of(cases[_i].arch), view_of(cases[_i].brand) };
	enum require_verdict verdict = REQUIRE_SATISFIED;
	struct err err = { 0 };
	bool is_valid = require_check(&verdict, view_of(cases[_i].predicate), &facts, &err);

	ck_assert_msg((is_valid ? (int)verdict : -1) == cases[_i].verdict, "%s: %d",
		      cases[_i].predicate, is_valid ? (int)verdict : -1);
	ck_assert_int_eq(err.kind, is_valid ? ERR_NONE : ERR_FORMAT);
}
END_TEST

START_TEST(requirements_are_all_but_jetpack_and_the_last_of_a_name_counts)
{
	static const char *const env[] = { "NVIDIA_REQUIRE_CUDA=cuda>=11", "PATH=/bin",
					   "NVIDIA_REQUIRE_JETPACK_HOST=x",
					   "NVIDIA_REQUIRE_DRIVER=driver>=470",
					   "NVIDIA_REQUIRE_CUDA=cuda>=12", "NVIDIA_REQUIRE_X" };
	struct requirement_list list = { 0 };
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct err err = { 0 };

	ck_assert(require_list(&list, &arena, env, 6, &err));
	ck_assert_uint_eq(list.count, 2);
	ck_assert(view_equal(list.items[0].predicate, "driver>=470"));
	ck_assert(view_equal(list.items[1].predicate, "cuda>=12"));
}
END_TEST

START_TEST(legacy_image_requires_its_cuda_version)
{
	static const char *const env[] = { "CUDA_VERSION=10.2.89" };
	struct requirement_list list = { 0 };
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct err err = { 0 };

	ck_assert(require_list(&list, &arena, env, 1, &err));
	ck_assert_uint_eq(list.count, 1);
	ck_assert(view_equal(list.items[0].predicate, "cuda>=10.2"));
}
END_TEST

START_TEST(disable_require_silences_all_when_it_is_true)
{
	static const char *const off[] = { "CUDA_VERSION=12", "NVIDIA_DISABLE_REQUIRE=true" };
	static const char *const on[] = { "CUDA_VERSION=12", "NVIDIA_DISABLE_REQUIRE=yes" };
	struct requirement_list list = { 0 };
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct err err = { 0 };

	ck_assert(require_list(&list, &arena, off, 2, &err));
	ck_assert_uint_eq(list.count, 0);
	ck_assert(require_list(&list, &arena, on, 2, &err));
	ck_assert_uint_eq(list.count, 1);
	ck_assert(view_equal(list.items[0].predicate, "cuda>=12.0"));
}
END_TEST

START_TEST(cuda_of_a_driver_is_its_branchs_or_that_of_the_last_known_before)
{
	ck_assert_str_eq(version_cuda_of_driver(view_of("535.309.01")), "12.2");
	ck_assert_str_eq(version_cuda_of_driver(view_of("999.1")), "13.2");
	ck_assert_str_eq(version_cuda_of_driver(view_of("545")), "12.3");
	ck_assert_ptr_null(version_cuda_of_driver(view_of("390.157")));
	ck_assert_ptr_null(version_cuda_of_driver(view_of("x")));
}
END_TEST

START_TEST(version_with_a_slash_or_dots_alone_is_not_plain)
{
	ck_assert(version_is_plain(view_of("535.309.01")));
	ck_assert(!version_is_plain(view_of("..")));
	ck_assert(!version_is_plain(view_of("535/x")));
	ck_assert(!version_is_plain(view_of("")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("require");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_predicate_gets_the_runtimes_verdict, 0, CASE_COUNT);
	tcase_add_test(rules, requirements_are_all_but_jetpack_and_the_last_of_a_name_counts);
	tcase_add_test(rules, legacy_image_requires_its_cuda_version);
	tcase_add_test(rules, disable_require_silences_all_when_it_is_true);
	tcase_add_test(rules, cuda_of_a_driver_is_its_branchs_or_that_of_the_last_known_before);
	tcase_add_test(rules, version_with_a_slash_or_dots_alone_is_not_plain);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
