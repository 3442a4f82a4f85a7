#include "base/arena.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

START_TEST(pieces_are_aligned_and_zeroed)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };

	for (size_t size = 1; size < 100; size++) {
		const char *piece = arena_take(&arena, size);

		ck_assert_uint_eq((uintptr_t)piece % 8, 0);
		ck_assert_int_eq(piece[0], 0);
		ck_assert_int_eq(piece[size - 1], 0);
	}
}
END_TEST

START_TEST(pieces_never_move_and_never_overlap)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };
	char *pieces[1000];

	for (size_t i = 0; i < 1000; i++) {
		pieces[i] = arena_take(&arena, 1000);
		memset(pieces[i], (int)(i & 0x7f), 1000);
	}
	for (size_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(pieces[i][0], (int)(i & 0x7f));
		ck_assert_int_eq(pieces[i][999], (int)(i & 0x7f));
	}
}
END_TEST

START_TEST(piece_over_the_block_size_is_had)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };
	char *piece = arena_take(&arena, 5 << 20);

	piece[(5 << 20) - 1] = 'x';
	ck_assert_uint_eq(arena.total_bytes, 5 << 20);
}
END_TEST

START_TEST(absurd_size_is_null_and_changes_nothing)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };

	ck_assert_ptr_null(arena_take(&arena, SIZE_MAX));
	ck_assert_ptr_null(arena_take(&arena, SIZE_MAX - 6));
	ck_assert_ptr_null(arena_copy(&arena, "", SIZE_MAX));
	ck_assert_uint_eq(arena.total_bytes, 0);
}
END_TEST

START_TEST(copy_ends_in_nul)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };

	ck_assert_str_eq(arena_copy(&arena, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_copy(&arena, NULL, 0), "");
}
END_TEST

START_TEST(freed_arena_can_be_used_again)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };

	ck_assert_ptr_nonnull(arena_take(&arena, 10));
	arena_freep(&arena);
	ck_assert_uint_eq(arena.total_bytes, 0);
	ck_assert_ptr_nonnull(arena_take(&arena, 10));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tests = tcase_create("arena");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, pieces_are_aligned_and_zeroed);
	tcase_add_test(tests, pieces_never_move_and_never_overlap);
	tcase_add_test(tests, piece_over_the_block_size_is_had);
	tcase_add_test(tests, absurd_size_is_null_and_changes_nothing);
	tcase_add_test(tests, copy_ends_in_nul);
	tcase_add_test(tests, freed_arena_can_be_used_again);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
