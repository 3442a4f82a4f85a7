#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>

MUST_CHECK static bool reserve(struct bytes *bytes, size_t more, struct err *err)
{
	size_t need = 0;

	if (__builtin_add_overflow(bytes->len, more, &need) || need > bytes->cap_max)
		return err_set(err, ERR_UNSUPPORTED, "over %zu bytes", bytes->cap_max);
	if (bytes->data && need < bytes->capacity)
		return true;
	size_t capacity = bytes->capacity < 128 ? 256 : bytes->capacity * 2;

	if (capacity <= need)
		capacity = need + 1;
	char *data = realloc(bytes->data, capacity);

	if (!data)
		return err_memory(err, "growing a buffer");
	bytes->data = data;
	bytes->capacity = capacity;
	return true;
}

bool bytes_grow(struct bytes *bytes, size_t len, char **room, struct err *err)
{
	if (!reserve(bytes, len, err))
		return false;
	*room = bytes->data + bytes->len;
	bytes->len += len;
	bytes->data[bytes->len] = '\0';
	return true;
}

bool bytes_append(struct bytes *bytes, const void *data, size_t len, struct err *err)
{
	char *room = NULL;

	if (!bytes_grow(bytes, len, &room, err))
		return false;
	if (len > 0)
		memcpy(room, data, len);
	return true;
}

bool bytes_print(struct bytes *bytes, struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return err_set(err, ERR_INTERNAL, "a format that printf refuses: %s", format);
	if (!reserve(bytes, (size_t)len, err))
		return false;
	va_start(args, format);
	vsnprintf(bytes->data + bytes->len, (size_t)len + 1, format, args);
	va_end(args);
	bytes->len += (size_t)len;
	return true;
}

void bytes_clear(struct bytes *bytes)
{
	bytes->len = 0;
	if (bytes->data)
		bytes->data[0] = '\0';
}

void bytes_freep(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = bytes_capped(bytes->cap_max);
}

void bytes_wipep(struct bytes *bytes)
{
	if (bytes->data)
		explicit_bzero(bytes->data, bytes->capacity);
	bytes_freep(bytes);
}

char *bytes_take(struct bytes *bytes)
{
	char *data = bytes->data;

	*bytes = bytes_capped(bytes->cap_max);
	return data;
}
