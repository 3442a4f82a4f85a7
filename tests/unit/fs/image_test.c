#include "fs/image.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/kit/fs/listing.h"
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

START_TEST(an_empty_tree_is_a_sound_image)
{
	struct image_options options = made_options();

	made_tree_finish(&image.made);
	written_write(&image, &options);
	ck_assert_uint_eq(image.result.method, COPY_NOTHING);
	written_check(&image);
}
END_TEST

START_TEST(a_small_tree_is_read_back)
{
	struct image_options options = made_options();

	written_write_some(&image, &options);
	written_check(&image);
}
END_TEST

START_TEST(the_reader_finds_files_and_facts)
{
	CLEANUP(image_reader_freep) struct image_reader *reader = NULL;
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 16);
	struct image_options options = made_options();
	struct image_facts facts;
	char path[SCRATCH_PATH_BYTES];

	snprintf(options.label, sizeof(options.label), "%s", "sixteen-letters.");
	written_write_some(&image, &options);
	scratch_path(image.fd, path);
	ck_assert(image_reader_open(&reader, path, &image.err));
	image_reader_facts(reader, &facts);
	ck_assert_uint_eq(facts.size_bytes, image.result.size_bytes);
	ck_assert_uint_eq(facts.free_bytes, image.result.free_bytes);
	ck_assert_uint_eq(facts.inode_count, image.result.inode_count);
	ck_assert_uint_eq(facts.free_inode_count, image.result.free_inode_count);
	ck_assert_str_eq(facts.label, "sixteen-letters.");
	ck_assert_int_eq(facts.time_seconds, 1000000000);
	ck_assert(!facts.is_read_only);
	ck_assert(image_reader_slurp(reader, "/etc/passwd", &text, &image.err));
	ck_assert(view_starts(bytes_view(&text), "root:x:0:0"));
	ck_assert(!image_reader_slurp(reader, "/etc/shadow", &text, &image.err));
	ck_assert_int_eq(image.err.kind, ERR_NOT_FOUND);
}
END_TEST

static struct digest digest_of_file(int file)
{
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	static char buffer[1 << 20];
	size_t len = 0;

	ck_assert(sha256_new(&hash, &image.err));
	ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
	do {
		ck_assert(file_read_some(file, buffer, sizeof(buffer), &len, "image", &image.err));
		sha256_add(hash, buffer, len);
	} while (len > 0);
	return sha256_now(hash);
}

START_TEST(the_thread_count_does_not_change_the_bytes)
{
	struct image_options options = made_options();
	CLEANUP(fd_closep) int other = scratch_file();

	written_add_some(&image);
	written_add_body(&image, "large", 40 << 20);
	written_add_body(&image, "odd", 12345);
	made_tree_finish(&image.made);
	written_write(&image, &options);
	options.jobs = 4;
	ck_assert(made_tree_write(&image.made, other, &options, &image.result, &image.err));
	struct digest one = digest_of_file(image.fd), four = digest_of_file(other);

	ck_assert(digest_equal(&one, &four));
}
END_TEST

START_TEST(what_was_in_the_file_is_lost)
{
	CLEANUP(freep) char *noise = made_body(20 << 20, 1);
	CLEANUP(fd_closep) int other = scratch_file();
	struct image_options options = made_options();

	written_write_some(&image, &options);
	ck_assert(file_pwrite(other, noise, 20 << 20, 0, "noise", &image.err));
	ck_assert_msg(made_tree_write(&image.made, other, &options, &image.result, &image.err),
		      "%s", image.err.msg);
	struct digest clean = digest_of_file(image.fd), over = digest_of_file(other);

	ck_assert(digest_equal(&clean, &over));
}
END_TEST

/* A fixed tree gives these bytes for ever, or RECIPE_FORMAT gets a new number. */
START_TEST(a_fixed_tree_has_a_fixed_digest)
{
	struct image_options options = made_options();
	char hex[DIGEST_HEX_BYTES];

	written_add_body(&image, "body", 1 << 20);
	written_write_some(&image, &options);
	struct digest digest = digest_of_file(image.fd);

	digest_hex(&digest, hex);
	ck_assert_str_eq(hex, "5cc375178de1241882b490d1944c9a2758451309f3a6cfef1c94b7b4fb1fc038");
}
END_TEST

START_TEST(a_directory_of_more_subdirectories_than_links_is_sound)
{
	struct image_options options = made_options();
	char path[32];

	for (int i = 0; i < 65100; i++) {
		snprintf(path, sizeof(path), "many/%05d", i);
		made_tree_add_dir(&image.made, path);
	}
	made_tree_finish(&image.made);
	written_write(&image, &options);
	written_check(&image);
}
END_TEST

START_TEST(a_file_of_as_many_links_as_ext4_counts_is_sound)
{
	struct image_options options = made_options();
	char path[32];

	made_tree_add_text(&image.made, "file", "one\n");
	for (int i = 1; i < 65000; i++) {
		struct entry link = { .kind = ENTRY_HARDLINK, .link = view_of("file") };

		snprintf(path, sizeof(path), "links/%05d", i);
		link.path = view_of(path);
		made_tree_add(&image.made, &link);
	}
	made_tree_finish(&image.made);
	written_write(&image, &options);
	written_check(&image);
}
END_TEST

START_TEST(too_large_xattrs_are_refused_with_the_path)
{
	CLEANUP(freep) char *value = made_body(5000, 1);
	struct xattr xattr = { view_of("user.big"), { value, 5000 } };
	struct image_options options = made_options();

	made_tree_add(&image.made, &(struct entry){ .kind = ENTRY_FILE,
					      .path = view_of("some/where"),
					      .xattrs = &xattr,
					      .xattr_count = 1 });
	made_tree_finish(&image.made);
	written_refuse(&image, &options, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(image.err.msg, "/some/where"));
}
END_TEST

/* Around what e2fsck would mend. */
static const int64_t last_times[] = { 10737418239, 12884901888, 15032385535 };

START_TEST(each_last_time_is_kept)
{
	struct image_options options = made_options();

	made_tree_add(&image.made, &(struct entry){ .kind = ENTRY_DIR,
						    .path = view_of("last"),
						    .mtime_seconds = last_times[_i] });
	made_tree_finish(&image.made);
	written_write(&image, &options);
	ck_assert_uint_eq(image.result.clamped_mtime_count, 0);
	written_check(&image);
}
END_TEST

START_TEST(times_outside_ext4_s_range_are_clamped_and_counted)
{
	CLEANUP(bytes_freep) struct bytes got = bytes_capped(1 << 20);
	struct image_options options = made_options();
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of("old"),
			       .mtime_seconds = INT64_MIN };
	char path[SCRATCH_PATH_BYTES];

	made_tree_add_file(&image.made, &entry, NULL, 0);
	made_tree_finish(&image.made);
	written_write(&image, &options);
	ck_assert_uint_eq(image.result.clamped_mtime_count, 1);
	ck_assert(scratch_is_sound(image.fd));
	scratch_path(image.fd, path);
	listing_of_image(&got, path);
	ck_assert_ptr_nonnull(strstr(got.data, "/old 100000 0:0 -2147483648.000000000"));
}
END_TEST

START_TEST(a_lost_and_found_of_the_tree_is_the_image_s)
{
	struct image_options options = made_options();

	made_tree_add_dir(&image.made, "lost+found");
	made_tree_add_text(&image.made, "lost+found/file", "found\n");
	made_tree_finish(&image.made);
	written_write(&image, &options);
	written_check(&image);
}
END_TEST

/* More extents than the inode holds, and more than a block of them: one block in two is a hole. */
START_TEST(a_file_of_many_extents_is_read_back)
{
	enum { PARTS = 1500 };
	CLEANUP(freep) char *body = made_body(INDEX_BLOCK_BYTES, 3);
	static struct made_part parts[PARTS];
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of("holes"),
			       .size = 2 * PARTS * (uint64_t)INDEX_BLOCK_BYTES };
	struct image_options options = made_options();

	for (int i = 0; i < PARTS; i++)
		parts[i] = (struct made_part){ 2 * (uint64_t)i * INDEX_BLOCK_BYTES,
					       { body, INDEX_BLOCK_BYTES } };
	made_tree_add_file(&image.made, &entry, parts, PARTS);
	made_tree_finish(&image.made);
	written_write(&image, &options);
	written_check(&image);
}
END_TEST

START_TEST(a_file_of_more_than_a_tebibyte_of_hole_is_read_back)
{
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of("huge"),
			       .size = ((uint64_t)1 << 40) + 5 };
	struct made_part parts[] = { { 0, view_of("start") },
				     { (uint64_t)1 << 40, view_of("end!!") } };
	struct image_options options = made_options();

	made_tree_add_file(&image.made, &entry, parts, 2);
	made_tree_finish(&image.made);
	written_write(&image, &options);
	written_check(&image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, an_empty_tree_is_a_sound_image);
	tcase_add_test(all, a_small_tree_is_read_back);
	tcase_add_test(all, the_reader_finds_files_and_facts);
	tcase_add_test(all, the_thread_count_does_not_change_the_bytes);
	tcase_add_test(all, what_was_in_the_file_is_lost);
	tcase_add_test(all, a_fixed_tree_has_a_fixed_digest);
	tcase_add_test(all, a_directory_of_more_subdirectories_than_links_is_sound);
	tcase_add_test(all, a_file_of_as_many_links_as_ext4_counts_is_sound);
	tcase_add_test(all, too_large_xattrs_are_refused_with_the_path);
	tcase_add_loop_test(all, each_last_time_is_kept, 0,
			    sizeof(last_times) / sizeof(last_times[0]));
	tcase_add_test(all, times_outside_ext4_s_range_are_clamped_and_counted);
	tcase_add_test(all, a_lost_and_found_of_the_tree_is_the_image_s);
	tcase_add_test(all, a_file_of_many_extents_is_read_back);
	tcase_add_test(all, a_file_of_more_than_a_tebibyte_of_hole_is_read_back);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
