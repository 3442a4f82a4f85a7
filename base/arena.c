#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 256 << 10 };

struct arena_block {
	struct arena_block *older;
	size_t size;
	_Alignas(8) char data[];
};

static bool add_block(struct arena *arena, size_t least)
{
	size_t size = least > BLOCK_BYTES ? least : BLOCK_BYTES;
	struct arena_block *block = size > SIZE_MAX / 2 ? NULL : calloc(1, sizeof(*block) + size);

	if (!block)
		return false;
	block->older = arena->newest;
	block->size = size;
	arena->newest = block;
	arena->left_bytes = size;
	return true;
}

void *arena_take(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	if (size > arena->left_bytes && !add_block(arena, size))
		return NULL;
	char *piece = arena->newest->data + (arena->newest->size - arena->left_bytes);

	arena->left_bytes -= size;
	arena->total_bytes += size;
	return piece;
}

char *arena_copy(struct arena *arena, const char *data, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_take(arena, len + 1) : NULL;

	if (copy && len > 0)
		memcpy(copy, data, len);
	return copy;
}

void arena_freep(struct arena *arena)
{
	while (arena->newest) {
		struct arena_block *block = arena->newest;

		arena->newest = block->older;
		free(block);
	}
	*arena = (struct arena){ 0 };
}
