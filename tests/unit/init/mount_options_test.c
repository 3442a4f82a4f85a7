#include <check.h>
#include <string.h>
#include <sys/mount.h>

#include "init/mount_options.h"
#include "suite.h"

static const struct {
	const char *text, *left;
	unsigned long before, after;
} cases[] = {
	{ "", "", MS_RDONLY, MS_RDONLY },
	{ "commit=7", "commit=7", 0, 0 },
	{ "noatime", "", 0, MS_NOATIME },
	{ "noatime,commit=7,nodev", "commit=7", 0, MS_NOATIME | MS_NODEV },
	{ "a,ro,b=c,nosuid,d", "a,b=c,d", 0, MS_RDONLY | MS_NOSUID },
	{ "rw", "", MS_RDONLY, 0 },
	{ "ro,rw,ro", "", 0, MS_RDONLY },
	{ "defaults", "", MS_RDONLY, MS_RDONLY },
	{ ",,x,,", "x", 0, 0 },
	{ "roast,size=1M", "roast,size=1M", 0, 0 },
};

START_TEST(each_option_goes_where_the_kernel_wants_it)
{
	unsigned long flags = cases[_i].before;
	char text[64];

	strncpy(text, cases[_i].text, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mount_options_take(text, &flags);
	ck_assert_str_eq(text, cases[_i].left);
	ck_assert_uint_eq(flags, cases[_i].after);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("mount_options");

	tcase_add_loop_test(tests, each_option_goes_where_the_kernel_wants_it, 0,
			    sizeof(cases) / sizeof(cases[0]));
	return suite_run(tests, "mount_options");
}
