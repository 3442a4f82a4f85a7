#include "init/cmdline.h"

#include <stdio.h>

#include "init/root_options.h"
#include "suite.h"

/* All options as "name=value|name|". */
static const struct {
	const char *text, *expected;
} lines[] = {
	{ "", "" },
	{ "  quiet\tro \n", "quiet|ro|" },
	{ "root=/dev/vda rw", "root=/dev/vda|rw|" },
	{ "a=\"b c\" d", "a=b c|d|" },
	{ "\"a=b c\" d", "a=b c|d|" },
	{ "root=UUID=1-2", "root=UUID=1-2|" },
	{ "a= b", "a=|b|" },
	{ "a -- b", "a|" },
	{ "a=\"open", "a=open|" },
	{ "\"", "|" },
	{ "=x", "=x|" },
};

enum { LINE_COUNT = sizeof(lines) / sizeof(lines[0]) };

START_TEST(each_line_is_cut_as_the_kernel_cuts_it)
{
	struct view rest = view_of(lines[_i].text);
	struct cmdline_option option;
	char out[256] = "";

	while (cmdline_next(&rest, &option))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s%s%.*s|",
			 VIEW_ARGS(option.name), option.value.ptr ? "=" : "",
			 VIEW_ARGS(option.value));
	ck_assert_str_eq(out, lines[_i].expected);
}
END_TEST

START_TEST(last_value_counts)
{
	struct view value;

	ck_assert(cmdline_find(view_of("a=1 b a=2"), "a", &value));
	ck_assert(view_equal(value, "2"));
	ck_assert(!cmdline_find(view_of("ab=1"), "a", &value));
}
END_TEST

START_TEST(root_is_read_only_unless_asked_as_in_the_kernel)
{
	struct root_options options;
	struct err err = { 0 };

	ck_assert(root_options_parse(&options, view_of("root=/dev/vda"), &err));
	ck_assert(!options.is_writable && !options.waits_forever);
	ck_assert(view_equal(options.init, "/.vmbake/init"));
	ck_assert(root_options_parse(&options,
				     view_of("root=/dev/vda ro rw rootwait rootdelay=2 "
					     "rootfstype=xfs rootflags=noatime init=/bin/sh"),
				     &err));
	ck_assert(options.is_writable && options.waits_forever);
	ck_assert_uint_eq(options.delay_seconds, 2);
	ck_assert(view_equal(options.type, "xfs") && view_equal(options.flags, "noatime"));
}
END_TEST

static const char *const wrong[] = {
	"rw", "root=/dev/vda rootdelay=x", "root=/dev/vda rootdelay=99999", "root=/dev/vda init=sh",
	"root=",
};

START_TEST(each_wrong_root_is_refused)
{
	struct root_options options;
	struct err err = { 0 };

	ck_assert(!root_options_parse(&options, view_of(wrong[_i]), &err));
	ck_assert_int_ne(err.kind, ERR_NONE);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cmdline");

	tcase_add_loop_test(tests, each_line_is_cut_as_the_kernel_cuts_it, 0, LINE_COUNT);
	tcase_add_test(tests, last_value_counts);
	tcase_add_test(tests, root_is_read_only_unless_asked_as_in_the_kernel);
	tcase_add_loop_test(tests, each_wrong_root_is_refused, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	return suite_run(tests, "cmdline");
}
