#include "init/contract/exit_record.h"

#include <string.h>

#include "base/json.h"
#include "suite.h"

static struct exit_record record;
static struct err err;

static void start(void)
{
	record = (struct exit_record){ 0 };
}

static void end(void)
{
	exit_record_freep(&record);
}

/* What the host reads is what the guest wrote. */
static void send(const struct exit_record *told)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(64 << 10);
	CLEANUP(json_freep) struct json_t *json = exit_record_json(told);

	ck_assert(json_print(&line, json, JSON_ONE_LINE, &err));
	ck_assert_msg(exit_record_parse(&record, bytes_view(&line), &err), "%s", err.msg);
}

START_TEST(host_reads_a_code_as_the_guest_wrote_it)
{
	send(&(struct exit_record){ .ending = { .code = 7 },
				    .had_oom_kill = true,
				    .gpu = { .verdict = "absent" } });
	ck_assert(!record.ending.was_signaled && record.had_oom_kill);
	ck_assert_int_eq(record.ending.code, 7);
	ck_assert_ptr_null(record.failure);
	ck_assert_str_eq(record.gpu.verdict, "absent");
	ck_assert_uint_eq(record.gpu.code, 0);
}
END_TEST

START_TEST(host_reads_a_failed_gpu_as_the_guest_wrote_it)
{
	send(&(struct exit_record){ .ending = { .was_signaled = true, .code = 9 },
				    .failure = "why \"so\"",
				    .gpu = { .verdict = "failed",
					     .gpu_count = 2,
					     .unknown_count = 1,
					     .code = 6,
					     .symptom = "dirty",
					     .hint = "reset it",
					     .is_drain = true } });
	ck_assert(record.ending.was_signaled && record.gpu.is_drain);
	ck_assert_int_eq(record.ending.code, 9);
	ck_assert_str_eq(record.failure, "why \"so\"");
	ck_assert_uint_eq(record.gpu.gpu_count, 2);
	ck_assert_uint_eq(record.gpu.unknown_count, 1);
	ck_assert_uint_eq(record.gpu.code, 6);
	ck_assert_str_eq(record.gpu.symptom, "dirty");
	ck_assert_str_eq(record.gpu.hint, "reset it");
}
END_TEST

START_TEST(what_a_newer_guest_adds_is_passed_over)
{
	ck_assert(exit_record_parse(
		&record, view_of("{\"vmbake-exit\":1,\"code\":0,\"stages-us\":{},\"new\":[1]}"),
		&err));
	ck_assert_int_eq(record.ending.code, 0);
	ck_assert_ptr_null(record.gpu.verdict);
}
END_TEST

static const char *const broken[] = {
	"",
	"{}",
	"[]",
	"{\"vmbake-exit\":1}",
	"{\"vmbake-exit\":2,\"code\":0}",
	"{\"code\":0}",
	"{\"vmbake-exit\":1,\"code\":0,\"signal\":9}",
	"{\"vmbake-exit\":1,\"code\":256}",
	"{\"vmbake-exit\":1,\"code\":-1}",
	"{\"vmbake-exit\":1,\"signal\":65}",
	"{\"vmbake-exit\":1,\"code\":0,\"failure\":1}",
	"{\"vmbake-exit\":1,\"code\":0,\"oom-killed\":\"no\"}",
	"{\"vmbake-exit\":1,\"code\":0,\"gpu\":[]}",
	"{\"vmbake-exit\":1,\"code\":0,\"gpu\":{\"code\":70000}}",
	"{\"vmbake-exit\":1,\"code\":0,\"gpu\":{\"symptom\":1}}",
};

START_TEST(broken_reports_are_refused)
{
	ck_assert(!exit_record_parse(&record, view_of(broken[_i]), &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_ptr_null(record.failure);
}
END_TEST

START_TEST(console_tells_code_signal_and_failure)
{
	struct ending ending = { 0 };

	ck_assert(exit_line_parse(&ending, view_of("vmbake: exited code=125")));
	ck_assert(!ending.was_signaled);
	ck_assert_int_eq(ending.code, 125);
	ck_assert(exit_line_parse(&ending, view_of("vmbake: exited signal=9")));
	ck_assert(ending.was_signaled);
	ck_assert_int_eq(ending.code, 9);
	ck_assert(view_equal(failure_line_parse(view_of("vmbake: failed: no root")), "no root"));
}
END_TEST

static const char *const others[] = {
	"",
	"vmbake: exited",
	"vmbake: exited code=",
	"vmbake: exited code=256",
	"vmbake: exited code=1 ",
	"vmbake: exited signal=65",
	" vmbake: exited code=1",
	"exited code=1",
};

START_TEST(other_lines_tell_no_ending)
{
	struct ending ending = { .code = 77 };

	ck_assert(!exit_line_parse(&ending, view_of(others[_i])));
	ck_assert_int_eq(ending.code, 77);
	ck_assert_ptr_null(failure_line_parse(view_of(others[_i])).ptr);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("exit_record");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, host_reads_a_code_as_the_guest_wrote_it);
	tcase_add_test(tests, host_reads_a_failed_gpu_as_the_guest_wrote_it);
	tcase_add_test(tests, what_a_newer_guest_adds_is_passed_over);
	tcase_add_loop_test(tests, broken_reports_are_refused, 0,
			    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tests, console_tells_code_signal_and_failure);
	tcase_add_loop_test(tests, other_lines_tell_no_ending, 0,
			    sizeof(others) / sizeof(others[0]));
	return suite_run(tests, "exit_record");
}
