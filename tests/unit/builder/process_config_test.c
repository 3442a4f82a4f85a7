#include "builder/process_config.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

static const struct {
	const char *text;
	unsigned number; /* 0: refused */
} signals[] = {
	{ NULL, SIGTERM },	{ "", SIGTERM },	{ "SIGQUIT", SIGQUIT }, { "QUIT", SIGQUIT },
	{ "15", 15 },		{ "37", 37 },		{ "SIGRTMIN+3", 37 },	{ "RTMIN", 34 },
	{ "SIGRTMAX", 64 },	{ "0", 0 },		{ "65", 0 },		{ "SIGNONE", 0 },
	{ "SIGRTMIN+31", 0 },	{ "-9", 0 },		{ "sigterm", 0 },
};

enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

START_TEST(stop_signal_is_a_name_or_a_number_as_docker_has_it)
{
	struct err err = { 0 };
	unsigned number = 0;
	bool is_taken = process_stop_signal(signals[_i].text, &number, &err);

	ck_assert_int_eq(is_taken, signals[_i].number != 0);
	ck_assert_uint_eq(number, signals[_i].number);
	if (!is_taken)
		ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

/* An image without /etc/passwd: root, from the root. */
START_TEST(empty_image_runs_as_root_in_the_root)
{
	CLEANUP(process_config_freep) struct process_config process = { 0 };
	CLEANUP(tree_freep) struct tree *tree = NULL;
	struct image_config config = { 0 };
	struct err err = { 0 };

	ck_assert(tree_new(&tree, &err));
	ck_assert_msg(process_config_make(&process, &config, tree, NULL, &err), "%s", err.msg);
	ck_assert_uint_eq(process.boot.user.uid, 0);
	ck_assert_uint_eq(process.boot.user.gid, 0);
	ck_assert_str_eq(process.boot.working_dir, "/");
	ck_assert_uint_eq(process.boot.stop_signal, SIGTERM);
}
END_TEST

START_TEST(unknown_user_is_an_error_at_build)
{
	CLEANUP(process_config_freep) struct process_config process = { 0 };
	CLEANUP(tree_freep) struct tree *tree = NULL;
	char user[] = "nobody-knows";
	struct image_config config = { .user = user };
	struct err err = { 0 };

	ck_assert(tree_new(&tree, &err));
	ck_assert(!process_config_make(&process, &config, tree, NULL, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "nobody-knows"));
}
END_TEST

START_TEST(relative_working_dir_starts_at_the_root)
{
	CLEANUP(process_config_freep) struct process_config process = { 0 };
	CLEANUP(tree_freep) struct tree *tree = NULL;
	char dir[] = "srv/app";
	struct image_config config = { .working_dir = dir };
	struct err err = { 0 };

	ck_assert(tree_new(&tree, &err));
	ck_assert(process_config_make(&process, &config, tree, NULL, &err));
	ck_assert_str_eq(process.boot.working_dir, "/srv/app");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process_config");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, stop_signal_is_a_name_or_a_number_as_docker_has_it, 0,
			    SIGNAL_COUNT);
	tcase_add_test(all, empty_image_runs_as_root_in_the_root);
	tcase_add_test(all, unknown_user_is_an_error_at_build);
	tcase_add_test(all, relative_working_dir_starts_at_the_root);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
