#include "fs/htree.h"

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "fs/dir_entry.h"
#include "tests/kit/fs/many_names.h"

enum {
	LONG_NAME = 255,
	LONG_PER_LEAF = 12, /* of 264 bytes, in four fifths of 4,084 */
	LONG_PER_FULL_LEAF = 15,
};

static struct many_names names;
static struct htree htree;
static struct hash_seed seed;
static struct err err;

static void begin(void)
{
	static const uint8_t bytes[HASH_SEED_BYTES] = { 1, 2, 3 };

	seed = hash_seed_of(bytes);
	err = (struct err){ 0 };
}

static void end(void)
{
	htree_freep(&htree);
	many_names_freep(&names);
}

static void make(uint32_t len, uint32_t count)
{
	many_names_make(&names, len);
	many_names_add(&names, 0, count, false);
	ck_assert_msg(htree_make(&htree, names.tree, names.dir, false, &seed, &err), "%s", err.msg);
}

static uint32_t hash_at(uint32_t i)
{
	return name_hash(&seed, many_names_text(&names, htree.names[i])).major;
}

static size_t leaf_bytes(uint32_t leaf)
{
	size_t used = 0;

	for (uint32_t i = htree.leaves[leaf].first; i < htree_leaf_end(&htree, leaf); i++)
		used += dir_entry_bytes(many_names_text(&names, htree.names[i]).len);
	return used;
}

START_TEST(names_come_in_the_order_of_their_hashes)
{
	make(20, 10000);
	ck_assert_uint_eq(htree.name_count, 10000);
	for (uint32_t i = 1; i < htree.name_count; i++)
		ck_assert_uint_le(hash_at(i - 1), hash_at(i));
}
END_TEST

START_TEST(each_name_comes_once)
{
	CLEANUP(freep) bool *is_there = calloc(10003, sizeof(*is_there));

	make(20, 10000);
	for (uint32_t i = 0; i < htree.name_count; i++) {
		ck_assert(!is_there[htree.names[i]]);
		is_there[htree.names[i]] = true;
	}
}
END_TEST

START_TEST(leaves_keep_a_fifth_free_and_no_more)
{
	make(20, 10000);
	for (uint32_t i = 0; i < htree.leaf_count; i++)
		ck_assert_uint_le(leaf_bytes(i), 3264);
	for (uint32_t i = 0; i + 1 < htree.leaf_count; i++)
		ck_assert_uint_gt(leaf_bytes(i) + dir_entry_bytes(20), 3264);
}
END_TEST

START_TEST(the_order_of_adding_does_not_matter)
{
	CLEANUP(many_names_freep) struct many_names others = { 0 };
	CLEANUP(htree_freep) struct htree other = { 0 };

	make(LONG_NAME, 100000);
	many_names_make(&others, LONG_NAME);
	many_names_add(&others, 0, 100000, true);
	ck_assert(htree_make(&other, others.tree, others.dir, false, &seed, &err));
	for (uint32_t i = 0; i < htree.name_count; i++)
		ck_assert(view_same(many_names_text(&names, htree.names[i]),
				    many_names_text(&others, other.names[i])));
}
END_TEST

START_TEST(the_roots_own_name_is_in)
{
	uint32_t found = 0;

	many_names_make(&names, 20);
	many_names_add(&names, 0, 1000, false);
	ck_assert(htree_make(&htree, names.tree, names.dir, true, &seed, &err));
	ck_assert_uint_eq(htree.name_count, 1001);
	for (uint32_t i = 0; i < htree.name_count; i++)
		found += htree.names[i] == TREE_NONE;
	ck_assert_uint_eq(found, 1);
}
END_TEST

static const struct {
	uint32_t name_count, leaf_count, node_count;
} levels[] = {
	{ LONG_PER_LEAF, 1, 0 },
	{ LONG_PER_LEAF + 1, 2, 0 },
	{ LONG_PER_LEAF * HTREE_ROOT_MAX, HTREE_ROOT_MAX, 0 },
	{ LONG_PER_LEAF * HTREE_ROOT_MAX + 1, HTREE_ROOT_MAX + 1, 1 },
	{ LONG_PER_LEAF * HTREE_NODE_MAX, HTREE_NODE_MAX, 1 },
	{ LONG_PER_LEAF * HTREE_NODE_MAX + 1, HTREE_NODE_MAX + 1, 2 },
};

START_TEST(a_second_level_comes_when_the_root_is_full)
{
	make(LONG_NAME, levels[_i].name_count);
	ck_assert_uint_eq(htree.leaf_count, levels[_i].leaf_count);
	ck_assert_uint_eq(htree.node_count, levels[_i].node_count);
	ck_assert_uint_eq(htree_block_count(&htree),
			  1 + levels[_i].node_count + levels[_i].leaf_count);
}
END_TEST

/* With that seed two of the names hash alike and fall apart between two leaves. */
START_TEST(equal_hashes_in_two_leaves_are_marked)
{
	struct digest digest = digest_of("seed 20", 7);
	uint32_t marked = 0;

	seed = hash_seed_of(digest.sha256 + IDENTITY_SEED_AT);
	make(LONG_NAME, 50000);
	for (uint32_t i = 0; i < htree.leaf_count; i++) {
		uint32_t first = htree.leaves[i].first;
		bool goes_on = i > 0 && hash_at(first - 1) == hash_at(first);

		ck_assert_uint_eq(htree.leaves[i].hash, hash_at(first) | goes_on);
		marked += goes_on;
	}
	ck_assert_uint_eq(marked, 1);
}
END_TEST

START_TEST(leaves_are_filled_up_before_a_directory_is_refused)
{
	uint32_t most = HTREE_LEAVES_MAX * LONG_PER_FULL_LEAF;

	make(LONG_NAME, HTREE_LEAVES_MAX * LONG_PER_LEAF + 1);
	ck_assert_uint_eq(htree.leaf_count,
			  HTREE_LEAVES_MAX * LONG_PER_LEAF / LONG_PER_FULL_LEAF + 1);
	htree_freep(&htree);
	many_names_add(&names, HTREE_LEAVES_MAX * LONG_PER_LEAF + 1, most, false);
	ck_assert(htree_make(&htree, names.tree, names.dir, false, &seed, &err));
	ck_assert_uint_eq(htree.leaf_count, HTREE_LEAVES_MAX);
	htree_freep(&htree);
	many_names_add(&names, most, most + 1, false);
	ck_assert(!htree_make(&htree, names.tree, names.dir, false, &seed, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("htree");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, names_come_in_the_order_of_their_hashes);
	tcase_add_test(all, each_name_comes_once);
	tcase_add_test(all, leaves_keep_a_fifth_free_and_no_more);
	tcase_add_test(all, the_order_of_adding_does_not_matter);
	tcase_add_test(all, the_roots_own_name_is_in);
	tcase_add_loop_test(all, a_second_level_comes_when_the_root_is_full, 0,
			    sizeof(levels) / sizeof(levels[0]));
	tcase_add_test(all, equal_hashes_in_two_leaves_are_marked);
	tcase_add_test(all, leaves_are_filled_up_before_a_directory_is_refused);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
