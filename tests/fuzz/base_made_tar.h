/* A tar made of a fuzzer's input, so that mutations do not end at its checksums.
 *
 * The input is cut at ";;" into members. A member's first line is "NAME", "NAME -> TARGET" for a
 * symlink or "NAME => TARGET" for a hard link; the rest is its content.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/view.h"

enum { TAR_BLOCK = 512, TAR_NAME = 100, TAR_PATH_BYTES = 40 };

static void must(bool is_done)
{
	if (!is_done)
		abort();
}

/* A file without a name, emptied; its path for those who open paths. */
static int made_file(int *fd, char path[TAR_PATH_BYTES])
{
	if (*fd == 0)
		*fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(*fd > 0 && ftruncate(*fd, 0) == 0 && lseek(*fd, 0, SEEK_SET) == 0);
	snprintf(path, TAR_PATH_BYTES, "/proc/self/fd/%d", *fd);
	return *fd;
}

static void put(int fd, const void *data, size_t len)
{
	must(write(fd, data, len) == (ssize_t)len);
}

static struct view cut_at(struct view *rest, const char *separator)
{
	size_t len = strlen(separator);
	const char *at = rest->len > 0 ? memmem(rest->ptr, rest->len, separator, len) : NULL;
	struct view part = *rest;

	part.len = at ? (size_t)(at - rest->ptr) : rest->len;
	*rest = at ? view_from(*rest, part.len + len) : (struct view){ 0 };
	return part;
}

static void put_header(int fd, struct view name, struct view target, char type, size_t size)
{
	char header[TAR_BLOCK] = { 0 };
	unsigned sum = 0;

	snprintf(header, TAR_NAME, "%.*s", VIEW_ARGS(name));
	snprintf(header + 100, 8, "%07o", 0644);
	snprintf(header + 124, 12, "%011zo", size);
	memset(header + 148, ' ', 8);
	header[156] = type;
	snprintf(header + 157, TAR_NAME, "%.*s", VIEW_ARGS(target));
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (uint8_t)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	put(fd, header, TAR_BLOCK);
}

static void put_member(int fd, struct view member)
{
	static const char zeros[TAR_BLOCK];
	struct view content = member, name = view_cut(&content, '\n'), target = name;
	char type = '2';
	struct view link = cut_at(&target, " -> ");

	if (!target.ptr) {
		target = name;
		link = cut_at(&target, " => ");
		type = '1';
	}
	if (target.ptr) {
		put_header(fd, link, target, type, 0);
		return;
	}
	put_header(fd, name, (struct view){ 0 }, '0', content.len);
	put(fd, content.ptr ? content.ptr : "", content.len);
	put(fd, zeros, (TAR_BLOCK - content.len % TAR_BLOCK) % TAR_BLOCK);
}

static void put_tar(int fd, struct view input)
{
	static const char zeros[2 * TAR_BLOCK];

	while (input.ptr && input.len > 0)
		put_member(fd, cut_at(&input, ";;"));
	put(fd, zeros, sizeof(zeros));
}
