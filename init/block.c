#include "block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "disk.h"
#include "partition.h"

/* One line of a sysfs file, without its newline; "" when it is not there. */
static void read_attribute(int root_fd, const char *name, const char *attribute, char *out,
			   size_t out_bytes)
{
	char path[128];
	CLEANUP(fd_closep) int fd = -1;

	out[0] = '\0';
	snprintf(path, sizeof(path), "sys/class/block/%s/%s", name, attribute);
	fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, out, out_bytes - 1) : -1;

	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

MUST_CHECK static bool append(struct block_names *names, const char *name, struct err *err)
{
	if (names->count == BLOCK_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d block devices", BLOCK_COUNT_MAX);
	void *grown = realloc(names->items, (names->count + 1) * sizeof(*names->items));

	if (!grown)
		return err_memory(err, "a list of disks");
	names->items = grown;
	memcpy(names->items[names->count++], name, strlen(name) + 1); /* the caller measured */
	return true;
}

bool block_list(struct block_names *out, int root_fd, struct err *err)
{
	CLEANUP(block_names_freep) struct block_names names = { 0 };
	int fd = openat(root_fd, "sys/class/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool ok = true;
	char size[32];

	while (ok && dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(*names.items))
			continue;
		read_attribute(root_fd, entry->d_name, "size", size, sizeof(size));
		if (strcmp(size, "0") != 0)
			ok = append(&names, entry->d_name, err);
	}
	if (dir)
		closedir(dir);
	if (!ok)
		return false;
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	*out = names;
	names = (struct block_names){ 0 };
	return true;
}

void block_names_freep(struct block_names *names)
{
	free(names->items);
	*names = (struct block_names){ 0 };
}

void block_serial(int root_fd, const char *name, char out[BLOCK_SERIAL_BYTES])
{
	read_attribute(root_fd, name, "serial", out, BLOCK_SERIAL_BYTES); /* virtio-blk */
	if (out[0] == '\0')
		read_attribute(root_fd, name, "device/serial", out, BLOCK_SERIAL_BYTES); /* NVMe */
	size_t len = strlen(out);

	while (len > 0 && out[len - 1] == ' ') /* NVMe pads */
		out[--len] = '\0';
}

bool block_read_start(int root_fd, const char *name, char *out, size_t len)
{
	CLEANUP(fd_closep) int fd = -1;
	char path[64];
	struct err ignored; /* an empty CD-ROM drive, a device that is just going away */

	snprintf(path, sizeof(path), "dev/%s", name);
	fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && file_pread(fd, out, len, 0, path, &ignored);
}

/* The disk that a partition is on: sysfs has partitions as folders inside their disk's. */
static bool find_disk(int root_fd, const char *name, char out[BLOCK_NAME_BYTES])
{
	char path[128], target[512];

	snprintf(path, sizeof(path), "sys/class/block/%s", name);
	ssize_t len = readlinkat(root_fd, path, target, sizeof(target));
	struct view link = { target, len > 0 ? (size_t)len : 0 };
	ptrdiff_t end = view_find_last(link, '/');

	if (end <= 0)
		return false;
	link.len = (size_t)end;
	struct view disk = view_from(link, (size_t)(view_find_last(link, '/') + 1));

	if (disk.len == 0 || disk.len >= BLOCK_NAME_BYTES)
		return false;
	memcpy(out, disk.ptr, disk.len);
	out[disk.len] = '\0';
	return true;
}

static bool has_partuuid(int root_fd, const char *name, struct view wanted)
{
	char number_text[32], disk[BLOCK_NAME_BYTES], uuid[PARTITION_UUID_BYTES];
	char table[PARTITION_TABLE_BYTES];
	uint64_t number = 0;

	read_attribute(root_fd, name, "partition", number_text, sizeof(number_text));
	return view_number(view_of(number_text), 10, UINT16_MAX, &number) &&
	       find_disk(root_fd, name, disk) &&
	       block_read_start(root_fd, disk, table, sizeof(table)) &&
	       partition_uuid((struct view){ table, sizeof(table) }, (unsigned)number, uuid) &&
	       wanted.len == strlen(uuid) && strncasecmp(wanted.ptr, uuid, wanted.len) == 0;
}

enum by { BY_SERIAL, BY_LABEL, BY_UUID, BY_PARTUUID };

static bool is_it(int root_fd, const char *name, enum by by, struct view value)
{
	char serial[BLOCK_SERIAL_BYTES], start[DISK_PROBE_BYTES];
	struct disk_facts facts = { 0 };

	if (by == BY_PARTUUID)
		return has_partuuid(root_fd, name, value);
	if (by == BY_SERIAL) {
		block_serial(root_fd, name, serial);
		return view_equal(value, serial);
	}
	if (!block_read_start(root_fd, name, start, sizeof(start)))
		return false;
	disk_read_facts((struct view){ start, sizeof(start) }, &facts);
	if (by == BY_LABEL)
		return facts.label[0] != '\0' && view_equal(value, facts.label);
	return facts.uuid[0] != '\0' && value.len == strlen(facts.uuid) &&
	       strncasecmp(value.ptr, facts.uuid, value.len) == 0;
}

static bool find_by(int root_fd, enum by by, struct view value, char out[64])
{
	CLEANUP(block_names_freep) struct block_names names = { 0 };
	struct err ignored;

	if (value.len == 0 || !block_list(&names, root_fd, &ignored))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!is_it(root_fd, names.items[i], by, value))
			continue;
		snprintf(out, 64, "/dev/%s", names.items[i]);
		return true;
	}
	return false;
}

static bool find_path(int root_fd, struct view path, char out[64])
{
	struct stat status;
	char copy[64];

	if (path.len >= sizeof(copy) || !view_starts(path, "/dev/"))
		return false;
	memcpy(copy, path.ptr, path.len);
	copy[path.len] = '\0';
	if (fstatat(root_fd, copy + 1, &status, 0) < 0 || !S_ISBLK(status.st_mode))
		return false;
	memcpy(out, copy, sizeof(copy));
	return true;
}

bool block_find(int root_fd, struct view wanted, char out[64])
{
	static const struct {
		const char *prefix;
		enum by by;
	} forms[] = {
		{ "SERIAL=", BY_SERIAL },
		{ "LABEL=", BY_LABEL },
		{ "UUID=", BY_UUID },
		{ "PARTUUID=", BY_PARTUUID },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (view_starts(wanted, forms[i].prefix))
			return find_by(root_fd, forms[i].by,
				       view_from(wanted, strlen(forms[i].prefix)), out);
	return find_path(root_fd, wanted, out);
}
