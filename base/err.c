#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sentence.h"

PRINTF(2, 0) static void prefix(struct err *err, const char *format, va_list args)
{
	char text[sizeof(err->msg)];
	size_t cause_len = strlen(err->msg);
	int len = vsnprintf(text, sizeof(text), format, args);

	sentence_tame(text);
	if (len < 0 || (size_t)len + strlen(": ") + cause_len >= sizeof(err->msg))
		return;
	memmove(err->msg + len + strlen(": "), err->msg, cause_len + 1);
	memcpy(err->msg, text, (size_t)len);
	memcpy(err->msg + len, ": ", strlen(": "));
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	struct err fresh = { .kind = kind }; /* apart from *err: an argument may point into it */
	va_list args;

	va_start(args, format);
	vsnprintf(fresh.msg, sizeof(fresh.msg), format, args);
	va_end(args);
	sentence_tame(fresh.msg);
	*err = fresh;
	return false;
}

PRINTF(3, 0)
static void set_from_errno(struct err *err, int saved, const char *format, va_list args)
{
	bool is_space = saved == ENOSPC || saved == EDQUOT;

	err_set(err, is_space ? ERR_SPACE : ERR_IO, "%s", strerror(saved));
	err->os_errno = saved;
	prefix(err, format, args);
}

bool err_os(struct err *err, const char *format, ...)
{
	int saved = errno; /* before anything below can change it */
	va_list args;

	va_start(args, format);
	set_from_errno(err, saved, format, args);
	va_end(args);
	return false;
}

bool err_os_path(struct err *err, const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	set_from_errno(err, saved, format, args);
	va_end(args);
	if (saved == ENOENT || saved == ENOTDIR)
		err->kind = ERR_NOT_FOUND;
	return false;
}

bool err_memory(struct err *err, const char *what)
{
	err_set(err, ERR_IO, "out of memory: %s", what);
	err->os_errno = ENOMEM;
	return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	prefix(err, format, args);
	va_end(args);
	return false;
}

static const struct {
	int exit_code;
	const char *name;
} kinds[ERR_KIND_COUNT] = {
	[ERR_NONE] = { 0, "none" },
	[ERR_USAGE] = { 2, "usage" },
	[ERR_NOT_FOUND] = { 3, "not-found" },
	[ERR_AUTH] = { 4, "auth" },
	[ERR_NETWORK] = { 5, "network" },
	[ERR_INTEGRITY] = { 6, "integrity" },
	[ERR_UNSUPPORTED] = { 7, "unsupported" },
	[ERR_FORMAT] = { 8, "format" },
	[ERR_SPACE] = { 9, "space" },
	[ERR_MISMATCH] = { 10, "mismatch" },
	[ERR_BUSY] = { 11, "busy" },
	[ERR_IO] = { 12, "io" },
	[ERR_INTERNAL] = { 70, "internal" },
};

int err_exit_code(enum err_kind kind)
{
	return kinds[kind].exit_code;
}

const char *err_kind_name(enum err_kind kind)
{
	return kinds[kind].name;
}
