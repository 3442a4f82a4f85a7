#include "fs/image_tree.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "layers/content.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/scratch.h"

enum { TIME = 1000000000 };

static struct made_tree made;
static struct image_tree image;
static int fd = -1;
static struct err err;

static void begin(void)
{
	err = (struct err){ 0 };
	fd = scratch_file();
	image = IMAGE_TREE_NONE;
	made_tree_begin(&made, -1);
}

static void end(void)
{
	image_tree_closep(&image);
	fd_closep(&fd);
	made_tree_freep(&made);
}

static bool reopen(void)
{
	char path[SCRATCH_PATH_BYTES];

	image_tree_closep(&image);
	image = IMAGE_TREE_NONE;
	scratch_path(fd, path);
	return image_tree_open(&image, path, &err);
}

static void write_image(void)
{
	struct image_options options = made_options();
	struct image_result result;

	made_tree_finish(&made);
	ck_assert_msg(made_tree_write(&made, fd, &options, &result, &err), "%s", err.msg);
}

static void compare_bodies(uint32_t ours, uint32_t theirs, const char *path)
{
	uint64_t size = tree_inode(made.tree, ours)->entry->size;
	uint64_t shown = size < 64 << 20 ? size : 64 << 20; /* of what is mostly a hole */
	CLEANUP(freep) char *wanted = malloc(shown + 1), *got = malloc(shown + 1);

	ck_assert_uint_eq(tree_inode(image.tree, theirs)->entry->size, size);
	ck_assert(content_read(made.tree, &made.data_fd, ours, 0, wanted, shown, &err));
	ck_assert_msg(content_read(image.tree, &image.data_fd, theirs, 0, got, shown, &err), "%s",
		      err.msg);
	ck_assert_msg(memcmp(wanted, got, shown) == 0, "%s has another content", path);
}

static void compare_inodes(uint32_t ours, uint32_t theirs, const char *path)
{
	const struct tree_inode *wanted = tree_inode(made.tree, ours);
	const struct tree_inode *got = tree_inode(image.tree, theirs);

	ck_assert_uint_eq(got->is_dir, wanted->is_dir);
	ck_assert_uint_eq(got->layer, 0);
	if (!wanted->entry) {
		ck_assert_int_eq(got->entry->mtime_seconds, TIME);
		return;
	}
	ck_assert_msg(got->entry->kind == wanted->entry->kind, "%s is of another kind", path);
	ck_assert_uint_eq(got->entry->uid, wanted->entry->uid);
	ck_assert_uint_eq(got->entry->gid, wanted->entry->gid);
	ck_assert_int_eq(got->entry->mtime_seconds, wanted->entry->mtime_seconds);
	ck_assert_uint_eq(got->entry->mtime_ns, wanted->entry->mtime_ns);
	ck_assert_uint_eq(got->entry->rdev_major, wanted->entry->rdev_major);
	ck_assert_uint_eq(got->entry->rdev_minor, wanted->entry->rdev_minor);
	if (wanted->entry->kind == ENTRY_SYMLINK)
		ck_assert(view_same(index_link(got->index, got->entry),
				    index_link(wanted->index, wanted->entry)));
	else
		ck_assert_uint_eq(got->entry->mode, wanted->entry->mode);
	if (wanted->entry->kind == ENTRY_FILE)
		compare_bodies(ours, theirs, path);
}

static void compare_directories(uint32_t ours, uint32_t theirs, uint32_t *seen)
{
	size_t wanted = 0, got = 0;

	for (uint32_t child = tree_inode(made.tree, ours)->first_child; child != TREE_NONE;
	     child = tree_name(made.tree, child)->next, wanted++) {
		const struct tree_name *name = tree_name(made.tree, child);
		uint32_t found =
			tree_find(image.tree, theirs, (struct view){ name->ptr, name->len });

		ck_assert_msg(found != TREE_NONE, "%.*s is not there", (int)name->len, name->ptr);
		uint32_t inode = tree_name(image.tree, found)->inode;

		ck_assert(seen[name->inode] == TREE_NONE || seen[name->inode] == inode);
		if (seen[name->inode] == TREE_NONE)
			compare_inodes(name->inode, inode, name->ptr);
		seen[name->inode] = inode;
		if (tree_inode(made.tree, name->inode)->is_dir)
			compare_directories(name->inode, inode, seen);
	}
	for (uint32_t child = tree_inode(image.tree, theirs)->first_child; child != TREE_NONE;
	     child = tree_name(image.tree, child)->next)
		got++;
	ck_assert_uint_eq(got, wanted + (ours == TREE_ROOT)); /* lost+found */
}

static void check_read_back(void)
{
	CLEANUP(freep) uint32_t *seen = NULL;

	ck_assert_msg(reopen(), "%s", err.msg);
	seen = calloc(tree_inode_max(made.tree) + 1u, sizeof(*seen));
	compare_inodes(TREE_ROOT, TREE_ROOT, "/");
	compare_directories(TREE_ROOT, TREE_ROOT, seen);
}

static const char long_target[] =
	"a/link/of/more/than/sixty/bytes/that/is/too/long/for/the/inode/itself";

static void add_one_of_each(void)
{
	made_tree_add_dir(&made, "etc");
	made_tree_add_text(&made, "etc/text", "some text\n");
	made_tree_add_text(&made, "etc/empty", "");
	made_tree_add_text(&made, "made/folder/file", "its folders come from no entry");
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_HARDLINK,
					      .path = view_of("other"),
					      .link = view_of("etc/text") });
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_SYMLINK,
					      .path = view_of("short"),
					      .link = view_of("etc/text"),
					      .mtime_seconds = 7000000000 });
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_SYMLINK,
					      .path = view_of("long"),
					      .link = view_of(long_target) });
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_CHAR,
					      .path = view_of("char"),
					      .rdev_major = 195,
					      .rdev_minor = 70000 });
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_BLOCK,
					      .path = view_of("block"),
					      .rdev_major = 7,
					      .rdev_minor = 255 });
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_FIFO,
					      .path = view_of("fifo"),
					      .mode = 04751,
					      .uid = 70000,
					      .gid = 3000000000,
					      .mtime_seconds = -5,
					      .mtime_ns = 999999999 });
}

START_TEST(one_of_each_kind_is_read_back)
{
	add_one_of_each();
	write_image();
	check_read_back();
}
END_TEST

START_TEST(an_empty_image_has_a_root)
{
	write_image();
	check_read_back();
}
END_TEST

/* A directory with an index, whose blocks hold no names. */
START_TEST(a_large_directory_is_read_back)
{
	char path[300];

	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "large/a-name-of-some-length-%060d", i);
		made_tree_add_text(&made, path, i % 2 ? "x" : "");
	}
	write_image();
	check_read_back();
}
END_TEST

/* More extents than fit into the inode and into one block; and a hole of more than 2^32 bytes. */
START_TEST(a_file_of_many_extents_is_read_back)
{
	enum { PARTS = 1500 };
	CLEANUP(freep) char *body = made_body(INDEX_BLOCK_BYTES, 3);
	static struct made_part parts[PARTS];
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of("holes"),
			       .size = (uint64_t)5 << 30 };

	for (int i = 0; i < PARTS; i++)
		parts[i] = (struct made_part){ 2 * (uint64_t)i * INDEX_BLOCK_BYTES,
					       { body, INDEX_BLOCK_BYTES } };
	made_tree_add_file(&made, &entry, parts, PARTS);
	write_image();
	check_read_back();
}
END_TEST

START_TEST(a_file_is_found_by_its_path_through_links)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(100);

	add_one_of_each();
	write_image();
	ck_assert(reopen());
	ck_assert(content_slurp(image.tree, &image.data_fd, "/short", &text, &err));
	ck_assert(view_equal(bytes_view(&text), "some text\n"));
}
END_TEST

static void run(const char *command) /* on $IMAGE */
{
	char path[SCRATCH_PATH_BYTES];

	scratch_path(fd, path);
	setenv("IMAGE", path, 1);
	ck_assert_msg(system(command) == 0, "%s", command);
}

#define DEBUGFS(request) "debugfs -w -R '" request "' $IMAGE >/dev/null 2>&1"

static const struct {
	const char *command;
	enum err_kind kind;
	const char *words;
} refusals[] = {
	{ DEBUGFS("feature needs_recovery"), ERR_UNSUPPORTED, "journal" },
	{ DEBUGFS("clri /etc"), ERR_FORMAT, "etc" },
	{ DEBUGFS("ln /etc /again"), ERR_FORMAT, "two names" },
	{ DEBUGFS("ln / /etc/up"), ERR_FORMAT, "two names" },
	{ DEBUGFS("sif /etc/text block[0] 0"), ERR_FORMAT, "extents" },
	{ DEBUGFS("sif /etc/text block[5] 0xfffffff0"), ERR_FORMAT,
	  "extents" },
	{ DEBUGFS("sif /etc/text flags 0"), ERR_UNSUPPORTED, "extents" },
	{ DEBUGFS("sif /etc/text flags 0x10000000"), ERR_UNSUPPORTED,
	  "inside of inodes" },
	{ DEBUGFS("sif /long size 5000"), ERR_FORMAT, "symlink" },
	{ "truncate -s -8K $IMAGE", ERR_FORMAT, "cut off" },
	{ "truncate -s 4K $IMAGE", ERR_FORMAT, "not an ext4" },
	{ "mke2fs -qF -t ext4 -b 1024 $IMAGE 8M >/dev/null", ERR_UNSUPPORTED, "4096" },
};

START_TEST(a_broken_image_is_refused_by_what_is_wrong)
{
	add_one_of_each();
	write_image();
	run(refusals[_i].command);
	ck_assert_msg(!reopen(), "%s", refusals[_i].command);
	ck_assert_msg(err.kind == refusals[_i].kind, "%s: %s", refusals[_i].command, err.msg);
	ck_assert_msg(strstr(err.msg, refusals[_i].words) != NULL, "%s", err.msg);
}
END_TEST

/* As images are after they have booted: the kernel's own directories and extents. */
START_TEST(what_debugfs_writes_is_read_too)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);

	add_one_of_each();
	write_image();
	run(DEBUGFS("write /etc/passwd /etc/added"));
	ck_assert_msg(reopen(), "%s", err.msg);
	ck_assert(content_slurp(image.tree, &image.data_fd, "/etc/added", &text, &err));
	ck_assert(view_starts(bytes_view(&text), "root:"));
}
END_TEST

START_TEST(no_file_is_not_found)
{
	ck_assert(!image_tree_open(&image, "/no/such/image", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image_tree");
	TCase *trees = tcase_create("trees");
	SRunner *runner = srunner_create(suite);

	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	tcase_add_checked_fixture(trees, begin, end);
	tcase_add_test(trees, one_of_each_kind_is_read_back);
	tcase_add_test(trees, an_empty_image_has_a_root);
	tcase_add_test(trees, a_large_directory_is_read_back);
	tcase_add_test(trees, a_file_of_many_extents_is_read_back);
	tcase_add_test(trees, a_file_is_found_by_its_path_through_links);
	tcase_add_loop_test(trees, a_broken_image_is_refused_by_what_is_wrong, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(trees, what_debugfs_writes_is_read_too);
	tcase_add_test(trees, no_file_is_not_found);
	suite_add_tcase(suite, trees);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
