#include "init/command.h"

#include <stdio.h>
#include <string.h>

#include "suite.h"

static struct arena arena;
static struct command command;
static struct err err;

static void end(void)
{
	arena_freep(&arena);
}

static struct text_list list(const char *const *items)
{
	size_t count = 0;

	while (items && items[count])
		count++;
	return (struct text_list){ items, count };
}

#define LIST(...) list((const char *const[]){ __VA_ARGS__, NULL })

static void make(struct boot_config config)
{
	config.user.home = "/home/u";
	ck_assert_msg(command_make(&command, &config, &arena, &err), "%s", err.msg);
}

static void assert_paths(const char *expected)
{
	char paths[256] = "";

	for (size_t i = 0; i < command.path_count; i++)
		snprintf(paths + strlen(paths), sizeof(paths) - strlen(paths), "%s ",
			 command.paths[i]);
	ck_assert_str_eq(paths, expected);
}

START_TEST(cmd_follows_entrypoint)
{
	make((struct boot_config){ .entrypoint = LIST("/a", "b"), .cmd = LIST("c") });
	ck_assert_str_eq(command.arguments[0], "/a");
	ck_assert_str_eq(command.arguments[2], "c");
	ck_assert_ptr_null(command.arguments[3]);
}
END_TEST

START_TEST(nothing_to_run_is_said)
{
	const struct boot_config config = { .user = { .home = "/" } };

	ck_assert(!command_make(&command, &config, &arena, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(defaults_fill_in_what_the_image_lacks)
{
	make((struct boot_config){ .cmd = LIST("/a") });
	ck_assert_str_eq(command_variable(command.environment, "PATH"), COMMAND_PATH_DEFAULT);
	ck_assert_str_eq(command_variable(command.environment, "HOME"), "/home/u");
	ck_assert_ptr_null(command_variable(command.environment, "TERM"));
}
END_TEST

START_TEST(later_variable_wins_and_nameless_ones_are_dropped)
{
	make((struct boot_config){ .cmd = LIST("/a"),
				   .env = LIST("A=1", "=x", "novalue", "HOME=/h", "A=2") });
	ck_assert_str_eq(command.environment[0], "A=2");
	ck_assert_str_eq(command.environment[1], "HOME=/h");
	ck_assert(strncmp(command.environment[2], "PATH=", 5) == 0);
	ck_assert_ptr_null(command.environment[3]);
}
END_TEST

START_TEST(plain_name_is_looked_for_in_path)
{
	make((struct boot_config){ .cmd = LIST("x"), .env = LIST("PATH=/a::rel:/b/") });
	assert_paths("/a/x /b//x ");
}
END_TEST

START_TEST(name_with_a_slash_is_a_path)
{
	make((struct boot_config){ .cmd = LIST("./x") });
	assert_paths("./x ");
}
END_TEST

START_TEST(empty_name_and_empty_path_find_nothing)
{
	make((struct boot_config){ .cmd = LIST("") });
	assert_paths("");
	make((struct boot_config){ .cmd = LIST("x"), .env = LIST("PATH=") });
	assert_paths("");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("command");

	tcase_add_checked_fixture(tests, NULL, end);
	tcase_add_test(tests, cmd_follows_entrypoint);
	tcase_add_test(tests, nothing_to_run_is_said);
	tcase_add_test(tests, defaults_fill_in_what_the_image_lacks);
	tcase_add_test(tests, later_variable_wins_and_nameless_ones_are_dropped);
	tcase_add_test(tests, plain_name_is_looked_for_in_path);
	tcase_add_test(tests, name_with_a_slash_is_a_path);
	tcase_add_test(tests, empty_name_and_empty_path_find_nothing);
	return suite_run(tests, "command");
}
