#include "chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/le.h"

static const char map_magic[8] = "vmbpart1";

static uint64_t start_of(size_t index)
{
	return (uint64_t)index * CHUNK_BYTES;
}

static uint64_t length_of(const struct chunks *chunks, size_t index)
{
	uint64_t left = chunks->size_bytes - start_of(index);

	return left < CHUNK_BYTES ? left : CHUNK_BYTES;
}

static bool is_whole(const struct chunks *chunks, size_t index)
{
	return chunks->list[index].received_bytes == length_of(chunks, index);
}

/* Only the chunks from the old prefix on can have changed it. */
static void count_prefix(struct chunks *chunks)
{
	size_t index = (size_t)(chunks->prefix_bytes / CHUNK_BYTES);

	while (index < chunks->count && is_whole(chunks, index))
		index++;
	chunks->prefix_bytes = index < chunks->count
				       ? start_of(index) + chunks->list[index].received_bytes
				       : chunks->size_bytes;
}

bool chunks_new(struct chunks *out, uint64_t size_bytes, struct err *err)
{
	struct chunks chunks = { .size_bytes = size_bytes, .missing_bytes = size_bytes };

	chunks.count = (size_t)(size_bytes / CHUNK_BYTES + (size_bytes % CHUNK_BYTES > 0));
	chunks.list = calloc(chunks.count + 1, sizeof(*chunks.list));
	if (!chunks.list)
		return err_memory(err, "the map of a blob");
	*out = chunks;
	return true;
}

void chunks_freep(struct chunks *chunks)
{
	free(chunks->list);
	*chunks = (struct chunks){ 0 };
}

void chunks_clear(struct chunks *chunks)
{
	memset(chunks->list, 0, chunks->count * sizeof(*chunks->list));
	chunks->prefix_bytes = 0;
	chunks->missing_bytes = chunks->size_bytes;
}

static void claim(struct chunks *chunks, const struct chunk_range *range, bool is_claimed)
{
	size_t first = (size_t)(range->first / CHUNK_BYTES);

	for (size_t i = first; i < chunks->count && start_of(i) < range->end; i++)
		chunks->list[i].is_claimed = is_claimed;
}

bool chunks_claim(struct chunks *chunks, bool by_chunk, uint64_t reader_offset,
		  struct chunk_range *out)
{
	size_t index = (size_t)(chunks->prefix_bytes / CHUNK_BYTES);

	while (index < chunks->count && (chunks->list[index].is_claimed || is_whole(chunks, index)))
		index++;
	if (index >= chunks->count)
		return false;
	if (by_chunk && start_of(index) >= reader_offset + CHUNK_WINDOW_BYTES)
		return false;
	struct chunk_range range = { start_of(index) + chunks->list[index].received_bytes,
				     start_of(index) + length_of(chunks, index) };

	while (!by_chunk && ++index < chunks->count && !chunks->list[index].is_claimed &&
	       chunks->list[index].received_bytes == 0)
		range.end = start_of(index) + length_of(chunks, index);
	claim(chunks, &range, true);
	*out = range;
	return true;
}

bool chunks_claim_all(struct chunks *chunks, struct chunk_range *out)
{
	struct chunk_range range = { 0, chunks->size_bytes };

	if (chunks->missing_bytes == 0)
		return false;
	for (size_t i = 0; i < chunks->count; i++)
		if (chunks->list[i].is_claimed)
			return false;
	claim(chunks, &range, true);
	*out = range;
	return true;
}

void chunks_release(struct chunks *chunks, const struct chunk_range *range)
{
	claim(chunks, range, false);
}

uint64_t chunks_add(struct chunks *chunks, uint64_t offset, uint64_t len)
{
	uint64_t added = 0, end = offset + len;

	for (size_t i = (size_t)(offset / CHUNK_BYTES); i < chunks->count && start_of(i) < end;
	     i++) {
		uint64_t had_end = start_of(i) + chunks->list[i].received_bytes;
		uint64_t chunk_end = start_of(i) + length_of(chunks, i);
		uint64_t new_end = end < chunk_end ? end : chunk_end;

		if (offset > had_end || new_end <= had_end)
			continue;
		added += new_end - had_end;
		chunks->list[i].received_bytes = (uint32_t)(new_end - start_of(i));
	}
	chunks->missing_bytes -= added;
	count_prefix(chunks);
	return added;
}

bool chunks_save(const struct chunks *chunks, struct bytes *out, struct err *err)
{
	size_t len = CHUNK_MAP_HEADER_BYTES + chunks->count * CHUNK_MAP_ENTRY_BYTES;
	char *room = NULL;

	if (!bytes_grow(out, len, &room, err))
		return false;
	memcpy(room, map_magic, sizeof(map_magic));
	le64_put(room + 8, chunks->size_bytes);
	le64_put(room + 16, CHUNK_BYTES);
	for (size_t i = 0; i < chunks->count; i++)
		le32_put(room + CHUNK_MAP_HEADER_BYTES + i * CHUNK_MAP_ENTRY_BYTES,
			 chunks->list[i].received_bytes);
	return true;
}

bool chunks_load(struct chunks *chunks, struct view map)
{
	const char *entries = map.ptr + CHUNK_MAP_HEADER_BYTES;

	if (map.len != CHUNK_MAP_HEADER_BYTES + chunks->count * CHUNK_MAP_ENTRY_BYTES ||
	    memcmp(map.ptr, map_magic, sizeof(map_magic)) != 0 ||
	    le64_get(map.ptr + 8) != chunks->size_bytes || le64_get(map.ptr + 16) != CHUNK_BYTES)
		return false;
	for (size_t i = 0; i < chunks->count; i++)
		if (le32_get(entries + i * CHUNK_MAP_ENTRY_BYTES) > length_of(chunks, i))
			return false;
	chunks_clear(chunks);
	for (size_t i = 0; i < chunks->count; i++)
		chunks_add(chunks, start_of(i), le32_get(entries + i * CHUNK_MAP_ENTRY_BYTES));
	return true;
}
