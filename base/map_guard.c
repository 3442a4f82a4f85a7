#include "map_guard.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, NAME_BYTES = 256 };

struct guarded {
	const char *start;
	size_t len;
	int fd; /* owned */
	off_t size_bytes; /* of the file, when it was mapped */
};

static struct {
	pthread_mutex_t mutex; /* over all below; nobody reads a map while holding it */
	struct guarded *items; /* items[count] */
	size_t count, capacity;
	bool is_installed;
	struct sigaction before; /* what SIGBUS did */
	char torn[NAME_BYTES]; /* the first file that was found cut short; "" so far */
} guard = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* The rest with the mutex held. */

/* By the path under which it was opened. */
static void note_torn(const struct guarded *item)
{
	char self[32];

	if (guard.torn[0])
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", item->fd);
	ssize_t len = readlink(self, guard.torn, NAME_BYTES - 1);

	if (len > 0)
		guard.torn[len] = '\0';
	else
		snprintf(guard.torn, NAME_BYTES, "a mapped file");
}

/* Within its last page the end moves without a signal. */
static void look_at_size(const struct guarded *item)
{
	struct stat status;

	if (fstat(item->fd, &status) == 0 && status.st_size < item->size_bytes)
		note_torn(item);
}

/* The page of a guarded map becomes zeros. */
static bool replace_page(const char *address)
{
	void *page = (void *)((uintptr_t)address / PAGE_BYTES * PAGE_BYTES);

	for (size_t i = 0; i < guard.count; i++) {
		const struct guarded *item = &guard.items[i];

		if (address < item->start || address >= item->start + item->len)
			continue;
		note_torn(item);
		return mmap(page, PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			    -1, 0) != MAP_FAILED;
	}
	return false;
}

/* It hits the thread that reads a map, which then is in nothing of the C library's, so that locking
 * and mmap are safe here. Returning reads again. */
static void on_bus_error(int signal, siginfo_t *info, void *context)
{
	(void)context;
	pthread_mutex_lock(&guard.mutex);
	bool is_ours = info->si_code == BUS_ADRERR && replace_page(info->si_addr);

	if (!is_ours)
		sigaction(signal, &guard.before, NULL);
	pthread_mutex_unlock(&guard.mutex);
}

MUST_CHECK static bool install(struct err *err)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	if (guard.is_installed)
		return true;
	if (sigaction(SIGBUS, &action, &guard.before) < 0)
		return err_os(err, "handle SIGBUS");
	guard.is_installed = true;
	return true;
}

MUST_CHECK static bool append(const void *start, size_t len, int fd, struct err *err)
{
	struct guarded item = { .start = start, .len = len };
	struct stat status;

	if (guard.count == guard.capacity) {
		size_t capacity = guard.capacity ? guard.capacity * 2 : 16;
		struct guarded *items = reallocarray(guard.items, capacity, sizeof(*items));

		if (!items)
			return err_memory(err, "a list of maps");
		guard.items = items;
		guard.capacity = capacity;
	}
	if (fstat(fd, &status) < 0)
		return err_os(err, "stat a mapped file");
	item.size_bytes = status.st_size;
	item.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (item.fd < 0)
		return err_os(err, "keep a mapped file open");
	guard.items[guard.count++] = item;
	return true;
}

bool map_guard_add(const void *start, size_t len, int fd, struct err *err)
{
	pthread_mutex_lock(&guard.mutex);
	bool ok = install(err) && append(start, len, fd, err);

	pthread_mutex_unlock(&guard.mutex);
	return ok;
}

void map_guard_remove(const void *start)
{
	pthread_mutex_lock(&guard.mutex);
	for (size_t i = 0; i < guard.count; i++) {
		if (guard.items[i].start != start)
			continue;
		look_at_size(&guard.items[i]);
		close(guard.items[i].fd);
		guard.items[i] = guard.items[--guard.count];
		break;
	}
	if (guard.count == 0) {
		free(guard.items);
		guard.items = NULL;
		guard.capacity = 0;
	}
	pthread_mutex_unlock(&guard.mutex);
}

bool map_guard_check(struct err *err)
{
	pthread_mutex_lock(&guard.mutex);
	for (size_t i = 0; i < guard.count; i++)
		look_at_size(&guard.items[i]);
	bool is_whole = guard.torn[0] == '\0';

	if (!is_whole)
		err_set(err, ERR_IO, "%s was cut short while it was read, or its disk failed",
			guard.torn);
	pthread_mutex_unlock(&guard.mutex);
	return is_whole;
}
