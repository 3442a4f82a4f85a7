/* What a container's process finds itself to be, one "KEY VALUE" a line: what is compared between
 * our guest and a container runtime. "trap": ends by SIGILL. */
#include <errno.h>
#include <grp.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static void print_environment(void)
{
	for (char **entry = environ; *entry; entry++) {
		size_t len = strcspn(*entry, "=");

		printf("env.%.*s %s\n", (int)len, *entry, *entry + len + 1);
	}
}

static void print_ids(void)
{
	uid_t uids[3];
	gid_t gids[3], groups[64];

	getresuid(&uids[0], &uids[1], &uids[2]);
	getresgid(&gids[0], &gids[1], &gids[2]);
	printf("ids.user %u %u %u\n", uids[0], uids[1], uids[2]);
	printf("ids.group %u %u %u\n", gids[0], gids[1], gids[2]);
	int count = getgroups(64, groups);

	printf("ids.groups");
	for (int i = 0; i < count; i++)
		printf(" %u", groups[i]);
	printf("\n");
}

static void print_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "as", RLIMIT_AS },	     { "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU },	     { "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE },   { "memlock", RLIMIT_MEMLOCK },
		{ "nice", RLIMIT_NICE },     { "nofile", RLIMIT_NOFILE },
		{ "rtprio", RLIMIT_RTPRIO }, { "stack", RLIMIT_STACK },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit) == 0)
			printf("limit.%s %lld:%lld\n", limits[i].name, (long long)limit.rlim_cur,
			       (long long)limit.rlim_max);
	}
}

/* Signals, capabilities, privileges: as the kernel has them. */
static void print_status(void)
{
	static const char *const keys[] = { "SigBlk", "SigIgn", "CapInh",     "CapPrm", "CapEff",
					    "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp" };
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				printf("status.%s %s", keys[i], strchr(line, '\t') + 1);
	if (status)
		fclose(status);
}

static void print_mounts(void)
{
	static const char *const words[] = { "ro", "rw", "nosuid", "nodev", "noexec" };
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;

	while (mounts && (mount = getmntent(mounts))) {
		printf("mount.%s %s", mount->mnt_dir, mount->mnt_type);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (hasmntopt(mount, words[i]))
				printf(" %s", words[i]);
		printf("\n");
	}
	if (mounts)
		endmntent(mounts);
}

static void print_devices(void)
{
	static const char *const paths[] = { "null", "zero", "full", "random", "urandom", "tty",
					     "ptmx", "fd", "stdin", "stdout", "stderr", "shm",
					     "mqueue", "console" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char path[64];
		struct stat status;

		snprintf(path, sizeof(path), "/dev/%s", paths[i]);
		if (stat(path, &status) < 0)
			printf("dev.%s %s\n", paths[i], strerror(errno));
		else
			printf("dev.%s %o\n", paths[i], status.st_mode & 07777);
	}
}

int main(int argc, char **argv)
{
	char folder[4096];
	mode_t mask = umask(0);
	struct utsname name;

	if (argc > 1 && strcmp(argv[1], "trap") == 0)
		__builtin_trap();
	print_environment();
	print_ids();
	print_limits();
	print_status();
	print_mounts();
	print_devices();
	printf("umask %03o\n", mask);
	printf("folder %s\n", getcwd(folder, sizeof(folder)));
	if (uname(&name) == 0)
		printf("hostname %s\n", name.nodename);
	printf("pid %d\n", getpid());
	printf("session %s\n", getsid(0) == getpid() ? "own" : "another's");
	for (int i = 0; i < argc; i++)
		printf("argument.%d %s\n", i, argv[i]);
	printf("end .\n");
	fflush(stdout);
	return 0;
}
