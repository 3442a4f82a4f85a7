#include "fs/copy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fs/block.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/scratch.h"

enum { BLOCKS = 12000, LAYERS = 2 };

static int image_fd, data_fds[LAYERS];
static char *body; /* of each layer, BLOCKS long */
static struct err err;
static struct copy_result result;
static bool is_read_next;

static void begin(void)
{
	err = (struct err){ 0 };
	is_read_next = false;
	image_fd = scratch_file();
	body = made_body((size_t)BLOCKS * BLOCK_BYTES, 5);
	data_fds[0] = scratch_file();
	data_fds[1] = memfd_create("data", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(image_fd, (off_t)4 * BLOCKS * BLOCK_BYTES), 0);
	for (int i = 0; i < LAYERS; i++)
		ck_assert(file_pwrite(data_fds[i], body, (size_t)BLOCKS * BLOCK_BYTES, 0, "data",
				      &err));
}

static void end(void)
{
	fd_closep(&image_fd);
	fd_closep(&data_fds[0]);
	fd_closep(&data_fds[1]);
	freep(&body);
}

static bool copy(struct copy *copies, uint64_t count, unsigned jobs)
{
	struct plan plan = { .copies = copies, .copy_count = count };
	struct image_options options = { .jobs = jobs, .is_read_next = is_read_next };

	return copy_bodies(image_fd, &plan, data_fds, LAYERS, &options, NULL, &result, &err);
}

static void check_copied(const struct copy *copies, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		size_t len = copies[i].block_count * BLOCK_BYTES;
		CLEANUP(freep) char *found = malloc(len);

		ck_assert(file_pread(image_fd, found, len, copies[i].image_block * BLOCK_BYTES,
				     "image", &err));
		ck_assert(memcmp(found, body + copies[i].data_block * BLOCK_BYTES, len) == 0);
	}
}

START_TEST(a_layer_in_memory_is_read_and_written)
{
	struct copy copies[] = { { 1, 0, 100, BLOCKS } };

	ck_assert_msg(copy(copies, 1, 1), "%s", err.msg);
	check_copied(copies, 1);
	ck_assert_int_eq(result.method, COPY_READ_WRITE);
	ck_assert_uint_eq(result.data_bytes, (uint64_t)BLOCKS * BLOCK_BYTES);
	ck_assert_uint_eq(result.copied_bytes, result.data_bytes);
}
END_TEST

/* What the host's file system can do best is its own affair. */
START_TEST(a_layer_on_the_same_file_system_is_cloned_or_copied)
{
	struct copy copies[] = { { 0, 0, 100, BLOCKS } };

	ck_assert_msg(copy(copies, 1, 1), "%s", err.msg);
	check_copied(copies, 1);
	ck_assert(result.method != COPY_NOTHING);
	ck_assert_uint_eq(result.copied_bytes,
			  result.method == COPY_REFLINK ? 0 : result.data_bytes);
}
END_TEST

/* Layer 1 lies in memory, where nothing can be cloned; layer 0 goes the way it goes alone. */
START_TEST(each_layer_takes_its_own_way)
{
	struct copy copies[] = { { 1, 0, 0, 10 }, { 0, 0, 10, BLOCKS }, { 1, 500, 20000, 10 } };

	ck_assert_msg(copy(copies + 1, 1, 1), "%s", err.msg);
	enum copy_method alone = result.method;

	ck_assert_msg(copy(copies, 3, 1), "%s", err.msg);
	check_copied(copies, 3);
	ck_assert_int_eq(result.method, alone);
	ck_assert_uint_eq(result.data_bytes, (BLOCKS + 20) * (uint64_t)BLOCK_BYTES);
}
END_TEST

START_TEST(many_threads_copy_the_same)
{
	static struct copy copies[300];

	for (uint32_t i = 0; i < 300; i++)
		copies[i] = (struct copy){ i % LAYERS, (i * 37) % 11000, i * 100, 1 + i % 90 };
	copies[299].block_count = 1000;
	ck_assert_msg(copy(copies, 300, 8), "%s", err.msg);
	check_copied(copies, 300);
}
END_TEST

/* Memory may or may not be written around the page cache, by the kernel's age. */
START_TEST(an_image_in_memory_is_written_too)
{
	struct copy copies[] = { { 0, 3, 100, BLOCKS - 3 }, { 1, 0, 20000, 7 } };

	fd_closep(&image_fd);
	image_fd = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(image_fd, (off_t)4 * BLOCKS * BLOCK_BYTES), 0);
	ck_assert_msg(copy(copies, 2, 2), "%s", err.msg);
	check_copied(copies, 2);
	ck_assert_int_eq(result.method, COPY_READ_WRITE);
}
END_TEST

START_TEST(an_image_that_is_read_next_stays_in_the_page_cache)
{
	struct copy copies[] = { { 1, 0, 0, BLOCKS } };
	static unsigned char is_resident[BLOCKS];
	size_t len = (size_t)BLOCKS * BLOCK_BYTES, count = 0;

	is_read_next = true;
	ck_assert_msg(copy(copies, 1, 2), "%s", err.msg);
	void *image = mmap(NULL, len, PROT_READ, MAP_SHARED, image_fd, 0);

	ck_assert_ptr_ne(image, MAP_FAILED);
	ck_assert_int_eq(mincore(image, len, is_resident), 0);
	munmap(image, len);
	for (size_t i = 0; i < BLOCKS; i++)
		count += is_resident[i] & 1;
	check_copied(copies, 1);
	ck_assert_uint_gt(count, BLOCKS / 2); /* a host that is short of memory may take some */
}
END_TEST

/* What lies in the page cache beside and under the copies, not on the disk yet, holds. */
START_TEST(what_was_written_before_is_kept)
{
	struct copy copies[] = { { 1, 0, 1, 999 }, { 1, 0, 1001, 999 } };
	char found[BLOCK_BYTES];

	ck_assert(file_pwrite(image_fd, body, 2100 * BLOCK_BYTES, 0, "image", &err));
	ck_assert_msg(copy(copies, 2, 2), "%s", err.msg);
	check_copied(copies, 2);
	for (uint64_t block = 0; block <= 2000; block += 1000) {
		ck_assert(file_pread(image_fd, found, BLOCK_BYTES, block * BLOCK_BYTES, "image",
				     &err));
		ck_assert(memcmp(found, body + block * BLOCK_BYTES, BLOCK_BYTES) == 0);
	}
}
END_TEST

START_TEST(what_is_not_copied_stays_a_hole)
{
	struct copy copies[] = { { 0, 0, 100, 10 }, { 1, 0, 40000, 10 } };
	struct stat host;

	ck_assert_msg(copy(copies, 2, 2), "%s", err.msg);
	ck_assert_int_eq(fsync(image_fd), 0);
	ck_assert_int_eq(fstat(image_fd, &host), 0);
	ck_assert_int_le(host.st_blocks * 512, 20 * BLOCK_BYTES + 64 * 1024);
	ck_assert_int_eq(host.st_size, (off_t)4 * BLOCKS * BLOCK_BYTES);
}
END_TEST

START_TEST(nothing_to_copy_is_said_so)
{
	ck_assert_msg(copy(NULL, 0, 4), "%s", err.msg);
	ck_assert_int_eq(result.method, COPY_NOTHING);
	ck_assert_uint_eq(result.data_bytes, 0);
}
END_TEST

START_TEST(a_layer_that_ends_early_is_an_error)
{
	struct copy copies[] = { { (uint32_t)_i, BLOCKS - 5, 0, 10 } };

	ck_assert(!copy(copies, 1, 3));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

START_TEST(a_layer_that_is_not_there_is_an_error)
{
	struct copy copies[] = { { 0, 0, 0, 10 } };

	fd_closep(&data_fds[0]);
	ck_assert(!copy(copies, 1, 1));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("copy");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, a_layer_in_memory_is_read_and_written);
	tcase_add_test(all, a_layer_on_the_same_file_system_is_cloned_or_copied);
	tcase_add_test(all, each_layer_takes_its_own_way);
	tcase_add_test(all, many_threads_copy_the_same);
	tcase_add_test(all, an_image_in_memory_is_written_too);
	tcase_add_test(all, an_image_that_is_read_next_stays_in_the_page_cache);
	tcase_add_test(all, what_was_written_before_is_kept);
	tcase_add_test(all, what_is_not_copied_stays_a_hole);
	tcase_add_test(all, nothing_to_copy_is_said_so);
	tcase_add_loop_test(all, a_layer_that_ends_early_is_an_error, 0, LAYERS);
	tcase_add_test(all, a_layer_that_is_not_there_is_an_error);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
