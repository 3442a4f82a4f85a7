/* Sizes, free space, journals and inode counts of images. */
#include "fs/image.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/kit/fs/image_check.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/scratch.h"

enum { GROUP_BYTES = 128 << 20 };

static struct made_tree made;
static int fd = -1;
static struct err err;
static struct image_result result;

static void begin(void)
{
	err = (struct err){ 0 };
	fd = scratch_file();
	made_tree_begin(&made, -1);
}

static void end(void)
{
	fd_closep(&fd);
	made_tree_freep(&made);
}

static void write_image(const struct image_options *options)
{
	ck_assert_msg(made_tree_write(&made, fd, options, &result, &err), "%s", err.msg);
}

static void check_image(void)
{
	image_check(fd, made.tree, 1000000000, "the image");
}

static void add_some(void)
{
	made_tree_add_dir(&made, "etc");
	made_tree_add_text(&made, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_SYMLINK,
					      .path = view_of("bin"),
					      .link = view_of("usr/bin"),
					      .mtime_seconds = -5,
					      .mtime_ns = 750000000 });
	made_tree_add_dir(&made, "usr/bin");
}

static void write_some(const struct image_options *options)
{
	add_some();
	made_tree_finish(&made);
	write_image(options);
}

static void add_body(const char *path, size_t len)
{
	CLEANUP(freep) char *body = made_body(len, (unsigned)len);
	struct entry entry = { .kind = ENTRY_FILE, .path = view_of(path), .size = len };

	made_tree_add_file(&made, &entry, &(struct made_part){ 0, { body, len } }, 1);
}

START_TEST(free_space_is_at_least_what_was_asked_for)
{
	struct image_options options = made_options();

	options.free_bytes = 100 << 20;
	write_some(&options);
	ck_assert_uint_ge(result.free_bytes, 100 << 20);
	ck_assert_uint_lt(result.free_bytes, 101 << 20);
	ck_assert_uint_ge(result.free_inode_count, (100 << 20) / 16384);
	check_image();
}
END_TEST

START_TEST(a_share_of_the_content_stays_free)
{
	struct image_options options = made_options();

	options.free_percent = 50;
	add_body("large", 64 << 20);
	made_tree_finish(&made);
	write_image(&options);
	ck_assert_uint_ge(result.free_bytes, 32 << 20);
	ck_assert_uint_lt(result.free_bytes, 34 << 20);
}
END_TEST

START_TEST(free_space_takes_no_room_on_the_host)
{
	struct image_options options = made_options();
	struct stat host;

	options.free_bytes = (uint64_t)1 << 30;
	write_some(&options);
	ck_assert_int_eq(fstat(fd, &host), 0);
	ck_assert_int_ge(host.st_size, (off_t)1 << 30);
	ck_assert_int_lt(host.st_blocks * 512, 4 << 20);
}
END_TEST

/* The sentence's number is the smallest that works. */
START_TEST(a_size_too_small_names_one_that_works)
{
	struct image_options options = made_options();
	unsigned long long named = 0;

	add_body("large", 30 << 20);
	made_tree_finish(&made);
	options.size_bytes = 20 << 20;
	ck_assert(!made_tree_write(&made, fd, &options, &result, &err));
	ck_assert_int_eq(err.kind, ERR_SPACE);
	ck_assert_int_eq(sscanf(strstr(err.msg, "at least"), "at least %llu", &named), 1);
	options.size_bytes = named;
	write_image(&options);
	ck_assert_uint_eq(result.size_bytes, named);
	check_image();
}
END_TEST

/* Around group boundaries, with one group, and with odd numbers of blocks. */
static const uint64_t sizes[] = {
	16 << 20,
	(16 << 20) + 4096,
	GROUP_BYTES - 4096,
	GROUP_BYTES,
	GROUP_BYTES + 4096,
	GROUP_BYTES + 4096 * 50,
	2 * (uint64_t)GROUP_BYTES - 4096,
	2 * (uint64_t)GROUP_BYTES,
	2 * (uint64_t)GROUP_BYTES + 4096,
	16 * (uint64_t)GROUP_BYTES + 4096,
	129 * (uint64_t)GROUP_BYTES + 123 * 4096,
	(uint64_t)1 << 40,
};

START_TEST(each_size_is_sound)
{
	struct image_options options = made_options();
	struct stat host;

	options.size_bytes = sizes[_i];
	add_body("body", 1 << 20);
	write_some(&options);
	ck_assert_int_eq(fstat(fd, &host), 0);
	ck_assert_uint_eq((uint64_t)host.st_size, sizes[_i]);
	ck_assert_uint_eq(result.size_bytes, sizes[_i]);
	check_image();
}
END_TEST

/* Files and free space that end just before, at and just behind a group's end. */
START_TEST(each_fitted_size_around_a_group_s_end_is_sound)
{
	struct image_options options = made_options();

	options.free_bytes = (uint64_t)GROUP_BYTES - (24 << 20) + 4096 * 1024 * (uint64_t)_i;
	add_body("body", 1 << 20);
	write_some(&options);
	ck_assert_uint_ge(result.free_bytes, options.free_bytes);
	check_image();
}
END_TEST

/* The host's file system may not hold so large a file, sparse as it is. */
START_TEST(eight_tebibytes_are_sound)
{
	struct image_options options = made_options();

	options.size_bytes = (uint64_t)8 << 40;
	if (ftruncate(fd, (off_t)options.size_bytes) < 0) {
		fprintf(stderr, "skipped: no files of 8 TiB here\n");
		return;
	}
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	write_some(&options);
	check_image();
}
END_TEST

START_TEST(more_than_sixteen_tebibytes_are_refused)
{
	struct image_options options = made_options();

	options.size_bytes = ((uint64_t)16 << 40) + 4096;
	made_tree_finish(&made);
	ck_assert(!made_tree_write(&made, fd, &options, &result, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(a_journal_has_the_asked_size)
{
	struct image_options options = made_options();

	options.journal_bytes = 8 << 20;
	write_some(&options);
	check_image();
	uint64_t used_bytes = result.used_bytes;

	ck_assert_int_eq(ftruncate(fd, 0), 0);
	options.journal_bytes = 4 << 20;
	write_image(&options);
	check_image();
	ck_assert_uint_eq(used_bytes - result.used_bytes, 4 << 20);
}
END_TEST

START_TEST(an_image_without_a_journal_is_sound)
{
	struct image_options options = made_options();

	options.has_no_journal = true;
	write_some(&options);
	ck_assert_uint_lt(result.used_bytes, 4 << 20);
	check_image();
}
END_TEST

static const uint64_t bad_journals[] = { 1, (4 << 20) - 4096, (uint64_t)40001 << 20 };

START_TEST(each_journal_that_ext4_does_not_take_is_refused)
{
	struct image_options options = made_options();

	options.journal_bytes = bad_journals[_i];
	made_tree_finish(&made);
	ck_assert(!made_tree_write(&made, fd, &options, &result, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(inodes_are_at_least_as_many_as_asked_for)
{
	struct image_options options = made_options();

	options.inode_count = 100000;
	write_some(&options);
	ck_assert_uint_ge(result.inode_count, 100000);
	ck_assert_uint_lt(result.inode_count, 101000);
	check_image();
}
END_TEST

START_TEST(fewer_inodes_than_the_content_has_are_refused)
{
	struct image_options options = made_options();

	add_some();
	made_tree_finish(&made);
	options.inode_count = 12;
	ck_assert(!made_tree_write(&made, fd, &options, &result, &err));
	ck_assert_int_eq(err.kind, ERR_SPACE);
	ck_assert_ptr_nonnull(strstr(err.msg, "needs 16"));
}
END_TEST

static const size_t body_sizes[] = { 0, 100, 20 << 20, 130 << 20 };

/* libext2fs makes no group that has not 50 blocks beside its own structures. */
START_TEST(each_read_only_image_has_nothing_to_spare)
{
	struct image_options options = made_options();

	options.is_read_only = true;
	add_body("body", body_sizes[_i]);
	write_some(&options);
	ck_assert_uint_lt(result.free_inode_count, 32);
	ck_assert_uint_le(result.free_bytes, 50 * 4096);
	ck_assert_uint_lt(result.used_bytes, body_sizes[_i] + (1 << 20));
	check_image();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image shapes");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, free_space_is_at_least_what_was_asked_for);
	tcase_add_test(all, a_share_of_the_content_stays_free);
	tcase_add_test(all, free_space_takes_no_room_on_the_host);
	tcase_add_test(all, a_size_too_small_names_one_that_works);
	tcase_add_loop_test(all, each_size_is_sound, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(all, each_fitted_size_around_a_group_s_end_is_sound, 0, 12);
	tcase_add_test(all, eight_tebibytes_are_sound);
	tcase_add_test(all, more_than_sixteen_tebibytes_are_refused);
	tcase_add_test(all, a_journal_has_the_asked_size);
	tcase_add_test(all, an_image_without_a_journal_is_sound);
	tcase_add_loop_test(all, each_journal_that_ext4_does_not_take_is_refused, 0,
			    sizeof(bad_journals) / sizeof(bad_journals[0]));
	tcase_add_test(all, inodes_are_at_least_as_many_as_asked_for);
	tcase_add_test(all, fewer_inodes_than_the_content_has_are_refused);
	tcase_add_loop_test(all, each_read_only_image_has_nothing_to_spare, 0,
			    sizeof(body_sizes) / sizeof(body_sizes[0]));
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
