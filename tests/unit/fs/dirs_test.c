#include "fs/dirs.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <ext2fs/ext2fs.h>

#include "base/cleanup.h"
#include "base/le.h"
#include "fs/dir_entry.h"
#include "fs/image.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/many_names.h"
#include "tests/kit/fs/scratch.h"

enum { LONG_NAME = 255, INFO_AT = 24, ROOT_ENTRIES_AT = 32, NODE_ENTRIES_AT = 8 };

static struct many_names names;
static struct plan plan;
static struct digest identity;
static uint8_t *blocks; /* the directory's */
static struct err err;

static void begin(void)
{
	err = (struct err){ 0 };
	identity = digest_of("made", 4);
}

static void end(void)
{
	plan_freep(&plan);
	many_names_freep(&names);
	freep(&blocks);
}

static void make(uint32_t len, uint32_t count)
{
	many_names_make(&names, len);
	many_names_add(&names, 0, count, false);
	ck_assert_msg(plan_count(&plan, names.tree, &identity, &err), "%s", err.msg);
	uint32_t block_count = plan.inodes[names.dir].dir_blocks;

	blocks = calloc(block_count, BLOCK_BYTES);
	ck_assert_ptr_nonnull(blocks);
	for (uint32_t i = 0; i < block_count; i++)
		dir_fill(&plan, names.dir, i, blocks + (size_t)i * BLOCK_BYTES);
}

/* Where a walk through the index stands, on each of its levels. */
struct place {
	const uint8_t *entries;
	uint32_t at;
};

static uint32_t entry_hash(const struct place *place, uint32_t at)
{
	return at == 0 ? 0 : le32_get(place->entries + at * 8);
}

static uint32_t entry_block(const struct place *place)
{
	return le32_get(place->entries + place->at * 8 + 4);
}

static uint32_t entry_count(const struct place *place)
{
	return le16_get(place->entries + 2);
}

static struct place place_in(const uint8_t *entries, uint32_t hash)
{
	struct place place = { entries, 0 };

	while (place.at + 1 < entry_count(&place) && entry_hash(&place, place.at + 1) <= hash)
		place.at++;
	return place;
}

static const uint8_t *node_entries(const struct place *parent)
{
	return blocks + (size_t)entry_block(parent) * BLOCK_BYTES + NODE_ENTRIES_AT;
}

static bool block_has(uint32_t number, struct view name, uint32_t inode)
{
	const uint8_t *block = blocks + (size_t)number * BLOCK_BYTES;

	for (unsigned at = 0; at < DIR_ROOM_BYTES; at += le16_get(block + at + 4)) {
		const char *text = (const char *)block + at + DIR_HEAD_BYTES;

		ck_assert_uint_ge(le16_get(block + at + 4), dir_entry_bytes(block[at + 6]));
		if (le32_get(block + at) == inode && block[at + 7] == 1 &&
		    view_same((struct view){ text, block[at + 6] }, name))
			return true;
	}
	return false;
}

/* As the kernel goes on when the next entry says that it begins with the same hash. */
static bool next_leaf(struct place *levels, uint32_t level_count, uint32_t hash)
{
	uint32_t level = level_count - 1;

	while (levels[level].at + 1 == entry_count(&levels[level])) {
		if (level-- == 0)
			return false;
	}
	levels[level].at++;
	if (entry_hash(&levels[level], levels[level].at) != (hash | 1))
		return false;
	for (; level + 1 < level_count; level++)
		levels[level + 1] = (struct place){ node_entries(&levels[level]), 0 };
	return true;
}

/* The number of leaves looked at, 0 when the name is in none of them. */
static unsigned look_up(struct view name, uint32_t inode)
{
	uint32_t seed[4], hash = 0, level_count = 1 + blocks[INFO_AT + 6];
	struct place levels[2];

	memcpy(seed, identity.sha256 + IDENTITY_SEED_AT, sizeof(seed));
	ck_assert_int_eq(ext2fs_dirhash(EXT2_HASH_HALF_MD4, name.ptr, (int)name.len, seed, &hash,
					NULL),
			 0);
	levels[0] = place_in(blocks + ROOT_ENTRIES_AT, hash);
	if (level_count == 2)
		levels[1] = place_in(node_entries(&levels[0]), hash);
	for (unsigned looked = 1;; looked++) {
		if (block_has(entry_block(&levels[level_count - 1]), name, inode))
			return looked;
		if (!next_leaf(levels, level_count, hash))
			return 0;
	}
}

/* Every name is found; returns how many were behind the first leaf looked at. */
static uint32_t look_all_up(void)
{
	uint32_t later = 0;

	for (uint32_t i = 1; i <= tree_name_max(names.tree); i++) {
		const struct tree_name *name = tree_name(names.tree, i);

		if (name->parent != names.dir || name->inode == TREE_NONE || name->len != names.len)
			continue;
		unsigned looked = look_up(many_names_text(&names, i),
					  plan.inodes[name->inode].number);

		ck_assert_uint_gt(looked, 0);
		later += looked > 1;
	}
	return later;
}

static const struct {
	uint32_t len, count, block_count;
} one_or_more[] = {
	{ 20, 0, 1 },
	{ 20, 1, 1 },
	{ 20, 145, 1 }, /* of 28 bytes, with the 24 of "." and "..": all 4,084 bytes */
	{ 20, 146, 3 }, /* the root and two leaves of 116 at most */
	{ 20, 232, 3 },
	{ 20, 233, 4 },
	{ LONG_NAME, 15, 1 },
	{ LONG_NAME, 16, 3 },
	{ LONG_NAME, 507 * 12, 1 + 507 },
	{ LONG_NAME, 507 * 12 + 1, 1 + 1 + 508 },
	{ LONG_NAME, 510 * 12 + 1, 1 + 2 + 511 },
};

START_TEST(blocks_are_as_many_as_are_needed)
{
	make(one_or_more[_i].len, one_or_more[_i].count);
	ck_assert_uint_eq(plan.inodes[names.dir].dir_blocks, one_or_more[_i].block_count);
	ck_assert_int_eq(plan_htree(&plan, names.dir) != NULL, one_or_more[_i].block_count > 1);
}
END_TEST

START_TEST(a_single_block_holds_its_names_in_a_row)
{
	make(20, 145);
	for (uint32_t i = 1; i <= tree_name_max(names.tree); i++) {
		const struct tree_name *name = tree_name(names.tree, i);

		ck_assert(name->parent != names.dir || name->len != names.len ||
			  block_has(0, many_names_text(&names, i),
				    plan.inodes[name->inode].number));
	}
}
END_TEST

START_TEST(one_level_leads_to_every_name)
{
	make(20, 20000);
	ck_assert_uint_eq(blocks[INFO_AT + 6], 0);
	look_all_up();
}
END_TEST

START_TEST(two_levels_lead_to_every_name)
{
	make(LONG_NAME, 20000);
	ck_assert_uint_eq(blocks[INFO_AT + 6], 1);
	look_all_up();
}
END_TEST

START_TEST(names_of_one_hash_are_found_in_both_leaves)
{
	identity = digest_of("seed 20", 7); /* two of these names fall apart so */
	make(LONG_NAME, 50000);
	ck_assert_uint_eq(look_all_up(), 1);
}
END_TEST

/* Read as names by what knows of no index, the index is empty room. */
START_TEST(index_blocks_read_as_blocks_without_names)
{
	make(LONG_NAME, 10000);
	ck_assert_uint_eq(le16_get(blocks + 4), 12);
	ck_assert_uint_eq(le16_get(blocks + 12 + 4), BLOCK_BYTES - 12);
	ck_assert_uint_eq(le32_get(blocks + BLOCK_BYTES), 0);
	ck_assert_uint_eq(le16_get(blocks + BLOCK_BYTES + 4), BLOCK_BYTES);
}
END_TEST

/* Directories of all those sizes, and a root that has an index too. */
START_TEST(e2fsck_finds_nothing_in_directories_of_any_size)
{
	CLEANUP(made_tree_freep) struct made_tree made = MADE_TREE_NONE;
	CLEANUP(fd_closep) int fd = scratch_file();
	struct image_options options = made_options();
	struct image_result result;
	char path[300];

	made_tree_begin(&made, -1);
	made_tree_add_dir(&made, "root-is-full");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "in-the-root-%014u", i);
		made_tree_add_dir(&made, path);
	}
	for (size_t i = 0; i < sizeof(one_or_more) / sizeof(one_or_more[0]); i++) {
		for (uint32_t j = 0; j < one_or_more[i].count; j++) {
			int len = snprintf(path, sizeof(path), "%zu/", i);

			snprintf(path + len, sizeof(path) - (size_t)len, "%0*u",
				 (int)one_or_more[i].len, j);
			made_tree_add(&made, &(struct entry){ .kind = ENTRY_FIFO,
							      .path = view_of(path) });
		}
	}
	made_tree_finish(&made);
	ck_assert_msg(made_tree_write(&made, fd, &options, &result, &err), "%s", err.msg);
	ck_assert(scratch_is_sound(fd));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dirs");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, blocks_are_as_many_as_are_needed, 0,
			    sizeof(one_or_more) / sizeof(one_or_more[0]));
	tcase_add_test(all, a_single_block_holds_its_names_in_a_row);
	tcase_add_test(all, one_level_leads_to_every_name);
	tcase_add_test(all, two_levels_lead_to_every_name);
	tcase_add_test(all, names_of_one_hash_are_found_in_both_leaves);
	tcase_add_test(all, index_blocks_read_as_blocks_without_names);
	tcase_add_test(all, e2fsck_finds_nothing_in_directories_of_any_size);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
