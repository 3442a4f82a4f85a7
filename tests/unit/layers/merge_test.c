/* What no case file says well: limits, and indexes that no tar could have made. */
#include "layers/merge.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tree_walk.h"

static struct tree *tree;
static struct index_builder *builder;
static struct bytes bytes[2];
static struct index indexes[2];
static struct err err;

static void begin(void)
{
	err = (struct err){ 0 };
	ck_assert(tree_new(&tree, &err));
	ck_assert(index_builder_new(&builder, &err));
	for (size_t i = 0; i < 2; i++)
		bytes[i] = bytes_capped(64 << 20);
}

static void end(void)
{
	tree_freep(&tree);
	index_builder_freep(&builder);
	for (size_t i = 0; i < 2; i++)
		bytes_freep(&bytes[i]);
}

static void add(enum entry_kind kind, const char *path, const char *link)
{
	struct entry entry = { .kind = kind, .path = view_of(path), .link = view_of(link) };

	ck_assert(index_builder_add(builder, &entry, &err));
}

static bool merge(size_t number)
{
	struct digest none = { { 0 } };

	ck_assert(index_builder_finish(builder, 0, &none, &bytes[number], &err));
	ck_assert(index_parse(&indexes[number], bytes_view(&bytes[number]), &err));
	index_builder_freep(&builder);
	ck_assert(index_builder_new(&builder, &err));
	return merge_layer(tree, &indexes[number], (uint32_t)number, &err);
}

static void add_links(unsigned count)
{
	char name[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		add(ENTRY_HARDLINK, name, "file");
	}
}

START_TEST(an_inode_may_have_65000_names)
{
	add(ENTRY_FILE, "file", "");
	add_links(64999);
	ck_assert_msg(merge(0), "%s", err.msg);
}
END_TEST

START_TEST(one_name_more_is_refused_by_name)
{
	add(ENTRY_FILE, "file", "");
	add_links(65000);
	ck_assert(!merge(0));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_str_eq(err.msg, "entry 'l64999': hard link to 'file', which has 65000 names");
}
END_TEST

START_TEST(names_that_went_do_not_count)
{
	add(ENTRY_FILE, "file", "");
	add_links(64999);
	ck_assert(merge(0));
	add(ENTRY_WHITEOUT, "l7", "");
	add(ENTRY_HARDLINK, "new", "file");
	ck_assert_msg(merge(1), "%s", err.msg);
}
END_TEST

static const struct {
	enum entry_kind kind;
	const char *path;
} unclean[] = {
	{ ENTRY_FILE, "" },	 { ENTRY_FILE, "a/" },	   { ENTRY_FILE, ".." },
	{ ENTRY_FILE, "a/.." },	 { ENTRY_DIR, "." },	   { ENTRY_WHITEOUT, "" },
	{ ENTRY_WHITEOUT, "." }, { ENTRY_WHITEOUT, ".." }, { ENTRY_SYMLINK, "" },
};

START_TEST(a_name_that_was_not_cleaned_is_refused)
{
	add(unclean[_i].kind, unclean[_i].path, "x");
	ck_assert(!merge(0));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

/* 250 symlinks in a row, each over a long detour, and 10,000 files behind them. */
START_TEST(a_layer_of_endless_detours_is_stopped)
{
	char target[4000], name[64];

	for (int i = 0; i < 250; i++) {
		size_t len = (size_t)snprintf(target, sizeof(target), "s%d", i + 1);

		for (int j = 0; j < 600; j++)
			len += (size_t)snprintf(target + len, sizeof(target) - len, "/d/..");
		snprintf(name, sizeof(name), "s%d", i);
		add(ENTRY_SYMLINK, name, target);
	}
	add(ENTRY_DIR, "s250/d", "");
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "s0/d/../%d/x", i);
		add(ENTRY_FILE, name, "");
	}
	ck_assert(!merge(0));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "too many symlinks"));
}
END_TEST

/* 10,000 removals through 200 symlinks each: what is asked at each costs more than the step. */
START_TEST(a_layer_of_endless_removals_is_stopped)
{
	char name[32], target[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "d/e/f/g/s%d", i);
		snprintf(target, sizeof(target), "s%d", i + 1);
		add(ENTRY_SYMLINK, name, target);
	}
	add(ENTRY_DIR, "d/e/f/g/s200", "");
	ck_assert_msg(merge(0), "%s", err.msg);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "d/e/f/g/s0/%d", i);
		add(ENTRY_WHITEOUT, name, "");
	}
	ck_assert(!merge(1));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "too many symlinks"));
}
END_TEST

/* "ab/" so often that it fills out, len bytes of it. */
static void deep_path(char *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = "ab/"[i % 3];
	out[len] = '\0';
}

/* "way/link" is a symlink to /target, in a folder whose path no entry could hold. */
static void add_deep_symlink(void)
{
	char path[3000], target[3010];

	deep_path(path, 2999);
	snprintf(target, sizeof(target), "half/%s", path);
	add(ENTRY_FILE, "target/x", "");
	add(ENTRY_SYMLINK, "half", path);
	add(ENTRY_SYMLINK, "way", target);
	add(ENTRY_SYMLINK, "way/link", "/target");
	ck_assert_msg(merge(0), "%s", err.msg);
}

static bool has_target(void)
{
	uint32_t inode = TREE_NONE;

	ck_assert(tree_walk(tree, view_of("target/x"), false, &inode, &err));
	return inode != TREE_NONE;
}

/* Although the layer says something of the root, whose path is the empty one. */
START_TEST(a_removal_follows_a_symlink_deeper_than_any_path)
{
	add_deep_symlink();
	add(ENTRY_DIR, "", "");
	add(ENTRY_WHITEOUT, "way/link/x", "");
	ck_assert_msg(merge(1), "%s", err.msg);
	ck_assert(!has_target());
}
END_TEST

START_TEST(a_removal_below_a_deep_symlink_that_goes_is_none)
{
	add_deep_symlink();
	add(ENTRY_WHITEOUT, "way/link/x", "");
	add(ENTRY_WHITEOUT, "ab/ab", "");
	ck_assert_msg(merge(1), "%s", err.msg);
	ck_assert(has_target());
}
END_TEST

/* The folders that one path lacks are names as well. */
START_TEST(made_folders_count_against_the_cap_on_names)
{
	char path[4096];

	deep_path(path, 4094);
	tree_cap(tree, 1000);
	add(ENTRY_FILE, path, "");
	ck_assert(!merge(0));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "--max-entries"));
}
END_TEST

START_TEST(layers_and_entries_are_kept_with_the_inode)
{
	add(ENTRY_FILE, "a", "");
	add(ENTRY_DIR, "d", "");
	ck_assert(merge(0));
	add(ENTRY_DIR, "d", "");
	add(ENTRY_FILE, "made/x", "");
	ck_assert(merge(1));
	uint32_t a = 0, d = 0, made = 0;

	ck_assert(tree_walk(tree, view_of("a"), false, &a, &err) &&
		  tree_walk(tree, view_of("d"), false, &d, &err) &&
		  tree_walk(tree, view_of("made"), false, &made, &err));
	ck_assert_ptr_eq(tree_inode(tree, a)->entry, &indexes[0].entries[0]);
	ck_assert_ptr_eq(tree_inode(tree, d)->entry, &indexes[1].entries[0]);
	ck_assert_ptr_eq(tree_inode(tree, d)->index, &indexes[1]);
	ck_assert_uint_eq(tree_inode(tree, d)->layer, 1);
	ck_assert_ptr_null(tree_inode(tree, made)->entry);
	ck_assert_uint_eq(tree_inode(tree, made)->layer, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merge");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, an_inode_may_have_65000_names);
	tcase_add_test(all, one_name_more_is_refused_by_name);
	tcase_add_test(all, names_that_went_do_not_count);
	tcase_add_loop_test(all, a_name_that_was_not_cleaned_is_refused, 0,
			    sizeof(unclean) / sizeof(unclean[0]));
	tcase_add_test(all, a_layer_of_endless_detours_is_stopped);
	tcase_add_test(all, a_layer_of_endless_removals_is_stopped);
	tcase_add_test(all, a_removal_follows_a_symlink_deeper_than_any_path);
	tcase_add_test(all, a_removal_below_a_deep_symlink_that_goes_is_none);
	tcase_add_test(all, made_folders_count_against_the_cap_on_names);
	tcase_add_test(all, layers_and_entries_are_kept_with_the_inode);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
