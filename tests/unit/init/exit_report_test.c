#include "init/exit_report.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/memory_group.h"
#include "init/stop.h"
#include "suite.h"

static struct bytes out;
static struct err err;

static void start(void)
{
	out = bytes_capped(64 << 10);
}

static void end(void)
{
	bytes_freep(&out);
}

static void print(struct ending ending, const char *failure, struct gpu_verdict gpu)
{
	const struct stages stages = { .us = { [STAGE_INIT] = 5, [STAGE_EXIT] = 70 } };
	const struct exit_report report = { .ending = &ending,
					    .failure = failure,
					    .gpu = &gpu,
					    .stages = &stages };

	ck_assert(exit_report_print(&out, &report, &err));
}

START_TEST(code_is_told_on_one_line)
{
	print((struct ending){ .code = 7 }, NULL, (struct gpu_verdict){ 0 });
	ck_assert_str_eq(out.data,
			 "{\"vmbake-exit\":1,\"code\":7,\"oom-killed\":false,"
			 "\"gpu\":{\"verdict\":\"not-asked\",\"count\":0},"
			 "\"stages-us\":{\"init\":5,\"exit\":70}}\n");
}
END_TEST

START_TEST(signal_takes_the_place_of_the_code)
{
	print((struct ending){ .was_signaled = true, .code = 9 }, NULL, (struct gpu_verdict){ 0 });
	ck_assert_ptr_nonnull(strstr(out.data, "\"signal\":9,"));
	ck_assert_ptr_null(strstr(out.data, "\"code\""));
}
END_TEST

START_TEST(failed_gpu_comes_with_code_and_hint)
{
	print((struct ending){ .code = 125 }, "why \"so\"",
	      (struct gpu_verdict){ .state = GPU_FAILED,
				    .gpu_count = 1,
				    .symptom = gpu_symptom_of(GPU_FAILURE_DIRTY) });
	ck_assert_ptr_nonnull(strstr(out.data, "\"failure\":\"why \\\"so\\\"\""));
	ck_assert_ptr_nonnull(strstr(out.data, "\"verdict\":\"failed\",\"count\":1,\"code\":6,"));
	ck_assert_ptr_nonnull(strstr(out.data, "\"drain\":true"));
}
END_TEST

START_TEST(stages_survive_the_way_over_exec)
{
	struct stages before = { .us = { [STAGE_INITRD] = 1, [STAGE_ROOT_FOUND] = UINT64_MAX } };
	struct stages after;
	char text[STAGES_TEXT_BYTES];

	stages_print(&before, text);
	stages_parse(&after, text);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	stages_parse(&after, "x,,7");
	ck_assert_uint_eq(after.us[0] + after.us[1], 0);
	ck_assert_uint_eq(after.us[2], 7);
	stages_parse(&after, NULL);
	ck_assert_uint_eq(after.us[2], 0);
}
END_TEST

START_TEST(memory_events_are_read)
{
	ck_assert(memory_events_tell_oom_kill(view_of("low 0\noom 1\noom_kill 2\n")));
	ck_assert(!memory_events_tell_oom_kill(view_of("oom 5\noom_kill 0\noom_group_kill 3\n")));
	ck_assert(!memory_events_tell_oom_kill(view_of("oom_kill x")));
	ck_assert(!memory_events_tell_oom_kill(view_of("")));
}
END_TEST

START_TEST(channel_asks_only_with_a_whole_line)
{
	struct stop_inputs inputs = { .channel_fd = -1 };

	ck_assert(!stop_channel_add(&inputs, view_of("st")));
	ck_assert(stop_channel_add(&inputs, view_of("op\r\n")));
	ck_assert(!stop_channel_add(&inputs, view_of("stopp\nnonstop\n\n")));
}
END_TEST

START_TEST(channel_drops_lines_that_are_too_long)
{
	struct stop_inputs inputs = { .channel_fd = -1 };
	char spaces[80];

	memset(spaces, ' ', sizeof(spaces));
	ck_assert(!stop_channel_add(&inputs, (struct view){ "stop", 4 }));
	ck_assert(!stop_channel_add(&inputs, (struct view){ spaces, sizeof(spaces) }));
	ck_assert(!stop_channel_add(&inputs, view_of("x\n")));
	ck_assert(stop_channel_add(&inputs, view_of("stop\n")));
}
END_TEST

START_TEST(line_goes_over_the_port)
{
	char heard[64] = "";
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	exit_report_send(fds[0], 0, view_of("{\"code\":0}\n"));
	ck_assert_int_eq(read(fds[1], heard, sizeof(heard) - 1), 11);
	ck_assert_str_eq(heard, "{\"code\":0}\n");
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* A port whose reader is away takes what fits; a report must not hold up the machine's end. */
START_TEST(host_that_does_not_read_is_given_up)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(16 << 20);
	char *room = NULL;
	int fds[2];

	ck_assert(bytes_grow(&line, 8 << 20, &room, &err));
	memset(room, 'x', 8 << 20);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	exit_report_send(fds[0], 0, bytes_view(&line));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("exit_report");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, code_is_told_on_one_line);
	tcase_add_test(tests, signal_takes_the_place_of_the_code);
	tcase_add_test(tests, failed_gpu_comes_with_code_and_hint);
	tcase_add_test(tests, stages_survive_the_way_over_exec);
	tcase_add_test(tests, memory_events_are_read);
	tcase_add_test(tests, channel_asks_only_with_a_whole_line);
	tcase_add_test(tests, channel_drops_lines_that_are_too_long);
	tcase_add_test(tests, line_goes_over_the_port);
	tcase_add_test(tests, host_that_does_not_read_is_given_up);
	return suite_run(tests, "exit_report");
}
