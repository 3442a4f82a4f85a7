/* What the guest's init is measured against: a bare program that does the same to the machine and
 * nothing else. As an initrd's /init it makes the mounts, loads the modules whose paths /modules
 * lists, mounts root=/dev/vda, switches to it and execs /.vmbake/reference; as that it makes the
 * root's mounts and execs the program. As /.vmbake/bare, where there is no initrd, it mounts /proc
 * and execs the program. No configuration, no checks, no reports. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void load_modules(void)
{
	FILE *list = fopen("/modules", "re");
	char path[256];

	while (list && fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	}
	if (list)
		fclose(list);
}

static void become_root(void)
{
	static const char *const moved[] = { "/dev", "/sys", "/proc" };
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	char *const arguments[] = { "/.vmbake/reference", NULL };

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	load_modules();
	while (access("/dev/vda", F_OK) < 0)
		nanosleep(&pause, NULL);
	mount("/dev/vda", "/root", "ext4", 0, NULL);
	if (chdir("/root") < 0)
		return;
	for (size_t i = 0; i < 3; i++)
		mount(moved[i], moved[i] + 1, NULL, MS_MOVE, NULL);
	mount(".", "/", NULL, MS_MOVE, NULL);
	if (chroot(".") == 0)
		execv(arguments[0], arguments);
}

static void become_entrypoint(void)
{
	char *const arguments[] = { "/bin/entrypoint", NULL };
	char *const environment[] = { NULL };

	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,gid=5");
	mkdir("/dev/shm", 01777);
	mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
	mkdir("/dev/mqueue", 0755);
	mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL);
	mount("tmpfs", "/run", "tmpfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	execve(arguments[0], arguments, environment);
}

static void become_bare(void)
{
	char *const arguments[] = { "/bin/entrypoint", NULL };
	char *const environment[] = { NULL };

	mount("proc", "/proc", "proc", 0, NULL);
	execve(arguments[0], arguments, environment);
}

int main(int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[0], "/.vmbake/bare") == 0)
		become_bare();
	if (strcmp(argv[0], "/init") == 0)
		become_root();
	else
		become_entrypoint();
	for (;;)
		pause();
}
