#include "extents.h"

#include "base/le.h"
#include "block.h"

enum {
	EXTENT_MAGIC = 0xf30a,
	ENTRY_BYTES = 12, /* header, extent and index are all this long */
};

static uint64_t divide_up(uint64_t count, uint64_t by)
{
	return (count + by - 1) / by;
}

uint64_t extents_node_count(uint64_t extent_count, unsigned node_max)
{
	uint64_t total = 0;

	while (extent_count > EXTENT_ROOT_MAX) {
		extent_count = divide_up(extent_count, node_max);
		total += extent_count;
	}
	return total;
}

static void put_header(uint8_t *to, unsigned entry_count, unsigned entry_max, unsigned depth)
{
	le16_put(to, EXTENT_MAGIC);
	le16_put(to + 2, (uint16_t)entry_count);
	le16_put(to + 4, (uint16_t)entry_max);
	le16_put(to + 6, (uint16_t)depth);
	le32_put(to + 8, 0); /* generation */
}

static void put_extent(uint8_t *to, const struct file_extent *extent)
{
	le32_put(to, extent->block);
	le16_put(to + 4, (uint16_t)extent->count);
	le16_put(to + 6, (uint16_t)(extent->physical >> 32));
	le32_put(to + 8, (uint32_t)extent->physical);
}

static void put_index(uint8_t *to, uint32_t block, uint64_t child)
{
	le32_put(to, block);
	le32_put(to + 4, (uint32_t)child);
	le16_put(to + 8, (uint16_t)(child >> 32));
	le16_put(to + 10, 0);
}

/* One level of the tree: either the extents themselves or the blocks of the level below. */
struct level {
	const struct file_extent *extents; /* depth 0 */
	const uint8_t *below; /* the level below's blocks, depth > 0 */
	uint64_t below_block; /* where below[0] lies */
	uint64_t count;
	unsigned depth;
};

static void put_entry(uint8_t *to, const struct level *level, uint64_t number)
{
	if (level->depth == 0)
		put_extent(to, &level->extents[number]);
	else /* a child is known by its first entry's block in the file */
		put_index(to, le32_get(level->below + number * BLOCK_BYTES + ENTRY_BYTES),
			  level->below_block + number);
}

static void put_node(uint8_t *to, const struct level *level, uint64_t first, unsigned entry_max)
{
	uint64_t left = level->count - first;
	unsigned count = left < entry_max ? (unsigned)left : entry_max;

	put_header(to, count, entry_max, level->depth);
	for (unsigned i = 0; i < count; i++)
		put_entry(to + ENTRY_BYTES * (1 + i), level, first + i);
}

void extents_encode(uint8_t *root, uint8_t *nodes, uint64_t node_block,
		    const struct file_extent *extents, uint64_t extent_count, unsigned node_max)
{
	struct level level = { .extents = extents, .count = extent_count };

	while (level.count > EXTENT_ROOT_MAX) {
		uint64_t node_count = divide_up(level.count, node_max);

		for (uint64_t i = 0; i < node_count; i++)
			put_node(nodes + i * BLOCK_BYTES, &level, i * node_max, node_max);
		level = (struct level){ .below = nodes,
					.below_block = node_block,
					.count = node_count,
					.depth = level.depth + 1 };
		nodes += node_count * BLOCK_BYTES;
		node_block += node_count;
	}
	memset(root, 0, EXTENT_ROOT_BYTES);
	put_node(root, &level, 0, EXTENT_ROOT_MAX);
}
