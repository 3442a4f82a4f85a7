#include "init/contract/user.h"

#include <stdio.h>
#include <string.h>

#include "suite.h"

static struct arena arena;

static void end(void)
{
	arena_freep(&arena);
}

static const char passwd[] = "# comment\n"
			     "broken line\n"
			     "root:x:0:0:root:/root:/bin/sh\n"
			     "app:x:1000:1001:App,,,:/srv/app:/bin/sh\n"
			     "1234:x:77:78::/numeric:\n"
			     "nohome:x:5:6\r\n"
			     "huge:x:4000000000:1::/:\n";
static const char group[] = "root:x:0:\n"
			    "app:x:1001:\n"
			    "video:x:44:root,app\n"
			    "short:x\n"
			    "render:x:109:app\n";

/* "uid gid home groups", or "!" and a part of the sentence. */
static const struct {
	const char *user, *expected;
} known[] = {
	{ "", "0 0 /root 44" },
	{ "root", "0 0 /root 44" },
	{ "app", "1000 1001 /srv/app 44 109" },
	{ "1000", "1000 1001 /srv/app 44 109" },
	{ "app:", "1000 1001 /srv/app 44 109" },
	{ "app:video", "1000 44 /srv/app" },
	{ "app:0", "1000 0 /srv/app" },
	{ "app:4242", "1000 4242 /srv/app" },
	{ "4242", "4242 0 /" },
	{ "4242:video", "4242 44 /" },
	{ "4242:4243", "4242 4243 /" },
	{ ":video", "0 44 /root" },
	{ "1234", "77 78 /numeric" },
	{ "nohome", "5 6 /" },
	{ "nobody", "!user nobody is not in the image's /etc/passwd" },
	{ "app:nogroup", "!group nogroup is not in the image's /etc/group" },
	{ "2147483648", "!over 2147483647" },
	{ "huge", "!over 2147483647" },
	{ "99999999999999999999999", "!is not in" },
	{ "-1", "!user -1 is not in" },
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

static void resolve(const char *user, const char *passwd_text, const char *group_text,
		    const char *expected)
{
	struct boot_user found;
	struct err err = { 0 };
	char line[256];

	if (!user_resolve(&found, view_of(user), view_of(passwd_text), view_of(group_text), &arena,
			  &err)) {
		ck_assert_msg(expected[0] == '!' && strstr(err.msg, expected + 1), "%s", err.msg);
		ck_assert_int_eq(err.kind, ERR_FORMAT);
		return;
	}
	snprintf(line, sizeof(line), "%u %u %s", found.uid, found.gid, found.home);
	for (size_t i = 0; i < found.group_count; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %u",
			 found.groups[i]);
	ck_assert_str_eq(line, expected);
}

START_TEST(each_user_is_who_docker_says)
{
	resolve(known[_i].user, passwd, group, known[_i].expected);
}
END_TEST

START_TEST(image_without_files_knows_numbers_only)
{
	resolve("", "", "", "0 0 /");
	resolve("5:6", "", "", "5 6 /");
	resolve("app", "", "", "!user app");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("user");

	tcase_add_checked_fixture(tests, NULL, end);
	tcase_add_loop_test(tests, each_user_is_who_docker_says, 0, KNOWN_COUNT);
	tcase_add_test(tests, image_without_files_knows_numbers_only);
	return suite_run(tests, "user");
}
