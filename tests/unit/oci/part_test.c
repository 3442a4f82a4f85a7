#include "oci/part.h"

#include <check.h>

#include "oci/sink.h"
#include "tests/unit/folder.h"

static const uint64_t size_bytes = (uint64_t)2 * CHUNK_BYTES + 5;
static char gather[SINK_GATHER_BYTES];
static char content[SINK_GATHER_BYTES + 100];
static struct digest digest;

static struct part *opened(uint64_t size)
{
	struct part *part = NULL;
	struct err err = { 0 };

	ck_assert_msg(part_open(&part, dir_fd, &digest, size, &err), "%s", err.msg);
	return part;
}

static void receive(struct part *part, uint64_t offset, size_t len)
{
	struct err err = { 0 };
	uint64_t new_bytes = 0;

	ck_assert_msg(part_write(part, offset, content, len, &new_bytes, &err), "%s", err.msg);
	ck_assert_uint_eq(new_bytes, len);
}

/* A sink that has begun to receive first to last. */
static struct sink sink_at(struct part *part, uint64_t first, uint64_t last, struct bytes *memory)
{
	struct sink sink = { .part = part,
			     .memory = memory,
			     .gather = gather,
			     .is_ranged = true,
			     .first = first,
			     .last = last };
	struct http_response response = { .status = 206,
					  .has_range = true,
					  .range_first = first,
					  .range_last = last,
					  .range_total = size_bytes };
	struct err err = { 0 };

	ck_assert_msg(sink_start(&sink, &response, &err), "%s", err.msg);
	return sink;
}

START_TEST(what_came_is_there_for_the_next)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);

	receive(part, (uint64_t)2 * CHUNK_BYTES, 5);
	part_closep(&part);
	part = opened(size_bytes);
	ck_assert_uint_eq(part_resumed_bytes(part), 5);
	ck_assert_uint_eq(part_missing_bytes(part), size_bytes - 5);
}
END_TEST

START_TEST(a_part_of_another_size_starts_over)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);

	receive(part, (uint64_t)2 * CHUNK_BYTES, 5);
	part_closep(&part);
	part = opened(size_bytes + 1);
	ck_assert_uint_eq(part_resumed_bytes(part), 0);
}
END_TEST

START_TEST(one_claim_is_out_until_ranges_are_known_of)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	struct chunk_range first, second;

	ck_assert(part_claim(part, true, &first));
	ck_assert_uint_eq(first.end, CHUNK_BYTES);
	part_allow_ranges(part);
	ck_assert(part_claim(part, true, &second)); /* after at most 16 ms */
	ck_assert_uint_eq(second.first, CHUNK_BYTES);
	ck_assert_uint_eq(second.end, 2 * CHUNK_BYTES);
}
END_TEST

START_TEST(without_ranges_the_claim_is_all_of_it)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	struct chunk_range range;

	part_forbid_ranges(part);
	ck_assert(part_claim(part, true, &range));
	ck_assert_uint_eq(range.first, 0);
	ck_assert_uint_eq(range.end, size_bytes);
}
END_TEST

START_TEST(a_failure_comes_out_of_the_reader)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	struct err failure = { 0 }, err = { 0 };
	uint64_t available = 0;

	err_set(&failure, ERR_NETWORK, "the line is down");
	part_fail(part, &failure);
	ck_assert(!part_wait(part, 0, 1, &available, &err));
	ck_assert_str_eq(err.msg, "the line is down");
}
END_TEST

START_TEST(small_pieces_are_written_in_large_ones_and_none_is_lost)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	CLEANUP(bytes_freep) struct bytes memory = bytes_capped(100);
	struct sink sink = sink_at(part, 0, size_bytes - 1, &memory);
	struct err err = { 0 };

	ck_assert(sink_write(&sink, content, SINK_GATHER_BYTES - 1, &err));
	ck_assert_uint_eq(sink.new_bytes, 0);
	ck_assert(sink_write(&sink, content, 3, &err));
	ck_assert_uint_eq(sink.new_bytes, SINK_GATHER_BYTES);
	ck_assert(sink_flush(&sink, &err));
	ck_assert_uint_eq(sink.new_bytes, SINK_GATHER_BYTES + 2);
	ck_assert_uint_eq(part_missing_bytes(part), size_bytes - SINK_GATHER_BYTES - 2);
}
END_TEST

START_TEST(more_than_was_asked_for_is_an_error)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	CLEANUP(bytes_freep) struct bytes memory = bytes_capped(100);
	struct sink sink = sink_at(part, 0, 9, &memory);
	struct err err = { 0 };

	ck_assert(!sink_write(&sink, content, 11, &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
}
END_TEST

START_TEST(what_was_left_to_others_is_not_written)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	CLEANUP(bytes_freep) struct bytes memory = bytes_capped(100);
	struct sink sink = sink_at(part, 0, size_bytes - 1, &memory);
	struct err err = { 0 };

	sink.is_cut = true;
	sink.end = 10;
	ck_assert(sink_write(&sink, content, 4, &err));
	ck_assert(!sink_has_enough(&sink));
	ck_assert(sink_write(&sink, content, 100, &err));
	ck_assert(sink_has_enough(&sink));
	ck_assert(sink_flush(&sink, &err));
	ck_assert_uint_eq(sink.new_bytes, 10);
}
END_TEST

START_TEST(another_range_is_refused)
{
	CLEANUP(part_closep) struct part *part = opened(size_bytes);
	CLEANUP(bytes_freep) struct bytes memory = bytes_capped(100);
	struct sink sink = sink_at(part, 0, 9, &memory);
	struct http_response response = { .status = 206,
					  .has_range = true,
					  .range_first = 1,
					  .range_last = 9,
					  .range_total = size_bytes };
	struct err err = { 0 };

	ck_assert(!sink_start(&sink, &response, &err));
	ck_assert_int_eq(err.kind, ERR_NETWORK);
	ck_assert(part_forbids_ranges(part));
}
END_TEST

static int64_t blocks_bytes(const struct part *part)
{
	struct stat stat;

	ck_assert_int_eq(fstat(part_fd(part), &stat), 0);
	return stat.st_blocks * 512;
}

/* A manifest may name any size: the disk gives what comes, and some ahead. */
START_TEST(blocks_are_asked_for_as_bytes_come)
{
	const uint64_t claimed_bytes = UINT64_C(1) << 40;
	CLEANUP(part_closep) struct part *part = opened(claimed_bytes);

	ck_assert_int_lt(blocks_bytes(part), 4 << 20); /* the map */
	for (uint64_t at = 0; at < 1 << 20; at += SINK_GATHER_BYTES)
		receive(part, at, SINK_GATHER_BYTES);
	ck_assert_int_ge(blocks_bytes(part), 1 << 20);
	ck_assert_int_lt(blocks_bytes(part), 100 << 20);
	part_closep(&part);
	part = opened(claimed_bytes); /* goes on where that one was */
	receive(part, 1 << 20, SINK_GATHER_BYTES);
	ck_assert_int_lt(blocks_bytes(part), 100 << 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("part");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(rules, make_folder, remove_folder);
	tcase_add_test(rules, what_came_is_there_for_the_next);
	tcase_add_test(rules, a_part_of_another_size_starts_over);
	tcase_add_test(rules, one_claim_is_out_until_ranges_are_known_of);
	tcase_add_test(rules, without_ranges_the_claim_is_all_of_it);
	tcase_add_test(rules, a_failure_comes_out_of_the_reader);
	tcase_add_test(rules, small_pieces_are_written_in_large_ones_and_none_is_lost);
	tcase_add_test(rules, more_than_was_asked_for_is_an_error);
	tcase_add_test(rules, what_was_left_to_others_is_not_written);
	tcase_add_test(rules, another_range_is_refused);
	tcase_add_test(rules, blocks_are_asked_for_as_bytes_come);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
