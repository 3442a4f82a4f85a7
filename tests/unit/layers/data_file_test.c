/* A data file holds what was added, in order, whoever wrote it. */
#include "layers/data_file.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/folder.h"

enum {
	BLOCK = INDEX_BLOCK_BYTES,
	BUFFER_BYTES = DATA_ALIGN_BYTES,
	RUN_BLOCKS_MAX = 40, /* more than two buffers */
};

static struct err err;
static uint32_t seed;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Each block says which it is. */
static void fill_block(char *block, uint32_t number)
{
	for (size_t i = 0; i < BLOCK; i += sizeof(number))
		memcpy(block + i, &number, sizeof(number));
}

static void add_built(struct data_file *file, uint32_t *count)
{
	fill_block(data_file_room(file), (*count)++);
	ck_assert(data_file_add_built(file, &err));
}

static void add_run(struct data_file *file, uint32_t *count)
{
	static char blocks[RUN_BLOCKS_MAX * BLOCK];
	uint32_t run = 1 + next_random(RUN_BLOCKS_MAX);

	for (uint32_t i = 0; i < run; i++)
		fill_block(blocks + (size_t)i * BLOCK, (*count)++);
	ck_assert(data_file_add(file, blocks, (size_t)run * BLOCK, &err));
	memset(blocks, 0xee, sizeof(blocks)); /* nothing of them is needed any more */
}

static int open_data(int flags)
{
	return openat(dir_fd, "data", flags | O_CREAT | O_CLOEXEC, 0600);
}

static void check_blocks(int fd, uint32_t count)
{
	char found[BLOCK], wanted[BLOCK];

	ck_assert_int_eq(lseek(fd, 0, SEEK_END), (off_t)count * BLOCK);
	for (uint32_t i = 0; i < count; i++) {
		fill_block(wanted, i);
		ck_assert(file_pread(fd, found, BLOCK, (uint64_t)i * BLOCK, "data", &err));
		ck_assert_mem_eq(found, wanted, BLOCK);
	}
}

/* Of ten additions this many are single blocks built in place. */
static const uint32_t built_in_ten[] = { 0, 1, 5, 9, 10 };

START_TEST(blocks_are_there_in_order_however_they_came)
{
	CLEANUP(fd_closep) int fd = open_data(O_RDWR);
	CLEANUP(data_file_freep) struct data_file *file = NULL;
	uint32_t count = 0;

	seed = (uint32_t)_i;
	ck_assert(data_file_new(&file, fd, BUFFER_BYTES, &err));
	while (count < 3000) {
		if (next_random(10) < built_in_ten[_i])
			add_built(file, &count);
		else
			add_run(file, &count);
		ck_assert_uint_eq(data_file_blocks(file), count);
	}
	ck_assert(data_file_finish(file, &err));
	ck_assert_uint_eq(data_file_blocks(file), count);
	check_blocks(fd, count);
}
END_TEST

/* Around the size of the buffer: none, one less, as many, one more, two. */
static const uint32_t few_blocks[] = { 0, 1, BUFFER_BYTES / BLOCK - 1, BUFFER_BYTES / BLOCK,
				       BUFFER_BYTES / BLOCK + 1, 2 * BUFFER_BYTES / BLOCK };

START_TEST(a_file_ends_where_its_last_block_does)
{
	CLEANUP(fd_closep) int fd = open_data(O_RDWR);
	CLEANUP(data_file_freep) struct data_file *file = NULL;
	struct stat stat;
	uint32_t count = 0;

	ck_assert(data_file_new(&file, fd, BUFFER_BYTES, &err));
	while (count < few_blocks[_i])
		add_built(file, &count);
	ck_assert(data_file_finish(file, &err));
	check_blocks(fd, count);
	ck_assert_int_eq(fstat(fd, &stat), 0);
	/* Of the 64 MiB that were reserved behind it nothing is left. */
	ck_assert_int_le(stat.st_blocks * 512, (off_t)count * BLOCK + (1 << 20));
}
END_TEST

/* What the thread could not write is told by a later call, by the last of them at the latest. */
START_TEST(a_failed_write_is_told)
{
	CLEANUP(fd_closep) int fd = open_data(O_RDONLY);
	CLEANUP(data_file_freep) struct data_file *file = NULL;
	struct err failure = { 0 };
	bool is_well = true;

	ck_assert(data_file_new(&file, fd, BUFFER_BYTES, &err));
	for (uint32_t i = 0; i < 2 * BUFFER_BYTES / BLOCK && is_well; i++) {
		fill_block(data_file_room(file), i);
		is_well = data_file_add_built(file, &failure);
	}
	ck_assert(!is_well || !data_file_finish(file, &failure));
	ck_assert_int_eq(failure.kind, ERR_IO);
	ck_assert_ptr_nonnull(strstr(failure.msg, "write a layer's data"));
}
END_TEST

START_TEST(one_that_is_given_up_ends_at_once)
{
	CLEANUP(fd_closep) int fd = open_data(O_RDWR);
	struct data_file *file = NULL;
	uint32_t count = 0;

	ck_assert(data_file_new(&file, fd, BUFFER_BYTES, &err));
	while (count < 2 * BUFFER_BYTES / BLOCK + 1)
		add_built(file, &count);
	data_file_freep(&file);
	ck_assert_ptr_null(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("data_file");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, make_folder, remove_folder);
	tcase_add_loop_test(all, blocks_are_there_in_order_however_they_came, 0,
			    sizeof(built_in_ten) / sizeof(*built_in_ten));
	tcase_add_loop_test(all, a_file_ends_where_its_last_block_does, 0,
			    sizeof(few_blocks) / sizeof(*few_blocks));
	tcase_add_test(all, a_failed_write_is_told);
	tcase_add_test(all, one_that_is_given_up_ends_at_once);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
