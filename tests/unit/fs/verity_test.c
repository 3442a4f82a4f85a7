#include "fs/verity.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/scratch.h"

enum { BLOCK = 4096 };

static int fd;
static struct err err;
static const struct digest identity = { { 1, 2, 3 } };

static void begin(void)
{
	err = (struct err){ 0 };
	fd = scratch_file();
}

static void end(void)
{
	fd_closep(&fd);
}

/* Data for each block in four, holes and written zeros between them. */
static void make_data(uint64_t blocks)
{
	CLEANUP(freep) char *data = made_body(BLOCK, 7);
	static const char zeros[BLOCK];

	ck_assert_int_eq(ftruncate(fd, (off_t)(blocks * BLOCK)), 0);
	for (uint64_t i = 0; i < blocks && i < 5000; i += 4) {
		ck_assert(file_pwrite(fd, data, BLOCK, i * BLOCK, "data", &err));
		if (i % 16 == 0 && i + 1 < blocks)
			ck_assert(file_pwrite(fd, zeros, BLOCK, (i + 1) * BLOCK, "data", &err));
		data[i % BLOCK]++;
	}
}

static void write_tree(struct verity *verity, uint64_t blocks, unsigned jobs)
{
	ck_assert_msg(verity_write(verity, fd, blocks, &identity, jobs, &err), "%s", err.msg);
}

/* Does veritysetup find every block to be what the root hash says? */
static bool is_verified(const struct verity *verity, uint64_t blocks)
{
	char path[SCRATCH_PATH_BYTES], root[DIGEST_HEX_BYTES], command[512];

	scratch_path(fd, path);
	digest_hex(&verity->root, root);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/usr/sbin:/sbin veritysetup verify %s %s %s --hash-offset=%llu", path,
		 path, root, (unsigned long long)blocks * BLOCK);
	return system(command) == 0;
}

/* A block of digests holds 128: one level, two, three, full and with a rest. */
static const uint64_t block_counts[] = { 2, 127, 128, 129, 4096, 16384, 16385, 40000 };

START_TEST(veritysetup_accepts_each_tree)
{
	uint64_t blocks = block_counts[_i];
	struct verity verity;
	struct stat file;

	make_data(blocks);
	write_tree(&verity, blocks, 2);
	ck_assert(is_verified(&verity, blocks));
	ck_assert_int_eq(fstat(fd, &file), 0);
	ck_assert_uint_eq((uint64_t)file.st_size, (blocks + verity.hash_blocks) * BLOCK);
}
END_TEST

START_TEST(veritysetup_refuses_a_changed_byte)
{
	struct verity verity;

	make_data(300);
	write_tree(&verity, 300, 1);
	ck_assert(file_pwrite(fd, "x", 1, 200 * BLOCK + 5, "data", &err));
	ck_assert(!is_verified(&verity, 300));
}
END_TEST

START_TEST(the_thread_count_does_not_change_the_root)
{
	struct verity one, many;

	make_data(20000);
	write_tree(&one, 20000, 1);
	ck_assert_int_eq(ftruncate(fd, (off_t)20000 * BLOCK), 0);
	write_tree(&many, 20000, 8);
	ck_assert(digest_equal(&one.root, &many.root));
}
END_TEST

START_TEST(holes_are_hashed_without_being_read)
{
	struct verity verity;
	uint64_t blocks = (uint64_t)1 << 24; /* 64 GiB */

	make_data(blocks);
	write_tree(&verity, blocks, 2);
	ck_assert_uint_eq(verity.hash_blocks, 1 + 131072 + 1024 + 8 + 1);
}
END_TEST

START_TEST(what_was_written_is_read_back)
{
	struct verity written, found;
	char path[SCRATCH_PATH_BYTES];
	bool is_there = false;

	make_data(1000);
	write_tree(&written, 1000, 1);
	scratch_path(fd, path);
	ck_assert_msg(verity_read(&found, path, 1000, &is_there, &err), "%s", err.msg);
	ck_assert(is_there);
	ck_assert(digest_equal(&written.root, &found.root));
	ck_assert_mem_eq(written.salt, found.salt, sizeof(found.salt));
	ck_assert_uint_eq(written.hash_blocks, found.hash_blocks);
}
END_TEST

START_TEST(nothing_behind_the_file_system_is_nothing)
{
	struct verity found;
	char path[SCRATCH_PATH_BYTES];
	bool is_there = true;

	make_data(1000);
	scratch_path(fd, path);
	ck_assert(verity_read(&found, path, 1000, &is_there, &err));
	ck_assert(!is_there);
}
END_TEST

START_TEST(a_tree_over_another_length_is_refused)
{
	struct verity verity;
	char path[SCRATCH_PATH_BYTES];
	bool is_there = false;

	make_data(1000);
	write_tree(&verity, 1000, 1);
	ck_assert(file_pwrite(fd, "\1", 1, 1000 * BLOCK + 73, "data", &err));
	scratch_path(fd, path);
	ck_assert(!verity_read(&verity, path, 1000, &is_there, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(check_accepts_what_was_written)
{
	struct verity verity;
	char path[SCRATCH_PATH_BYTES];

	make_data(20000);
	write_tree(&verity, 20000, 2);
	scratch_path(fd, path);
	ck_assert_msg(verity_check(&verity, path, 2, &err), "%s", err.msg);
}
END_TEST

/* In data, in a hole, in each level of the tree (which has 1,000, 8 and 1 blocks). */
static const uint64_t changed_blocks[] = { 0, 201, 999, 1001, 1002, 1009 };
enum { CHANGED_COUNT = sizeof(changed_blocks) / sizeof(changed_blocks[0]) };

START_TEST(check_refuses_a_changed_byte)
{
	struct verity verity;
	char path[SCRATCH_PATH_BYTES];

	make_data(1000);
	write_tree(&verity, 1000, 1);
	ck_assert(file_pwrite(fd, "\x55", 1, changed_blocks[_i] * BLOCK + 5, "data", &err));
	scratch_path(fd, path);
	ck_assert(!verity_check(&verity, path, 2, &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
}
END_TEST

START_TEST(the_kernel_argument_names_all_that_the_kernel_needs)
{
	struct verity verity = { .data_blocks = 1000, .hash_blocks = 10 };
	char text[VERITY_ARGUMENT_BYTES];

	verity_argument(&verity, "/dev/vda", text);
	ck_assert_ptr_nonnull(strstr(text, "dm-mod.create=\"vmbake,,0,ro,0 8000 verity 1 /dev/vda "
					   "/dev/vda 4096 4096 1000 1001 sha256 00"));
	ck_assert_int_eq(text[strlen(text) - 1], '"');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verity");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, veritysetup_accepts_each_tree, 0,
			    sizeof(block_counts) / sizeof(block_counts[0]));
	tcase_add_test(all, veritysetup_refuses_a_changed_byte);
	tcase_add_test(all, the_thread_count_does_not_change_the_root);
	tcase_add_test(all, holes_are_hashed_without_being_read);
	tcase_add_test(all, what_was_written_is_read_back);
	tcase_add_test(all, nothing_behind_the_file_system_is_nothing);
	tcase_add_test(all, a_tree_over_another_length_is_refused);
	tcase_add_test(all, check_accepts_what_was_written);
	tcase_add_loop_test(all, check_refuses_a_changed_byte, 0, CHANGED_COUNT);
	tcase_add_test(all, the_kernel_argument_names_all_that_the_kernel_needs);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
