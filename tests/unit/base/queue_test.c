#include "base/queue.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_COUNT = 3, BUFFER_BYTES = 4096, ROUND_COUNT = 1000 };

/* Fills ROUND_COUNT buffers, number n with (n & 0xff), n % BUFFER_BYTES + 1 bytes of it. */
static void *produce(void *context)
{
	struct queue *queue = context;

	for (size_t round = 0; round < ROUND_COUNT; round++) {
		uint8_t *buffer = queue_fill(queue);

		if (!buffer)
			return NULL;
		memset(buffer, (int)(round & 0xff), round % BUFFER_BYTES + 1);
		queue_push(queue, round % BUFFER_BYTES + 1);
	}
	queue_end(queue, NULL);
	return queue;
}

START_TEST(all_buffers_arrive_in_order)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	const uint8_t *data = NULL;
	struct err err = { 0 };
	pthread_t thread;
	size_t len = 0;

	ck_assert(queue_new(&queue, BUFFER_COUNT, BUFFER_BYTES, &err));
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, queue), 0);
	for (size_t round = 0; round < ROUND_COUNT; round++) {
		ck_assert(queue_next(queue, &data, &len, &err));
		ck_assert_uint_eq(len, round % BUFFER_BYTES + 1);
		ck_assert_uint_eq(data[0], round & 0xff);
		ck_assert_uint_eq(data[len - 1], round & 0xff);
	}
	ck_assert(queue_next(queue, &data, &len, &err));
	ck_assert_uint_eq(len, 0);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(failure_comes_out_after_what_was_pushed_before)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	const uint8_t *data = NULL;
	struct err err = { 0 }, failure = { 0 };
	size_t len = 0;

	ck_assert(queue_new(&queue, BUFFER_COUNT, BUFFER_BYTES, &err));
	queue_fill(queue)[0] = 'x';
	queue_push(queue, 1);
	err_set(&failure, ERR_NETWORK, "gone");
	queue_end(queue, &failure);
	err_set(&failure, ERR_INTERNAL, "the queue has its own copy");
	ck_assert(queue_next(queue, &data, &len, &err));
	ck_assert_uint_eq(data[0], 'x');
	ck_assert(!queue_next(queue, &data, &len, &err));
	ck_assert_int_eq(err.kind, ERR_NETWORK);
	ck_assert_str_eq(err.msg, "gone");
}
END_TEST

START_TEST(producer_that_waits_is_woken_when_the_consumer_gives_up)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	const uint8_t *data = NULL;
	struct err err = { 0 };
	pthread_t thread;
	int unset = 0;
	void *finished = &unset;
	size_t len = 0;

	ck_assert(queue_new(&queue, BUFFER_COUNT, BUFFER_BYTES, &err));
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, queue), 0);
	ck_assert(queue_next(queue, &data, &len, &err));
	queue_abandon(queue);
	pthread_join(thread, &finished);
	ck_assert_ptr_null(finished);
}
END_TEST

START_TEST(held_buffer_is_not_written_until_the_next_call)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	const uint8_t *data = NULL;
	struct err err = { 0 };
	size_t len = 0;

	ck_assert(queue_new(&queue, 2, BUFFER_BYTES, &err));
	queue_fill(queue)[0] = 1;
	queue_push(queue, 1);
	ck_assert(queue_next(queue, &data, &len, &err));
	uint8_t *second = queue_fill(queue);

	ck_assert_ptr_ne(second, data);
	second[0] = 2;
	queue_push(queue, 1);
	ck_assert_uint_eq(data[0], 1);
	ck_assert(queue_next(queue, &data, &len, &err));
	ck_assert_uint_eq(data[0], 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tests = tcase_create("queue");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, all_buffers_arrive_in_order);
	tcase_add_test(tests, failure_comes_out_after_what_was_pushed_before);
	tcase_add_test(tests, producer_that_waits_is_woken_when_the_consumer_gives_up);
	tcase_add_test(tests, held_buffer_is_not_written_until_the_next_call);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
