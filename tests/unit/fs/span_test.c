#include "fs/span.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fs/block.h"

static int fd = -1;
static struct span *span;
static struct err err;

static void begin(void)
{
	err = (struct err){ 0 };
	fd = memfd_create("span", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert(span_new(&span, fd, &err));
}

static void end(void)
{
	span_freep(&span);
	fd_closep(&fd);
}

static void add(uint64_t offset, size_t len, int byte)
{
	static const uint8_t zeros[BLOCK_BYTES];
	uint8_t *room = NULL;

	ck_assert_msg(span_add(span, offset, len, &room, &err), "%s", err.msg);
	ck_assert_mem_eq(room, zeros, len);
	memset(room, byte, len);
}

static int byte_at(uint64_t offset)
{
	uint8_t byte = 0;

	ck_assert_msg(file_pread(fd, &byte, 1, offset, "the file", &err), "%s", err.msg);
	return byte;
}

static uint64_t file_bytes(void)
{
	struct stat stat;

	ck_assert_int_eq(fstat(fd, &stat), 0);
	return (uint64_t)stat.st_size;
}

START_TEST(nothing_is_in_the_file_before_it_is_flushed)
{
	add(0, BLOCK_BYTES, 'a');
	ck_assert_uint_eq(file_bytes(), 0);
	ck_assert(span_flush(span, &err));
	ck_assert_uint_eq(file_bytes(), BLOCK_BYTES);
	ck_assert(span_flush(span, &err));
	ck_assert_uint_eq(file_bytes(), BLOCK_BYTES);
}
END_TEST

START_TEST(any_order_arrives_where_it_belongs)
{
	add(9 * BLOCK_BYTES, BLOCK_BYTES, 'd');
	add(2 * BLOCK_BYTES, BLOCK_BYTES, 'b');
	add(3 * BLOCK_BYTES, BLOCK_BYTES, 'c');
	add(BLOCK_BYTES, BLOCK_BYTES, 'a');
	ck_assert(span_flush(span, &err));
	ck_assert_int_eq(byte_at(0), 0);
	ck_assert_int_eq(byte_at(BLOCK_BYTES), 'a');
	ck_assert_int_eq(byte_at(2 * BLOCK_BYTES), 'b');
	ck_assert_int_eq(byte_at(4 * BLOCK_BYTES - 1), 'c');
	ck_assert_int_eq(byte_at(4 * BLOCK_BYTES), 0);
	ck_assert_int_eq(byte_at(9 * BLOCK_BYTES), 'd');
}
END_TEST

START_TEST(a_block_that_is_not_full_ends_in_zeros)
{
	add(5 * BLOCK_BYTES, INODE_BYTES, 'x');
	add(5 * BLOCK_BYTES + INODE_BYTES, INODE_BYTES, 'y');
	add(BLOCK_BYTES, BLOCK_BYTES, 'z');
	ck_assert(file_pwrite(fd, "old", 3, 6 * BLOCK_BYTES - 3, "the file", &err));
	ck_assert(span_flush(span, &err));
	ck_assert_int_eq(byte_at(5 * BLOCK_BYTES), 'x');
	ck_assert_int_eq(byte_at(5 * BLOCK_BYTES + INODE_BYTES), 'y');
	ck_assert_int_eq(byte_at(6 * BLOCK_BYTES - 1), 0);
	ck_assert_uint_eq(file_bytes(), 6 * BLOCK_BYTES);
}
END_TEST

/* More than is kept: blocks with gaps, then inodes in a row before them. */
START_TEST(more_than_is_kept_arrives)
{
	enum { BLOCKS = SPAN_BYTES_MAX / BLOCK_BYTES * 3 / 2, INODES = BLOCKS / 4 };
	const uint64_t blocks_at = (uint64_t)1 << 30;

	for (uint64_t i = 0; i < BLOCKS; i++)
		add(blocks_at + (i + i / 7) * BLOCK_BYTES, BLOCK_BYTES, (int)(i % 251));
	for (uint64_t i = 0; i < INODES; i++)
		add(i * INODE_BYTES, INODE_BYTES, (int)(i % 241));
	ck_assert_uint_gt(file_bytes(), SPAN_BYTES_MAX);
	ck_assert(span_flush(span, &err));
	for (uint64_t i = 0; i < BLOCKS; i++)
		ck_assert_int_eq(byte_at(blocks_at + (i + i / 7) * BLOCK_BYTES), (int)(i % 251));
	for (uint64_t i = 0; i < INODES; i++)
		ck_assert_int_eq(byte_at((i + 1) * INODE_BYTES - 1), (int)(i % 241));
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
	CLEANUP(span_freep) struct span *bad = NULL;
	CLEANUP(fd_closep) int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint8_t *room = NULL;

	ck_assert(span_new(&bad, read_only, &err));
	ck_assert(span_add(bad, 0, BLOCK_BYTES, &room, &err));
	ck_assert(!span_flush(bad, &err));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("span");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, nothing_is_in_the_file_before_it_is_flushed);
	tcase_add_test(all, any_order_arrives_where_it_belongs);
	tcase_add_test(all, a_block_that_is_not_full_ends_in_zeros);
	tcase_add_test(all, more_than_is_kept_arrives);
	tcase_add_test(all, a_file_that_cannot_be_written_is_an_error);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
