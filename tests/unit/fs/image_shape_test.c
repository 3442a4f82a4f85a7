/* Sizes, free space, journals and inode counts of images. */
#include "fs/image.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/kit/fs/scratch.h"
#include "tests/kit/fs/written.h"

enum { GROUP_BYTES = 128 << 20 };

static struct written image;

static void begin(void)
{
	written_begin(&image);
}

static void end(void)
{
	written_end(&image);
}

START_TEST(free_space_is_at_least_what_was_asked_for)
{
	struct image_options options = made_options();

	options.free_bytes = 100 << 20;
	written_write_some(&image, &options);
	ck_assert_uint_ge(image.result.free_bytes, 100 << 20);
	ck_assert_uint_lt(image.result.free_bytes, 101 << 20);
	ck_assert_uint_ge(image.result.free_inode_count, (100 << 20) / 16384);
	written_check(&image);
}
END_TEST

START_TEST(a_share_of_the_content_stays_free)
{
	struct image_options options = made_options();

	options.free_percent = 50;
	written_add_body(&image, "large", 64 << 20);
	made_tree_finish(&image.made);
	written_write(&image, &options);
	ck_assert_uint_ge(image.result.free_bytes, 32 << 20);
	ck_assert_uint_lt(image.result.free_bytes, 34 << 20);
}
END_TEST

START_TEST(free_space_takes_no_room_on_the_host)
{
	struct image_options options = made_options();
	struct stat host;

	options.free_bytes = (uint64_t)1 << 30;
	written_write_some(&image, &options);
	ck_assert_int_eq(fstat(image.fd, &host), 0);
	ck_assert_int_ge(host.st_size, (off_t)1 << 30);
	ck_assert_int_lt(host.st_blocks * 512, 4 << 20);
}
END_TEST

/* The sentence's number is the smallest that works. */
START_TEST(a_size_too_small_names_one_that_works)
{
	struct image_options options = made_options();
	unsigned long long named = 0;

	written_add_body(&image, "large", 30 << 20);
	made_tree_finish(&image.made);
	options.size_bytes = 20 << 20;
	written_refuse(&image, &options, ERR_SPACE);
	ck_assert_int_eq(sscanf(strstr(image.err.msg, "at least"), "at least %llu", &named), 1);
	options.size_bytes = named;
	written_write(&image, &options);
	ck_assert_uint_eq(image.result.size_bytes, named);
	written_check(&image);
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
	written_add_body(&image, "body", 1 << 20);
	written_write_some(&image, &options);
	ck_assert_int_eq(fstat(image.fd, &host), 0);
	ck_assert_uint_eq((uint64_t)host.st_size, sizes[_i]);
	ck_assert_uint_eq(image.result.size_bytes, sizes[_i]);
	written_check(&image);
}
END_TEST

/* Files and free space that end just before, at and just behind a group's end. */
START_TEST(each_fitted_size_around_a_group_s_end_is_sound)
{
	struct image_options options = made_options();

	options.free_bytes = (uint64_t)GROUP_BYTES - (24 << 20) + 4096 * 1024 * (uint64_t)_i;
	written_add_body(&image, "body", 1 << 20);
	written_write_some(&image, &options);
	ck_assert_uint_ge(image.result.free_bytes, options.free_bytes);
	written_check(&image);
}
END_TEST

/* The host's file system may not hold so large a file, sparse as it is. */
START_TEST(eight_tebibytes_are_sound)
{
	struct image_options options = made_options();

	options.size_bytes = (uint64_t)8 << 40;
	if (ftruncate(image.fd, (off_t)options.size_bytes) < 0) {
		fprintf(stderr, "skipped: no files of 8 TiB here\n");
		return;
	}
	ck_assert_int_eq(ftruncate(image.fd, 0), 0);
	written_write_some(&image, &options);
	written_check(&image);
}
END_TEST

START_TEST(more_than_sixteen_tebibytes_are_refused)
{
	struct image_options options = made_options();

	options.size_bytes = ((uint64_t)16 << 40) + 4096;
	made_tree_finish(&image.made);
	written_refuse(&image, &options, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(a_journal_has_the_asked_size)
{
	struct image_options options = made_options();

	options.journal_bytes = 8 << 20;
	written_write_some(&image, &options);
	written_check(&image);
	uint64_t used_bytes = image.result.used_bytes;

	ck_assert_int_eq(ftruncate(image.fd, 0), 0);
	options.journal_bytes = 4 << 20;
	written_write(&image, &options);
	written_check(&image);
	ck_assert_uint_eq(used_bytes - image.result.used_bytes, 4 << 20);
}
END_TEST

START_TEST(an_image_without_a_journal_is_sound)
{
	struct image_options options = made_options();

	options.has_no_journal = true;
	written_write_some(&image, &options);
	ck_assert_uint_lt(image.result.used_bytes, 4 << 20);
	written_check(&image);
}
END_TEST

static const uint64_t bad_journals[] = { 1, (4 << 20) - 4096, (uint64_t)40001 << 20 };

START_TEST(each_journal_that_ext4_does_not_take_is_refused)
{
	struct image_options options = made_options();

	options.journal_bytes = bad_journals[_i];
	made_tree_finish(&image.made);
	written_refuse(&image, &options, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(inodes_are_at_least_as_many_as_asked_for)
{
	struct image_options options = made_options();

	options.inode_count = 100000;
	written_write_some(&image, &options);
	ck_assert_uint_ge(image.result.inode_count, 100000);
	ck_assert_uint_lt(image.result.inode_count, 101000);
	written_check(&image);
}
END_TEST

START_TEST(fewer_inodes_than_the_content_has_are_refused)
{
	struct image_options options = made_options();

	written_add_some(&image);
	made_tree_finish(&image.made);
	options.inode_count = 12;
	written_refuse(&image, &options, ERR_SPACE);
	ck_assert_ptr_nonnull(strstr(image.err.msg, "needs 16"));
}
END_TEST

static const size_t body_sizes[] = { 0, 100, 20 << 20, 130 << 20 };

/* libext2fs makes no group that has not 50 blocks beside its own structures. */
START_TEST(each_read_only_image_has_nothing_to_spare)
{
	struct image_options options = made_options();

	options.is_read_only = true;
	written_add_body(&image, "body", body_sizes[_i]);
	written_write_some(&image, &options);
	ck_assert_uint_lt(image.result.free_inode_count, 32);
	ck_assert_uint_le(image.result.free_bytes, 50 * 4096);
	ck_assert_uint_lt(image.result.used_bytes, body_sizes[_i] + (1 << 20));
	written_check(&image);
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
