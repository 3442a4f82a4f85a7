#include "tar_sparse.h"

#include <stdlib.h>

void tar_map_freep(struct tar_map *map)
{
	free(map->segments);
	*map = (struct tar_map){ 0 };
}

void tar_map_clear(struct tar_map *map)
{
	map->count = 0;
	map->is_half = false;
}

MUST_CHECK static bool add_segment(struct tar_map *map, uint64_t offset, struct err *err)
{
	if (map->count == map->cap)
		return err_set(err, ERR_UNSUPPORTED, "a sparse file of more than %zu segments",
			       map->cap);
	if (map->count == map->capacity) {
		size_t wanted = map->capacity ? map->capacity * 2 : 64;
		struct tar_segment *bigger = realloc(map->segments, wanted * sizeof(*bigger));

		if (!bigger)
			return err_memory(err, "growing a sparse map");
		map->segments = bigger;
		map->capacity = wanted;
	}
	map->segments[map->count++] = (struct tar_segment){ .offset = offset };
	return true;
}

bool tar_map_add(struct tar_map *map, uint64_t number, struct err *err)
{
	if (!map->is_half && !add_segment(map, number, err))
		return false;
	if (map->is_half)
		map->segments[map->count - 1].len = number;
	map->is_half = !map->is_half;
	return true;
}

MUST_CHECK static bool add_field(struct tar_map *map, const char field[12], struct err *err)
{
	int64_t number = 0;

	if (!tar_number(field, 12, &number) || number < 0)
		return err_set(err, ERR_FORMAT, "a number in its sparse map is broken");
	return tar_map_add(map, (uint64_t)number, err);
}

bool tar_map_add_fields(struct tar_map *map, const struct tar_sparse_field *fields,
			size_t field_count, struct err *err)
{
	for (size_t i = 0; i < field_count && fields[i].offset[0] != '\0'; i++) {
		if (!add_field(map, fields[i].offset, err) || !add_field(map, fields[i].len, err))
			return false;
	}
	return true;
}

bool tar_map_add_list(struct tar_map *map, struct view list, struct err *err)
{
	while (list.ptr) {
		uint64_t number = 0;

		if (!view_number(view_cut(&list, ','), 10, INT64_MAX, &number))
			return err_set(err, ERR_FORMAT, "a number in its sparse map is broken");
		if (!tar_map_add(map, number, err))
			return false;
	}
	return true;
}

bool tar_map_check(struct tar_map *map, uint64_t size, uint64_t stored_bytes, struct err *err)
{
	uint64_t end = 0, sum = 0;
	size_t kept = 0;

	if (map->is_half)
		return err_set(err, ERR_FORMAT, "its sparse map ends after an offset");
	for (size_t i = 0; i < map->count; i++) {
		struct tar_segment segment = map->segments[i];

		if (segment.offset < end || segment.offset > size ||
		    segment.len > size - segment.offset)
			return err_set(err, ERR_FORMAT,
				       "its sparse map is out of order or past its end");
		end = segment.offset + segment.len;
		sum += segment.len; /* at most size */
		if (segment.len > 0)
			map->segments[kept++] = segment;
	}
	map->count = kept;
	if (sum != stored_bytes)
		return err_set(err, ERR_FORMAT,
			       "its sparse map speaks of %llu bytes and %llu are stored",
			       (unsigned long long)sum, (unsigned long long)stored_bytes);
	return true;
}

/* A number's newline has come: the first says how many segments there are. */
MUST_CHECK static bool end_number(struct tar_map *map, struct tar_map_text *text, struct err *err)
{
	uint64_t number = text->number;

	if (text->digit_count == 0)
		return err_set(err, ERR_FORMAT, "a number in its sparse map is empty");
	text->number = 0;
	text->digit_count = 0;
	if (text->has_count) {
		text->numbers_left--;
		return tar_map_add(map, number, err);
	}
	if (number > map->cap)
		return err_set(err, ERR_UNSUPPORTED, "a sparse file of more than %zu segments",
			       map->cap);
	text->numbers_left = number * 2;
	text->has_count = true;
	return true;
}

bool tar_map_add_text(struct tar_map *map, struct tar_map_text *text,
		      const char block[TAR_BLOCK_BYTES], bool *is_whole, struct err *err)
{
	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
		if (text->has_count && text->numbers_left == 0)
			break;
		if (block[i] == '\n') {
			if (!end_number(map, text, err))
				return false;
		} else if (block[i] < '0' || block[i] > '9' || text->digit_count == 18) {
			return err_set(err, ERR_FORMAT, "a number in its sparse map is broken");
		} else {
			text->number = text->number * 10 + (uint64_t)(block[i] - '0');
			text->digit_count++;
		}
	}
	*is_whole = text->has_count && text->numbers_left == 0;
	return true;
}
