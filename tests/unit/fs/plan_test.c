#include "fs/plan.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "fs/block.h"
#include "layers/tree_walk.h"
#include "tests/kit/fs/made_tree.h"

static struct made_tree made;
static struct plan plan;
static struct err err;
static const struct digest identity;

static void begin(void)
{
	err = (struct err){ 0 };
	made_tree_begin(&made, -1);
}

static void end(void)
{
	plan_freep(&plan);
	made_tree_freep(&made);
}

static void add_blocks(const char *path, size_t blocks)
{
	CLEANUP(freep) char *body = made_body(blocks * BLOCK_BYTES, 1);
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of(path),
			       .size = blocks * BLOCK_BYTES };

	made_tree_add_file(&made, &entry, &(struct made_part){ 0, { body, entry.size } }, 1);
}

static bool place(const struct run *runs, size_t run_count)
{
	struct space space = { .runs = runs, .run_count = run_count };
	bool has_room = false;

	ck_assert_msg(plan_count(&plan, made.tree, &identity, &err), "%s", err.msg);
	ck_assert_msg(plan_place(&plan, &space, &has_room, &err), "%s", err.msg);
	return has_room;
}

static uint32_t inode_of(const char *path)
{
	uint32_t inode = TREE_NONE;

	ck_assert(tree_walk(made.tree, view_of(path), true, &inode, &err));
	ck_assert_uint_ne(inode, TREE_NONE);
	return inode;
}

START_TEST(neighbours_in_a_layer_are_one_copy)
{
	const struct run runs[] = { { 1000, 100000 } };

	add_blocks("a", 3);
	add_blocks("dir/b", 1);
	add_blocks("c", 500);
	made_tree_finish(&made);
	ck_assert(place(runs, 1));
	ck_assert_uint_eq(plan.copy_count, 1);
	ck_assert_uint_eq(plan.copies[0].block_count, 504);
	ck_assert_uint_eq(plan.copies[0].data_block, 0);
	/* Behind lost+found, the root and dir. */
	ck_assert_uint_eq(plan.copies[0].image_block, 1000 + LOST_FOUND_BLOCKS + 2);
}
END_TEST

START_TEST(a_file_that_went_leaves_a_gap_between_copies)
{
	const struct run runs[] = { { 1000, 100000 } };

	add_blocks("a", 3);
	add_blocks("gone", 2);
	add_blocks("c", 4);
	made_tree_finish(&made);
	tree_unlink(made.tree, tree_find(made.tree, TREE_ROOT, view_of("gone")));
	ck_assert(place(runs, 1));
	ck_assert_uint_eq(plan.copy_count, 2);
	ck_assert_uint_eq(plan.copies[1].data_block, 5);
	ck_assert_uint_eq(plan.copies[1].image_block, plan.copies[0].image_block + 3);
	ck_assert_uint_eq(plan.body_blocks, 7);
}
END_TEST

START_TEST(a_body_goes_around_what_is_in_use)
{
	const struct run runs[] = { { 1000, LOST_FOUND_BLOCKS + 1 + 2 }, { 2000, 100 } };

	add_blocks("a", 5);
	made_tree_finish(&made);
	ck_assert(place(runs, 2));
	ck_assert_uint_eq(plan.copy_count, 2);
	ck_assert_uint_eq(plan.copies[0].block_count, 2);
	ck_assert_uint_eq(plan.copies[1].image_block, 2000);
	ck_assert_uint_eq(plan.inodes[inode_of("/a")].extent_count, 2);
}
END_TEST

START_TEST(a_long_body_is_cut_into_extents)
{
	const struct run runs[] = { { 0, 1000000 } };
	const struct extent extent = { 0, 0, 100000 };
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of("long"),
			       .size = (uint64_t)100000 * BLOCK_BYTES,
			       .extents = &extent,
			       .extent_count = 1 };

	made_tree_add(&made, &entry);
	made.index_bytes = bytes_capped(1 << 20);
	ck_assert(index_builder_finish(made.builder, (uint64_t)100000 * BLOCK_BYTES, NULL,
				       &made.index_bytes, &err));
	ck_assert(index_parse(&made.index, bytes_view(&made.index_bytes), &err));
	ck_assert(tree_new(&made.tree, &err));
	uint32_t inode = TREE_NONE;

	ck_assert(tree_add_inode(made.tree, &made.index, made.index.entries, 0, &inode, &err));
	ck_assert(tree_link(made.tree, TREE_ROOT, view_of("long"), inode, &err));
	ck_assert(place(runs, 1));
	ck_assert_uint_eq(plan.copy_count, 1);
	ck_assert_uint_eq(plan.inodes[inode].extent_count, 4); /* 3 × 32,768 and the rest */
}
END_TEST

START_TEST(too_little_space_is_no_error)
{
	const struct run runs[] = { { 1000, 10 } };

	add_blocks("a", 20);
	made_tree_finish(&made);
	ck_assert(!place(runs, 1));
}
END_TEST

START_TEST(a_plan_can_be_placed_again)
{
	const struct run small[] = { { 1000, 10 } }, large[] = { { 5000, 100 } };
	struct space space = { .runs = large, .run_count = 1 };
	bool has_room = false;

	add_blocks("a", 20);
	made_tree_finish(&made);
	ck_assert(!place(small, 1));
	ck_assert(plan_place(&plan, &space, &has_room, &err));
	ck_assert(has_room);
	ck_assert_uint_eq(plan.copy_count, 1);
	ck_assert_uint_eq(plan.inodes[inode_of("/a")].extent_count, 1);
}
END_TEST

START_TEST(directories_count_theirs)
{
	made_tree_add_dir(&made, "a/b");
	made_tree_add_dir(&made, "a/c");
	made_tree_add_text(&made, "a/d", "x");
	made_tree_finish(&made);
	ck_assert(plan_count(&plan, made.tree, &identity, &err));
	ck_assert_uint_eq(plan.inodes[inode_of("/a")].subdir_count, 2);
	ck_assert_uint_eq(plan.inodes[TREE_ROOT].subdir_count, 2); /* with lost+found */
	ck_assert(plan.makes_lost_found);
}
END_TEST

START_TEST(a_lost_and_found_in_the_tree_is_the_eleventh_inode)
{
	made_tree_add_dir(&made, "a");
	made_tree_add_dir(&made, "lost+found");
	made_tree_finish(&made);
	ck_assert(plan_count(&plan, made.tree, &identity, &err));
	ck_assert(!plan.makes_lost_found);
	ck_assert_uint_eq(plan.inodes[inode_of("/lost+found")].number, INODE_LOST_FOUND);
	ck_assert_uint_eq(plan.inodes[inode_of("/a")].number, INODE_LOST_FOUND + 1);
	ck_assert_uint_eq(plan.inodes[TREE_ROOT].subdir_count, 2);
}
END_TEST

START_TEST(more_links_than_ext4_counts_are_refused_with_a_name)
{
	static char names[65001][8];

	made_tree_add_text(&made, "file", "x");
	made_tree_finish(&made);
	uint32_t inode = inode_of("/file");

	for (size_t i = 0; i < 65000; i++) {
		struct view name = { names[i], 0 };

		name.len = (size_t)snprintf(names[i], sizeof(names[i]), "%zu", i);
		ck_assert(tree_link(made.tree, TREE_ROOT, name, inode, &err));
		if (i == 64998)
			ck_assert(plan_count(&plan, made.tree, &identity, &err));
	}
	plan_freep(&plan);
	ck_assert(!plan_count(&plan, made.tree, &identity, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "/file"));
}
END_TEST

START_TEST(a_path_is_one_that_leads_there)
{
	char path[300], cut[8];

	made_tree_add_text(&made, "some/deep/file", "x");
	made_tree_finish(&made);
	plan_path(made.tree, inode_of("/some/deep/file"), path, sizeof(path));
	ck_assert_str_eq(path, "/some/deep/file");
	plan_path(made.tree, inode_of("/some/deep/file"), cut, sizeof(cut));
	ck_assert_str_eq(cut, "/some/d");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, neighbours_in_a_layer_are_one_copy);
	tcase_add_test(all, a_file_that_went_leaves_a_gap_between_copies);
	tcase_add_test(all, a_body_goes_around_what_is_in_use);
	tcase_add_test(all, a_long_body_is_cut_into_extents);
	tcase_add_test(all, too_little_space_is_no_error);
	tcase_add_test(all, a_plan_can_be_placed_again);
	tcase_add_test(all, directories_count_theirs);
	tcase_add_test(all, a_lost_and_found_in_the_tree_is_the_eleventh_inode);
	tcase_add_test(all, more_links_than_ext4_counts_are_refused_with_a_name);
	tcase_add_test(all, a_path_is_one_that_leads_there);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
