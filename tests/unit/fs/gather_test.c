#include "fs/gather.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fs/block.h"

static int fd = -1;
static io_channel channel;
static struct err err;
static uint8_t block[BLOCK_BYTES];

static void begin(void)
{
	char name[32];

	err = (struct err){ 0 };
	fd = memfd_create("gather", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	snprintf(name, sizeof(name), "%d", fd);
	ck_assert(gather_manager()->open(name, IO_FLAG_RW, &channel) == 0);
}

static void end(void)
{
	ck_assert(io_channel_close(channel) == 0);
	fd_closep(&fd);
}

MUST_CHECK static bool write_file(void)
{
	CLEANUP(span_freep) struct span *span = NULL;

	return span_new(&span, fd, &err) && gather_give(channel, span, &err) &&
	       span_flush(span, &err);
}

static void write_block(uint64_t number, int byte)
{
	memset(block, byte, sizeof(block));
	ck_assert(io_channel_write_blk64(channel, number, 1, block) == 0);
}

static int byte_in_file(uint64_t offset)
{
	uint8_t byte = 0;

	ck_assert_msg(file_pread(fd, &byte, 1, offset, "the file", &err), "%s", err.msg);
	return byte;
}

START_TEST(nothing_is_in_the_file_before_it_is_asked_for)
{
	struct stat stat;

	write_block(3, 'a');
	ck_assert(io_channel_flush(channel) == 0);
	ck_assert_int_eq(fstat(fd, &stat), 0);
	ck_assert_int_eq(stat.st_size, 0);
	ck_assert(write_file());
	ck_assert_int_eq(byte_in_file(3 * BLOCK_BYTES), 'a');
}
END_TEST

START_TEST(of_two_writes_to_a_block_the_later_one_counts)
{
	write_block(7, 'b');
	write_block(2, 'a');
	write_block(7, 'c');
	ck_assert(write_file());
	ck_assert_int_eq(byte_in_file(7 * BLOCK_BYTES), 'c');
	ck_assert_int_eq(byte_in_file(2 * BLOCK_BYTES), 'a');
}
END_TEST

START_TEST(what_was_written_is_read_back_before_it_is_in_the_file)
{
	write_block(5, 'x');
	memset(block, 0, sizeof(block));
	ck_assert(io_channel_read_blk64(channel, 5, 1, block) == 0);
	ck_assert_int_eq(block[BLOCK_BYTES - 1], 'x');
	ck_assert(io_channel_read_blk64(channel, 6, 1, block) == 0);
	ck_assert_int_eq(block[0], 0);
}
END_TEST

START_TEST(a_forgotten_block_keeps_what_someone_else_wrote)
{
	write_block(1, 'l');
	write_block(4, 'm');
	ck_assert(file_pwrite(fd, "ours", 4, 1 * BLOCK_BYTES, "the file", &err));
	gather_forget(channel, 1);
	ck_assert(write_file());
	ck_assert_int_eq(byte_in_file(1 * BLOCK_BYTES), 'o');
	ck_assert_int_eq(byte_in_file(4 * BLOCK_BYTES), 'm');
}
END_TEST

START_TEST(a_part_of_a_block_leaves_the_rest)
{
	uint8_t part[1024];

	write_block(0, 'r');
	memset(part, 's', sizeof(part));
	io_channel_set_blksize(channel, 1024);
	ck_assert(io_channel_write_blk64(channel, 1, -1024, part) == 0);
	io_channel_set_blksize(channel, BLOCK_BYTES);
	ck_assert(write_file());
	ck_assert_int_eq(byte_in_file(1023), 'r');
	ck_assert_int_eq(byte_in_file(1024), 's');
	ck_assert_int_eq(byte_in_file(2047), 's');
	ck_assert_int_eq(byte_in_file(2048), 'r');
}
END_TEST

/* More than is kept in memory, and stretches that are not kept at all. */
START_TEST(any_amount_arrives)
{
	enum { SINGLE_BLOCKS = 5000, STRETCH_BLOCKS = 300 };
	CLEANUP(freep) uint8_t *stretch = malloc((size_t)STRETCH_BLOCKS * BLOCK_BYTES);

	ck_assert_ptr_nonnull(stretch);
	for (uint64_t i = 0; i < SINGLE_BLOCKS; i++)
		write_block(i * 2, 'e');
	memset(stretch, 't', (size_t)STRETCH_BLOCKS * BLOCK_BYTES);
	ck_assert(io_channel_write_blk64(channel, 20000, STRETCH_BLOCKS, stretch) == 0);
	ck_assert(write_file());
	for (uint64_t i = 0; i < SINGLE_BLOCKS; i++)
		ck_assert_int_eq(byte_in_file(i * 2 * BLOCK_BYTES), 'e');
	ck_assert_int_eq(byte_in_file(20000 * BLOCK_BYTES), 't');
	ck_assert_int_eq(byte_in_file((20000 + STRETCH_BLOCKS) * (uint64_t)BLOCK_BYTES - 1), 't');
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
	fd_closep(&fd);
	write_block(1, 'q');
	ck_assert(!write_file());
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gather");
	TCase *writes = tcase_create("writes");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(writes, begin, end);
	tcase_add_test(writes, nothing_is_in_the_file_before_it_is_asked_for);
	tcase_add_test(writes, of_two_writes_to_a_block_the_later_one_counts);
	tcase_add_test(writes, what_was_written_is_read_back_before_it_is_in_the_file);
	tcase_add_test(writes, a_forgotten_block_keeps_what_someone_else_wrote);
	tcase_add_test(writes, a_part_of_a_block_leaves_the_rest);
	tcase_add_test(writes, any_amount_arrives);
	tcase_add_test(writes, a_file_that_cannot_be_written_is_an_error);
	suite_add_tcase(suite, writes);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
