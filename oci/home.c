#include "home.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

const char *home_folder(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(getuid());

	return home && *home ? home : user && user->pw_dir ? user->pw_dir : "/";
}
