#include "oci/chunks.h"

#include <check.h>

static const uint64_t size_bytes = (uint64_t)20 * CHUNK_BYTES + 5; /* 21 chunks, the last of 5 */

static struct chunks fresh(void)
{
	struct chunks chunks = { 0 };
	struct err err = { 0 };

	ck_assert(chunks_new(&chunks, size_bytes, &err));
	return chunks;
}

static void have(struct chunks *chunks, uint64_t first, uint64_t end)
{
	for (uint64_t at = first; at < end;) {
		uint64_t step = end - at < CHUNK_BYTES ? end - at : CHUNK_BYTES;

		chunks_add(chunks, at, step);
		at += step;
	}
}

START_TEST(one_stream_is_handed_all_of_a_fresh_blob)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	struct chunk_range range;

	ck_assert(chunks_claim(&chunks, false, 0, &range));
	ck_assert_uint_eq(range.first, 0);
	ck_assert_uint_eq(range.end, size_bytes);
	ck_assert(!chunks_claim(&chunks, false, 0, &range));
}
END_TEST

START_TEST(chunks_are_handed_out_in_order_up_to_the_window)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	struct chunk_range range = { 0 };

	for (uint64_t i = 0; i < CHUNK_WINDOW_BYTES / CHUNK_BYTES; i++) {
		ck_assert(chunks_claim(&chunks, true, 0, &range));
		ck_assert_uint_eq(range.first, i * CHUNK_BYTES);
	}
	ck_assert(!chunks_claim(&chunks, true, 0, &range));
	ck_assert(chunks_claim(&chunks, true, 1, &range));
}
END_TEST

START_TEST(released_chunk_is_handed_out_from_where_it_broke)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	struct chunk_range range;

	ck_assert(chunks_claim(&chunks, true, 0, &range));
	chunks_add(&chunks, 0, 100);
	chunks_release(&chunks, &range);
	ck_assert(chunks_claim(&chunks, true, 0, &range));
	ck_assert_uint_eq(range.first, 100);
	ck_assert_uint_eq(range.end, CHUNK_BYTES);
}
END_TEST

START_TEST(prefix_waits_for_the_hole_then_jumps)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();

	have(&chunks, CHUNK_BYTES, 3 * CHUNK_BYTES);
	ck_assert_uint_eq(chunks.prefix_bytes, 0);
	have(&chunks, 0, CHUNK_BYTES);
	ck_assert_uint_eq(chunks.prefix_bytes, 3 * CHUNK_BYTES);
}
END_TEST

START_TEST(bytes_that_came_before_are_not_new)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();

	ck_assert_uint_eq(chunks_add(&chunks, 0, 100), 100);
	ck_assert_uint_eq(chunks_add(&chunks, 0, 100), 0);
	ck_assert_uint_eq(chunks_add(&chunks, 50, 100), 50);
	ck_assert_uint_eq(chunks.missing_bytes, size_bytes - 150);
}
END_TEST

START_TEST(bytes_behind_a_hole_in_their_chunk_do_not_count)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();

	ck_assert_uint_eq(chunks_add(&chunks, 10, 100), 0);
	ck_assert_uint_eq(chunks.missing_bytes, size_bytes);
}
END_TEST

START_TEST(write_across_a_border_counts_in_both_chunks)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();

	have(&chunks, 0, CHUNK_BYTES - 10);
	ck_assert_uint_eq(chunks_add(&chunks, CHUNK_BYTES - 10, 30), 30);
	ck_assert_uint_eq(chunks.prefix_bytes, CHUNK_BYTES + 20);
}
END_TEST

START_TEST(all_is_claimed_only_when_nobody_has_a_claim)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	struct chunk_range one, all;

	ck_assert(chunks_claim(&chunks, true, 0, &one));
	ck_assert(!chunks_claim_all(&chunks, &all));
	chunks_release(&chunks, &one);
	ck_assert(chunks_claim_all(&chunks, &all));
	ck_assert_uint_eq(all.end, size_bytes);
}
END_TEST

START_TEST(saved_map_is_loaded_alike)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	CLEANUP(chunks_freep) struct chunks again = fresh();
	CLEANUP(bytes_freep) struct bytes map = bytes_capped(4096);
	struct err err = { 0 };

	have(&chunks, 0, CHUNK_BYTES + 7);
	have(&chunks, (uint64_t)20 * CHUNK_BYTES, size_bytes);
	ck_assert(chunks_save(&chunks, &map, &err));
	ck_assert(chunks_load(&again, bytes_view(&map)));
	ck_assert_uint_eq(again.prefix_bytes, CHUNK_BYTES + 7);
	ck_assert_uint_eq(again.missing_bytes, chunks.missing_bytes);
}
END_TEST

START_TEST(map_that_claims_more_than_a_chunk_is_refused)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	CLEANUP(bytes_freep) struct bytes map = bytes_capped(4096);
	struct err err = { 0 };

	ck_assert(chunks_save(&chunks, &map, &err));
	map.data[map.len - CHUNK_MAP_ENTRY_BYTES] = 6; /* the last chunk has 5 bytes */
	ck_assert(!chunks_load(&chunks, bytes_view(&map)));
	ck_assert_uint_eq(chunks.missing_bytes, size_bytes);
}
END_TEST

START_TEST(map_of_another_size_is_refused)
{
	CLEANUP(chunks_freep) struct chunks chunks = fresh();
	CLEANUP(bytes_freep) struct bytes map = bytes_capped(4096);
	struct err err = { 0 };

	ck_assert(chunks_save(&chunks, &map, &err));
	map.data[8]++;
	ck_assert(!chunks_load(&chunks, bytes_view(&map)));
	ck_assert(!chunks_load(&chunks, view_from(bytes_view(&map), 1)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chunks");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(rules, one_stream_is_handed_all_of_a_fresh_blob);
	tcase_add_test(rules, chunks_are_handed_out_in_order_up_to_the_window);
	tcase_add_test(rules, released_chunk_is_handed_out_from_where_it_broke);
	tcase_add_test(rules, prefix_waits_for_the_hole_then_jumps);
	tcase_add_test(rules, bytes_that_came_before_are_not_new);
	tcase_add_test(rules, bytes_behind_a_hole_in_their_chunk_do_not_count);
	tcase_add_test(rules, write_across_a_border_counts_in_both_chunks);
	tcase_add_test(rules, all_is_claimed_only_when_nobody_has_a_claim);
	tcase_add_test(rules, saved_map_is_loaded_alike);
	tcase_add_test(rules, map_that_claims_more_than_a_chunk_is_refused);
	tcase_add_test(rules, map_of_another_size_is_refused);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
