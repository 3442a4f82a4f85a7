/* Release at declaration: CLEANUP(fd_closep) int fd = -1; and leave a scope by plain return.
 *
 * Every type that owns something has one cleaner named x_closep or x_freep, which takes a pointer
 * to the variable and accepts its neutral value. A value leaves its scope only by x_take.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(cleaner) __attribute__((cleanup(cleaner)))

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* For any heap pointer: CLEANUP(freep) char *name = NULL; */
static inline void freep(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
}

/* Give a pointer away: return ptr_take(&name); */
#define ptr_take(pointer)                         \
	__extension__({                           \
		__typeof__(*(pointer)) taken_ = *(pointer); \
		*(pointer) = NULL;                \
		taken_;                           \
	})
