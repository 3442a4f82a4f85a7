#include "init/launch.h"

#include "made_root.h"
#include "suite.h"

static struct arena arena;
static struct launch launch;
static struct settings settings;
static struct err err;

static const char *const entrypoint[] = { "/e", NULL };
static const char *const cmd[] = { "c", NULL };
static const char *const env[] = { "A=image", "B=image", NULL };
static const struct boot_config config = {
	.entrypoint = { entrypoint, 1 },
	.cmd = { cmd, 1 },
	.env = { env, 2 },
	.user = { .uid = 5, .gid = 6, .home = "/image" },
	.working_dir = "/image",
	.stop_signal = 15,
};

static void start(void)
{
	made_root_start();
	settings = settings_default();
}

static void end(void)
{
	arena_freep(&arena);
	made_root_end();
}

static bool make(void)
{
	return launch_make(&launch, &config, &settings, made_root, &arena, &err);
}

static const char *variable(const char *name)
{
	return command_variable(launch.command.environment, name);
}

START_TEST(without_settings_all_is_the_images)
{
	ck_assert(make());
	ck_assert_str_eq(launch.command.arguments[1], "c");
	ck_assert_str_eq(launch.working_dir, "/image");
	ck_assert_uint_eq(launch.user.uid, 5);
	ck_assert_str_eq(variable("HOME"), "/image");
	ck_assert_ptr_null(variable("HOSTNAME"));
	ck_assert_ptr_null(variable("TERM"));
}
END_TEST

START_TEST(entrypoint_that_is_set_drops_the_images_cmd)
{
	static const char *const other[] = { "/other", NULL };

	settings.entrypoint = (struct text_list){ other, 1 };
	ck_assert(make());
	ck_assert_str_eq(launch.command.arguments[0], "/other");
	ck_assert_ptr_null(launch.command.arguments[1]);
}
END_TEST

START_TEST(cmd_that_is_set_keeps_the_images_entrypoint)
{
	static const char *const other[] = { "x", "y", NULL };

	settings.cmd = (struct text_list){ other, 2 };
	ck_assert(make());
	ck_assert_str_eq(launch.command.arguments[0], "/e");
	ck_assert_str_eq(launch.command.arguments[2], "y");
}
END_TEST

START_TEST(machines_variables_win_over_the_images)
{
	static const struct setting_pair pair = { "A", "machine=1" };

	settings.env = (struct setting_pairs){ &pair, 1 };
	settings.hostname = "box";
	settings.has_terminal = true;
	ck_assert(make());
	ck_assert_str_eq(variable("A"), "machine=1");
	ck_assert_str_eq(variable("B"), "image");
	ck_assert_str_eq(variable("HOSTNAME"), "box");
	ck_assert_str_eq(variable("TERM"), "xterm");
}
END_TEST

START_TEST(user_that_is_set_is_looked_up_in_the_root)
{
	made_root_put("etc/passwd", "app:x:1000:1001::/srv:/bin/sh\n");
	made_root_put("etc/group", "video:x:44:app\n");
	settings.user = "app";
	ck_assert_msg(make(), "%s", err.msg);
	ck_assert_uint_eq(launch.user.uid, 1000);
	ck_assert_uint_eq(launch.user.groups[0], 44);
	ck_assert_str_eq(variable("HOME"), "/srv");
}
END_TEST

START_TEST(user_that_is_unknown_is_refused)
{
	settings.user = "app";
	ck_assert(!make());
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("launch");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, without_settings_all_is_the_images);
	tcase_add_test(tests, entrypoint_that_is_set_drops_the_images_cmd);
	tcase_add_test(tests, cmd_that_is_set_keeps_the_images_entrypoint);
	tcase_add_test(tests, machines_variables_win_over_the_images);
	tcase_add_test(tests, user_that_is_set_is_looked_up_in_the_root);
	tcase_add_test(tests, user_that_is_unknown_is_refused);
	return suite_run(tests, "launch");
}
