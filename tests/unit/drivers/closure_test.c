#include "drivers/kernel/closure.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "made_module.h"

static char root[] = "/tmp/vmbake-closure-XXXXXX";
static int root_fd = -1;
static struct module_set *set;
static struct closure closure;
static struct err err;

static void make_root(void)
{
	snprintf(root, sizeof(root), "/tmp/vmbake-closure-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root_fd, 0);
}

static void remove_root(void)
{
	closure_freep(&closure);
	module_set_freep(&set);
	fd_closep(&root_fd);
	ck_assert(file_remove_tree(AT_FDCWD, root, &err));
}

static void put(const char *path, struct view content)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	ck_assert(file_make_dirs(root_fd, folder, 0755, &err));
	ck_assert(file_write_whole(root_fd, path, 0644, content, &err));
}

static void put_module(const char *path, struct view info)
{
	char module[MADE_MODULE_BYTES];
	size_t len = made_module(module, info);

	put(path, (struct view){ module, len });
}

static bool close_over(const char *name)
{
	const char *folders[] = { root }, *names[] = { name };

	return module_set_open(&set, folders, 1, &err) &&
	       closure_make(&closure, set, names, 1, &err);
}

static void assert_order(const char *expected)
{
	char order[256] = "";

	for (size_t i = 0; i < closure.count; i++)
		snprintf(order + strlen(order), sizeof(order) - strlen(order), "%s%s",
			 i ? " " : "", closure.modules[i]->name);
	ck_assert_str_eq(order, expected);
}

START_TEST(what_a_module_depends_on_comes_first_and_once)
{
	put_module("kernel/a.ko", MADE_INFO("name=a\0depends=b,c"));
	put_module("kernel/b.ko", MADE_INFO("name=b\0depends=d"));
	put_module("kernel/c.ko", MADE_INFO("name=c\0depends=d"));
	put_module("kernel/d.ko", MADE_INFO("name=d\0depends="));
	ck_assert(close_over("a"));
	assert_order("d b c a");
}
END_TEST

START_TEST(softdeps_come_before_and_after_and_may_be_nowhere)
{
	put_module("kernel/a.ko", MADE_INFO("softdep=pre: b nowhere post: c\0name=a\0depends="));
	put_module("kernel/b.ko", MADE_INFO("name=b"));
	put_module("kernel/c.ko", MADE_INFO("name=c\0depends=a"));
	ck_assert(close_over("a"));
	assert_order("b a c");
}
END_TEST

START_TEST(dash_and_underscore_are_the_same)
{
	put_module("kernel/virtio-rng.ko", MADE_INFO("name=virtio_rng\0depends=rng-core"));
	put_module("kernel/rng_core.ko", MADE_INFO("name=rng_core"));
	ck_assert(close_over("virtio-rng"));
	assert_order("rng_core virtio_rng");
}
END_TEST

START_TEST(module_is_known_by_what_it_says_not_by_its_file)
{
	put_module("updates/nvidia-current.ko", MADE_INFO("name=nvidia\0depends="));
	put_module("kernel/renamed.ko", MADE_INFO("name=original\0depends=nvidia"));
	ck_assert(close_over("original"));
	assert_order("nvidia original");
}
END_TEST

START_TEST(updates_win_over_the_kernels_own)
{
	put_module("kernel/a.ko", MADE_INFO("name=a\0depends=nowhere"));
	put_module("updates/a.ko", MADE_INFO("name=a\0depends="));
	ck_assert(close_over("a"));
	assert_order("a");
	ck_assert_ptr_nonnull(strstr(closure.modules[0]->path, "/updates/"));
}
END_TEST

START_TEST(dependency_that_is_built_in_is_met)
{
	ck_assert(file_write_whole(root_fd, "modules.builtin", 0644,
				   view_of("kernel/lib/crc-16.ko\nkernel/fs/ext4/ext4.ko\n"),
				   &err));
	put_module("kernel/a.ko", MADE_INFO("name=a\0depends=crc_16"));
	ck_assert(close_over("a"));
	assert_order("a");
	ck_assert(!module_set_is_builtin(set, view_of("crc16")));
}
END_TEST

/* .modinfo of a real module ends in NUL; a hostile one need not, and made this run for ever. */
START_TEST(last_text_without_its_nul_is_read_once)
{
	static const struct view texts[] = { { "depends=a,b", 11 },
					     { "softdep=pre: a b", 16 },
					     { "x=y\0depends=a,b", 15 } };
	const struct modinfo info = { .text = texts[_i] };
	struct need_cursor cursor = { 0 };
	enum need_kind kind;
	struct view name;
	size_t count = 0;

	while (count < 10 && module_next_need(&info, &cursor, &name, &kind))
		count++;
	ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(dependency_that_is_nowhere_is_named)
{
	put_module("kernel/a.ko", MADE_INFO("name=a\0depends=gone"));
	ck_assert(!close_over("a"));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.msg, "module a depends on gone"));
}
END_TEST

START_TEST(circle_of_dependencies_is_refused)
{
	put_module("kernel/a.ko", MADE_INFO("name=a\0depends=b"));
	put_module("kernel/b.ko", MADE_INFO("name=b\0depends=a"));
	ck_assert(!close_over("a"));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(circle_of_softdeps_is_cut)
{
	put_module("kernel/a.ko", MADE_INFO("name=a\0softdep=pre: b"));
	put_module("kernel/b.ko", MADE_INFO("name=b\0softdep=pre: a"));
	ck_assert(close_over("a"));
	assert_order("b a");
}
END_TEST

START_TEST(wanted_module_that_is_nowhere_is_not_found)
{
	put_module("kernel/a.ko", MADE_INFO("name=a"));
	ck_assert(!close_over("b"));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(file_that_is_no_module_is_a_format_error)
{
	put("kernel/a.ko", view_of("hello"));
	ck_assert(!close_over("a"));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("closure");
	TCase *tests = tcase_create("closure");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, make_root, remove_root);
	tcase_add_test(tests, what_a_module_depends_on_comes_first_and_once);
	tcase_add_test(tests, softdeps_come_before_and_after_and_may_be_nowhere);
	tcase_add_test(tests, dash_and_underscore_are_the_same);
	tcase_add_test(tests, module_is_known_by_what_it_says_not_by_its_file);
	tcase_add_test(tests, updates_win_over_the_kernels_own);
	tcase_add_test(tests, dependency_that_is_built_in_is_met);
	tcase_add_loop_test(tests, last_text_without_its_nul_is_read_once, 0, 3);
	tcase_add_test(tests, dependency_that_is_nowhere_is_named);
	tcase_add_test(tests, circle_of_dependencies_is_refused);
	tcase_add_test(tests, circle_of_softdeps_is_cut);
	tcase_add_test(tests, wanted_module_that_is_nowhere_is_not_found);
	tcase_add_test(tests, file_that_is_no_module_is_a_format_error);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
