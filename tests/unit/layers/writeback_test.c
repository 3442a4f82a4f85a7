/* Asking for writeback changes nothing about the file, and never keeps its caller. */
#include "layers/writeback.h"

#include <stdlib.h>

#include "tests/unit/folder.h"

enum { FILE_BYTES = 80 << 20, PIECE_BYTES = 1 << 20 };

static char piece[PIECE_BYTES];
static struct err err;

START_TEST(what_was_written_is_there_however_much_was_asked_for)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, "data", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CLEANUP(writeback_freep) struct writeback *writeback = NULL;

	ck_assert(writeback_start(&writeback, fd, &err));
	for (uint64_t at = 0; at < FILE_BYTES; at += PIECE_BYTES) {
		memset(piece, (int)(at / PIECE_BYTES) + 1, sizeof(piece));
		ck_assert(file_pwrite(fd, piece, sizeof(piece), at, "data", &err));
		writeback_reach(writeback, at + PIECE_BYTES);
	}
	writeback_freep(&writeback);
	for (uint64_t at = 0; at < FILE_BYTES; at += PIECE_BYTES) {
		ck_assert(file_pread(fd, piece, sizeof(piece), at, "data", &err));
		ck_assert_int_eq(piece[0], (char)(at / PIECE_BYTES + 1));
		ck_assert_int_eq(piece[PIECE_BYTES - 1], piece[0]);
	}
}
END_TEST

START_TEST(nothing_written_is_no_reason_to_wait)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, "data", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct writeback *writeback = NULL;

	ck_assert(writeback_start(&writeback, fd, &err));
	writeback_freep(&writeback);
	ck_assert_ptr_null(writeback);
}
END_TEST

/* A pipe has no pages to write: what cannot be asked for is not asked for. */
START_TEST(a_file_that_cannot_be_asked_is_left_alone)
{
	CLEANUP(fd_closep) int reader = -1, writer = -1;
	struct writeback *writeback = NULL;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	reader = ends[0];
	writer = ends[1];
	ck_assert(writeback_start(&writeback, writer, &err));
	writeback_reach(writeback, FILE_BYTES);
	writeback_freep(&writeback);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writeback");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, make_folder, remove_folder);
	tcase_add_test(all, what_was_written_is_there_however_much_was_asked_for);
	tcase_add_test(all, nothing_written_is_no_reason_to_wait);
	tcase_add_test(all, a_file_that_cannot_be_asked_is_left_alone);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
