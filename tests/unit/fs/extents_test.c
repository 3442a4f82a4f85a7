#include "fs/extents.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/le.h"
#include "fs/block.h"

enum { NODE_BLOCK = 500, EXTENTS_MAX = 2000 };

/* A decoder of its own: walks the tree from the root and lists what the leaves say. */
struct decoded {
	struct file_extent extents[EXTENTS_MAX];
	uint64_t count, visited; /* nodes besides the root */
	unsigned depth;
};

static void decode(struct decoded *out, const uint8_t *node, const uint8_t *nodes, unsigned depth,
		   unsigned entry_max)
{
	unsigned count = le16_get(node + 2);

	ck_assert_uint_eq(le16_get(node), 0xf30a);
	ck_assert_uint_eq(le16_get(node + 4), entry_max);
	ck_assert_uint_eq(le16_get(node + 6), depth);
	ck_assert_uint_le(count, entry_max);
	for (const uint8_t *at = node + 12; at < node + 12 + 12 * (size_t)count; at += 12) {
		if (depth == 0) {
			ck_assert_uint_lt(out->count, EXTENTS_MAX);
			out->extents[out->count++] = (struct file_extent){
				le32_get(at), le16_get(at + 4),
				(uint64_t)le16_get(at + 6) << 32 | le32_get(at + 8)
			};
			continue;
		}
		uint64_t child = (uint64_t)le16_get(at + 8) << 32 | le32_get(at + 4);
		const uint8_t *below = nodes + (child - NODE_BLOCK) * BLOCK_BYTES;

		ck_assert_uint_eq(le32_get(at), le32_get(below + 12));
		out->visited++;
		decode(out, below, nodes, depth - 1, out->depth);
	}
}

/* count extents with holes between them, at blocks past 32 bits; encoded and decoded again. */
static void check_tree(uint64_t count, unsigned node_max, unsigned depth)
{
	static struct file_extent extents[EXTENTS_MAX];
	static struct decoded decoded;
	uint8_t root[EXTENT_ROOT_BYTES];
	uint64_t node_count = extents_node_count(count, node_max);
	CLEANUP(freep) uint8_t *nodes = calloc(node_count + 1, BLOCK_BYTES);

	for (uint32_t i = 0; i < count; i++)
		extents[i] = (struct file_extent){ i * 70000u % UINT32_MAX + i, 1 + i % 32768,
						   ((uint64_t)1 << 33) + i * 5 };
	extents_encode(root, nodes, NODE_BLOCK, extents, count, node_max);
	ck_assert_uint_eq(le16_get(root + 6), depth);
	decoded = (struct decoded){ .depth = node_max };
	decode(&decoded, root, nodes, depth, EXTENT_ROOT_MAX);
	ck_assert_uint_eq(decoded.count, count);
	ck_assert_uint_eq(decoded.visited, node_count);
	ck_assert_mem_eq(decoded.extents, extents, count * sizeof(extents[0]));
}

static const struct {
	uint64_t count;
	unsigned node_max, depth;
} trees[] = {
	{ 0, EXTENT_NODE_MAX, 0 },	{ 1, EXTENT_NODE_MAX, 0 },
	{ 4, EXTENT_NODE_MAX, 0 },	{ 5, EXTENT_NODE_MAX, 1 },
	{ 340, EXTENT_NODE_MAX, 1 },	{ 341, EXTENT_NODE_MAX, 1 },
	{ 4 * 340, EXTENT_NODE_MAX, 1 }, { 4 * 340 + 1, EXTENT_NODE_MAX, 2 },
	{ 5, 2, 1 },			{ 8, 2, 1 },
	{ 9, 2, 2 },			{ 16, 2, 2 },
	{ 17, 2, 3 },			{ 128, 2, 5 },
	{ 129, 2, 6 },			{ 1999, 3, 6 },
};

START_TEST(each_tree_is_decoded_to_what_went_in)
{
	check_tree(trees[_i].count, trees[_i].node_max, trees[_i].depth);
}
END_TEST

START_TEST(the_longest_extent_is_not_taken_for_an_unwritten_one)
{
	struct file_extent extent = { 0, EXTENT_BLOCKS_MAX, 9 };
	uint8_t root[EXTENT_ROOT_BYTES];

	extents_encode(root, NULL, 0, &extent, 1, EXTENT_NODE_MAX);
	ck_assert_uint_eq(le16_get(root + 16), 32768); /* more would mean unwritten */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("extents");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, each_tree_is_decoded_to_what_went_in, 0,
			    sizeof(trees) / sizeof(trees[0]));
	tcase_add_test(all, the_longest_extent_is_not_taken_for_an_unwritten_one);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
