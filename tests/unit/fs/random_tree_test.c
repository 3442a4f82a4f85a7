/* Random trees, written and read back: whatever meets whatever, an image says what its tree says
 * and e2fsck finds nothing. The same seed gives the same tree. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fs/image.h"
#include "tests/kit/fs/image_check.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/scratch.h"

enum {
	TREES = 500,
	TREES_PER_TEST = 25,
	ENTRIES_MAX = 60,
	DIRS_MAX = 12,
	BODY_BYTES = 64 << 10,
	PATH_BYTES = 4096,
};

/* A tree being made. */
struct maker {
	struct made_tree made;
	uint64_t state;		  /* of the random numbers */
	char dirs[DIRS_MAX][600]; /* dirs[dir_count], paths; [0] is the root */
	unsigned dir_count;
	char file[PATH_BYTES]; /* the last one made, or "" */
	char *body;	       /* owned, BODY_BYTES */
};

/* splitmix64 */
static uint64_t next(struct maker *maker)
{
	uint64_t value = maker->state += 0x9e3779b97f4a7c15;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

static uint32_t below(struct maker *maker, uint32_t limit)
{
	return (uint32_t)(next(maker) % limit);
}

static const char long_name[] =
	"a-long-name-of-50-bytes-a-long-name-of-50-bytes-1-"
	"a-long-name-of-50-bytes-a-long-name-of-50-bytes-2-"
	"a-long-name-of-50-bytes-a-long-name-of-50-bytes-3-"
	"a-long-name-of-50-bytes-a-long-name-of-50-bytes-4-"
	"a-long-name-of-50-bytes-a-long-name-of-50-bytes-5-";

/* A name that no other entry has, now and then as long as names get, or not ASCII. */
static void make_path(struct maker *maker, unsigned number, char *out)
{
	const char *dir = maker->dirs[below(maker, maker->dir_count)];
	unsigned style = below(maker, 8);
	int len = style == 0 ? 250 : style == 1 ? (int)below(maker, 200) : 0;

	snprintf(out, PATH_BYTES, "%s%s%s%04u%.*s", dir, dir[0] ? "/" : "",
		 style == 2 ? "\xc3\xa9\xff" : "n", number, len, long_name);
}

static int64_t random_time(struct maker *maker)
{
	switch (below(maker, 5)) {
	case 0:
		return -(int64_t)below(maker, 1u << 31);
	case 1:
		return (int64_t)(next(maker) % 10737418240);
	case 2:
		return 12884901888 + below(maker, 1u << 31);
	default:
		return 1600000000 + below(maker, 100000000);
	}
}

static uint32_t random_id(struct maker *maker)
{
	return below(maker, 3) == 0 ? (uint32_t)next(maker) : below(maker, 3) * 1000;
}

/* Up to four, some of them too large for the inode; all together within a block. */
static size_t make_xattrs(struct maker *maker, struct xattr *out, enum entry_kind kind)
{
	static const char acl[] = "\2\0\0\0\1\0\6\0\0\0\0\0\2\0\7\0\350\3\0\0\4\0\4\0\0\0\0\0"
				  "\20\0\7\0\0\0\0\0\40\0\4\0\0\0\0\0";
	static const char *const names[] = { "security.capability", "security.selinux", "user.x",
					     "user.\xc3\xbc\xff" };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (below(maker, 8) == 0)
			out[count++] =
				(struct xattr){ view_of(names[i]),
						{ maker->body + below(maker, 100),
						  below(maker, below(maker, 2) ? 40 : 900) } };
	if (kind != ENTRY_SYMLINK && below(maker, 12) == 0)
		out[count++] = (struct xattr){ view_of("system.posix_acl_access"),
					       { acl, sizeof(acl) - 1 } };
	return count;
}

/* Parts at odd places, with holes before, between and behind them. */
static void add_file(struct maker *maker, struct entry *entry)
{
	struct made_part parts[6];
	size_t count = below(maker, 6);
	uint64_t at = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t hole = below(maker, 2) ? 0 : below(maker, 1u << 20);
		size_t len = below(maker, below(maker, 4) ? 5000 : BODY_BYTES);

		parts[i] = (struct made_part){ at + hole, { maker->body, len } };
		at += hole + len;
	}
	entry->size = at + (below(maker, 3) ? 0 : below(maker, 1u << 30));
	made_tree_add_file(&maker->made, entry, parts, count);
	snprintf(maker->file, sizeof(maker->file), "%.*s", VIEW_ARGS(entry->path));
}

static void add_entry(struct maker *maker, unsigned number)
{
	static const enum entry_kind kinds[] = { ENTRY_FILE, ENTRY_FILE,    ENTRY_FILE,
						 ENTRY_DIR,  ENTRY_SYMLINK, ENTRY_HARDLINK,
						 ENTRY_CHAR, ENTRY_BLOCK,   ENTRY_FIFO,
						 ENTRY_FILE, ENTRY_SYMLINK, ENTRY_HARDLINK };
	enum entry_kind kind = kinds[below(maker, sizeof(kinds) / sizeof(kinds[0]))];
	char path[PATH_BYTES];
	struct xattr xattrs[8];
	struct entry entry = { .kind = kind,
			       .mode = below(maker, 010000),
			       .uid = random_id(maker),
			       .gid = random_id(maker),
			       .mtime_seconds = random_time(maker),
			       .mtime_ns = below(maker, 1000000000),
			       .xattrs = xattrs };

	if (kind == ENTRY_HARDLINK && !maker->file[0])
		return;
	make_path(maker, number, path);
	entry.path = view_of(path);
	entry.xattr_count = kind == ENTRY_HARDLINK ? 0 : make_xattrs(maker, xattrs, kind);
	if (kind == ENTRY_HARDLINK)
		entry.link = view_of(maker->file);
	if (kind == ENTRY_SYMLINK)
		entry.link =
			(struct view){ maker->body, 1 + below(maker, below(maker, 2) ? 80 : 4095) };
	if (kind == ENTRY_CHAR || kind == ENTRY_BLOCK) {
		entry.rdev_major = 1 + below(maker, below(maker, 2) ? 255 : 4095);
		entry.rdev_minor = below(maker, below(maker, 2) ? 256 : 1u << 20);
	}
	if (kind == ENTRY_FILE)
		add_file(maker, &entry);
	else
		made_tree_add(&maker->made, &entry);
	if (kind == ENTRY_DIR && maker->dir_count < DIRS_MAX && strlen(path) < 600)
		snprintf(maker->dirs[maker->dir_count++], sizeof(maker->dirs[0]), "%.599s", path);
}

/* A directory that needs an index, in one tree of eight. */
static void add_crowd(struct maker *maker)
{
	char path[64];

	for (unsigned i = 0, count = 100 + below(maker, 2000); i < count; i++) {
		struct entry entry = { .kind = ENTRY_FIFO, .path = { path, 0 }, .mode = 0600 };

		entry.path.len =
			(size_t)snprintf(path, sizeof(path), "crowd/%x", below(maker, 1u << 30));
		made_tree_add(&maker->made, &entry);
	}
}

static void make_tree(struct maker *maker, uint64_t seed)
{
	maker->state = seed;
	maker->dir_count = 1;
	maker->file[0] = maker->dirs[0][0] = '\0';
	made_tree_begin(&maker->made, -1);
	for (unsigned i = 0, count = below(maker, ENTRIES_MAX); i < count; i++)
		add_entry(maker, i);
	if (below(maker, 8) == 0)
		add_crowd(maker);
	made_tree_finish(&maker->made);
}

static void check_tree(const struct made_tree *made, uint64_t seed)
{
	CLEANUP(fd_closep) int fd = scratch_file();
	struct image_options options = made_options();
	struct image_result result;
	struct err err = { 0 };
	char name[40];

	snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
	options.jobs = 1 + (unsigned)(seed % 3);
	options.free_bytes = seed % 5 << 20;
	ck_assert_msg(made_tree_write(made, fd, &options, &result, &err), "%s: %s", name, err.msg);
	image_check(fd, made->tree, options.time_seconds, name);
}

START_TEST(random_trees_are_read_back)
{
	struct maker *maker = calloc(1, sizeof(*maker));

	ck_assert_ptr_nonnull(maker);
	maker->body = made_body(BODY_BYTES, 9);
	for (uint64_t i = 0; i < TREES_PER_TEST; i++) {
		uint64_t seed = (uint64_t)_i * TREES_PER_TEST + i;

		make_tree(maker, seed);
		check_tree(&maker->made, seed);
		made_tree_freep(&maker->made);
	}
	free(maker->body);
	free(maker);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random trees");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, random_trees_are_read_back, 0, TREES / TREES_PER_TEST);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
