#include "layers/tree.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tree_walk.h"

static struct tree *tree;
static struct err err;

static void begin(void)
{
	err = (struct err){ 0 };
	ck_assert(tree_new(&tree, &err));
}

static void end(void)
{
	tree_freep(&tree);
}

static uint32_t add(uint32_t dir, const char *name, const struct index *index,
		    const struct index_entry *entry)
{
	uint32_t inode = TREE_NONE;

	ck_assert(tree_add_inode(tree, index, entry, 0, &inode, &err));
	ck_assert(tree_link(tree, dir, view_of(name), inode, &err));
	return inode;
}

static uint32_t add_dir(uint32_t dir, const char *name)
{
	return add(dir, name, NULL, NULL);
}

static uint32_t add_file(uint32_t dir, const char *name)
{
	static const struct index_entry file = { .kind = ENTRY_FILE };

	return add(dir, name, NULL, &file);
}

static uint32_t add_symlink(uint32_t dir, const char *name, const char *target)
{
	static struct index indexes[8];
	static struct index_entry entries[8];
	static unsigned count;

	ck_assert_uint_lt(count, 8);
	indexes[count].strings = view_of(target);
	entries[count].kind = ENTRY_SYMLINK;
	entries[count].link_len = (uint32_t)strlen(target);
	count++;
	return add(dir, name, &indexes[count - 1], &entries[count - 1]);
}

static uint32_t walk(const char *path, bool follow_last)
{
	uint32_t inode = TREE_NONE;

	ck_assert_msg(tree_walk(tree, view_of(path), follow_last, &inode, &err), "%s", err.msg);
	return inode;
}

START_TEST(a_new_tree_is_a_root_that_no_entry_describes)
{
	const struct tree_inode *root = tree_inode(tree, TREE_ROOT);

	ck_assert(root->is_dir && !root->entry && root->name_count == 1);
	ck_assert_uint_eq(tree_name(tree, TREE_ROOT)->inode, TREE_ROOT);
	ck_assert_uint_eq(tree_name(tree, TREE_ROOT)->parent, TREE_ROOT);
	ck_assert_uint_eq(root->first_child, TREE_NONE);
}
END_TEST

START_TEST(names_are_found_in_their_own_directory_only)
{
	uint32_t a = add_dir(TREE_ROOT, "a"), b = add_dir(TREE_ROOT, "b");
	uint32_t file = add_file(a, "x");
	uint32_t name = tree_find(tree, a, view_of("x"));

	ck_assert_uint_eq(tree_name(tree, name)->inode, file);
	ck_assert_uint_eq(tree_find(tree, b, view_of("x")), TREE_NONE);
	ck_assert_uint_eq(tree_find(tree, TREE_ROOT, view_of("x")), TREE_NONE);
	ck_assert_uint_eq(tree_find(tree, a, view_of("xx")), TREE_NONE);
}
END_TEST

START_TEST(unlink_keeps_the_inode_s_other_names)
{
	uint32_t a = add_dir(TREE_ROOT, "a");
	uint32_t file = add_file(a, "x");

	ck_assert(tree_link(tree, TREE_ROOT, view_of("y"), file, &err));
	tree_unlink(tree, tree_find(tree, TREE_ROOT, view_of("a")));
	ck_assert_uint_eq(tree_inode(tree, file)->name_count, 1);
	ck_assert_uint_eq(tree_inode(tree, a)->name_count, 0);
	ck_assert_uint_eq(walk("y", false), file);
	ck_assert_uint_eq(walk("a/x", false), TREE_NONE);
}
END_TEST

START_TEST(a_name_can_come_back)
{
	uint32_t first = add_file(TREE_ROOT, "x");

	tree_unlink(tree, tree_find(tree, TREE_ROOT, view_of("x")));
	uint32_t second = add_file(TREE_ROOT, "x");

	ck_assert_uint_ne(first, second);
	ck_assert_uint_eq(walk("x", false), second);
}
END_TEST

START_TEST(every_name_of_many_is_found_while_others_go)
{
	enum { COUNT = 20000 };
	static char names[COUNT][8];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "%u", i);
		add_file(TREE_ROOT, names[i]);
	}
	for (unsigned i = 0; i < COUNT; i += 2)
		tree_unlink(tree, tree_find(tree, TREE_ROOT, view_of(names[i])));
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_int_eq(tree_find(tree, TREE_ROOT, view_of(names[i])) != TREE_NONE,
				 i % 2);
}
END_TEST

/* One of 2^(word_count - 1) names. Who multiplies words by a constant and folds finds the same sum
 * for all of them, whatever secret it starts from: a word's highest bit stays alone in the product,
 * and the next word takes back what the fold made of it. */
static void aimed_name(char out[], size_t word_count, uint32_t number)
{
	const uint64_t plain = UINT64_C(0x6161616161616161), high = UINT64_C(1) << 63;
	uint64_t left = 0; /* by the word before */

	for (size_t i = 0; i < word_count; i++) {
		bool is_flipped = i + 1 < word_count && (number >> i & 1) != 0;
		uint64_t word = plain ^ left ^ (is_flipped ? high : 0);

		memcpy(out + i * sizeof(word), &word, sizeof(word));
		left = is_flipped ? high | high >> 29 : 0;
	}
}

/* In one chain they would take minutes. */
START_TEST(names_cannot_be_aimed_at_one_chain)
{
	enum { BITS = 18, WORDS = BITS + 1, LEN = WORDS * 8 };
	static char names[1 << BITS][LEN];
	static const struct index_entry file = { .kind = ENTRY_FILE };
	uint32_t inode = TREE_NONE;

	ck_assert(tree_add_inode(tree, NULL, &file, 0, &inode, &err));
	for (uint32_t i = 0; i < 1 << BITS; i++) {
		aimed_name(names[i], WORDS, i);
		struct view name = { names[i], LEN };

		ck_assert_uint_eq(tree_find(tree, TREE_ROOT, name), TREE_NONE);
		ck_assert(tree_link(tree, TREE_ROOT, name, inode, &err));
	}
	ck_assert_uint_eq(tree_inode(tree, inode)->name_count, 1 << BITS);
}
END_TEST

START_TEST(a_tree_takes_as_many_names_as_its_cap_says)
{
	uint32_t inode = TREE_NONE;

	tree_cap(tree, 2);
	add_file(TREE_ROOT, "a");
	tree_unlink(tree, tree_find(tree, TREE_ROOT, view_of("a")));
	add_file(TREE_ROOT, "b"); /* "a" counts although it went */
	ck_assert(tree_add_inode(tree, NULL, NULL, 0, &inode, &err));
	ck_assert(!tree_link(tree, TREE_ROOT, view_of("c"), inode, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "over 2 names"));
	ck_assert_ptr_nonnull(strstr(err.msg, "--max-entries"));
	tree_cap(tree, UINT64_MAX);
	ck_assert(tree_link(tree, TREE_ROOT, view_of("c"), inode, &err));
}
END_TEST

/* Such depth does not fit through a tar's door, but through symlinked parents. */
START_TEST(a_tree_of_any_depth_is_removed_without_recursion)
{
	enum { DEPTH = 300000 };
	uint32_t at = add_dir(TREE_ROOT, "d");

	for (unsigned i = 0; i < DEPTH; i++) {
		add_file(at, "f");
		at = add_dir(at, "d");
	}
	tree_unlink(tree, tree_find(tree, TREE_ROOT, view_of("d")));
	for (uint32_t i = TREE_ROOT + 1; i <= tree_inode_max(tree); i++)
		ck_assert_uint_eq(tree_inode(tree, i)->name_count, 0);
	ck_assert_uint_eq(tree_inode(tree, TREE_ROOT)->first_child, TREE_NONE);
}
END_TEST

static const struct {
	const char *path;
	bool follow_last;
	const char *found; /* by a plain path; NULL: nothing */
} walks[] = {
	{ "/", true, "" },
	{ "", true, "" },
	{ "usr/lib/x", true, "usr/lib/x" },
	{ "/usr//lib/./x", true, "usr/lib/x" },
	{ "usr/lib/../../../usr/lib/x", true, "usr/lib/x" },
	{ "lib/x", true, "usr/lib/x" },
	{ "lib", false, "lib" },
	{ "lib", true, "usr/lib" },
	{ "absolute/x", true, "usr/lib/x" },
	{ "usr/up/lib/x", true, "usr/lib/x" },
	{ "usr/lib/far", true, "usr/lib/x" },
	{ "lib/..", true, "usr" },
	{ "missing", true, NULL },
	{ "missing/../usr", true, NULL },
	{ "usr/lib/x/y", true, NULL },
	{ "usr/lib/x/..", true, NULL },
	{ "dangling", true, NULL },
	{ "dangling", false, "dangling" },
	{ "to_file", true, "usr/lib/x" },
	{ "to_file/..", true, NULL },
};

static void plant(void)
{
	uint32_t usr = add_dir(TREE_ROOT, "usr");
	uint32_t lib = add_dir(usr, "lib");

	add_file(lib, "x");
	add_symlink(TREE_ROOT, "lib", "usr/lib");
	add_symlink(TREE_ROOT, "absolute", "/usr/lib/");
	add_symlink(usr, "up", "../../../usr/.");
	add_symlink(lib, "far", "../../lib/x");
	add_symlink(TREE_ROOT, "dangling", "nowhere");
	add_symlink(TREE_ROOT, "to_file", "usr/lib/x");
}

/* Without symlinks or dots: one name after the other. */
static uint32_t plain(const char *path)
{
	struct view rest = view_of(path);
	uint32_t inode = TREE_ROOT;

	while (rest.len > 0)
		inode = tree_name(tree, tree_find(tree, inode, view_cut(&rest, '/')))->inode;
	return inode;
}

START_TEST(each_path_leads_where_a_kernel_would_go)
{
	plant();
	uint32_t found = walks[_i].found ? plain(walks[_i].found) : TREE_NONE;

	ck_assert_uint_eq(walk(walks[_i].path, walks[_i].follow_last), found);
}
END_TEST

START_TEST(a_symlink_loop_is_an_error)
{
	uint32_t inode = 7;

	add_symlink(TREE_ROOT, "a", "b/x");
	add_symlink(TREE_ROOT, "b", "a");
	ck_assert(!tree_walk(tree, view_of("a/y"), true, &inode, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_uint_eq(inode, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, a_new_tree_is_a_root_that_no_entry_describes);
	tcase_add_test(all, names_are_found_in_their_own_directory_only);
	tcase_add_test(all, unlink_keeps_the_inode_s_other_names);
	tcase_add_test(all, a_name_can_come_back);
	tcase_add_test(all, every_name_of_many_is_found_while_others_go);
	tcase_add_test(all, names_cannot_be_aimed_at_one_chain);
	tcase_add_test(all, a_tree_takes_as_many_names_as_its_cap_says);
	tcase_add_test(all, a_tree_of_any_depth_is_removed_without_recursion);
	tcase_add_loop_test(all, each_path_leads_where_a_kernel_would_go, 0,
			    sizeof(walks) / sizeof(walks[0]));
	tcase_add_test(all, a_symlink_loop_is_an_error);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
