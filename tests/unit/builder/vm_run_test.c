/* A shell stands in for the VMM: what it prints is the console, how it ends the VMM's end. */
#include "builder/run/vm_run.h"

#include <check.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tests/unit/folder.h"

static struct machine machine;
static struct words words;
static struct vm_run_request request;
static struct vm_run_result result;
static struct exit_record record;
static int signal_fd = -1;
static char reason[VM_RUN_REASON_BYTES], socket_path[128], printed[8192];
static int status;
static struct err err;

static void start(void)
{
	sigset_t ours;

	make_folder();
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	ck_assert_int_ge(signal_fd, 0);
	machine = (struct machine){ .vmm = VMM_QEMU, .cpu = EM_X86_64 };
	words = WORDS_NONE;
	request = (struct vm_run_request){ .machine = &machine, .words = &words, .input_fd = -1 };
	request.output_fd = openat(dir_fd, "console", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	result = VM_RUN_RESULT_NONE;
	record = (struct exit_record){ 0 };
	err = (struct err){ 0 };
}

static void end(void)
{
	vm_run_result_freep(&result);
	exit_record_freep(&record);
	words_freep(&words);
	fd_closep(&request.output_fd);
	fd_closep(&signal_fd);
	remove_folder();
}

static bool run(const char *script)
{
	ck_assert(words_add_all(&words, (const char *const[]){ "sh", "-c", script, NULL }, &err));
	return vm_run(&result, &request, signal_fd, &err);
}

static const char *console(void)
{
	ssize_t len = pread(request.output_fd, printed, sizeof(printed) - 1, 0);

	ck_assert_int_ge(len, 0);
	printed[len] = '\0';
	return printed;
}

static bool outcome(void)
{
	struct view line;
	bool has_report = guest_link_report(&result.link, &record, &line);

	return vm_run_outcome(&result, &machine, has_report ? &record : NULL, &status, reason,
			      &err);
}

START_TEST(console_is_copied_whole_with_the_line_ends_of_files)
{
	ck_assert(run("printf 'hello\\r\\nvmbake: exited code=7\\r\\nlast'"));
	ck_assert_str_eq(console(), "hello\nvmbake: exited code=7\nlast");
	ck_assert(outcome());
	ck_assert_int_eq(status, 7);
	ck_assert_str_eq(reason, "");
}
END_TEST

START_TEST(much_console_is_not_lost)
{
	ck_assert(run("i=0; while [ $i -lt 400 ]; do echo 12345678901234; i=$((i+1)); done"));
	console();
	ck_assert_uint_eq(strlen(printed), 400 * 15);
}
END_TEST

START_TEST(end_is_seen_also_where_children_are_ignored)
{
	signal(SIGCHLD, SIG_IGN);
	ck_assert(run("echo vmbake: exited code=0"));
	ck_assert(outcome());
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(signal_of_the_entrypoint_is_128_and_more)
{
	ck_assert(run("echo vmbake: exited signal=9"));
	ck_assert(outcome());
	ck_assert_int_eq(status, 137);
}
END_TEST

START_TEST(vmm_that_fails_says_why)
{
	ck_assert(run("echo one >&2; echo 'bad drive' >&2; exit 3"));
	ck_assert(!outcome());
	ck_assert_int_eq(err.kind, ERR_IO);
	ck_assert_str_eq(err.msg, "qemu-system-x86_64 ended with exit code 3 before its guest "
				  "did: bad drive");
	machine.has_kvm = true;
	ck_assert(!outcome());
	ck_assert_ptr_nonnull(strstr(err.msg, "; --accel tcg does without KVM"));
}
END_TEST

START_TEST(kernel_that_panics_says_why)
{
	ck_assert(run("echo '[1.0] Kernel panic - not syncing: VFS: no root'"));
	ck_assert(!outcome());
	ck_assert_int_eq(err.kind, ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "VFS: no root"));
	ck_assert_ptr_nonnull(strstr(err.msg, "--initrd"));
}
END_TEST

START_TEST(program_that_is_nowhere_is_not_found)
{
	ck_assert(words_add(&words, &err, "/nowhere/vmm"));
	ck_assert(!vm_run(&result, &request, signal_fd, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* A shell that no request reaches is killed after the grace and the margin: with a second request
 * at once. */
START_TEST(second_request_to_stop_kills)
{
	int64_t before_ms = clock_now_ms();

	raise(SIGTERM);
	if (fork() == 0) {
		usleep(300 * 1000);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	ck_assert(run("exec sleep 60"));
	ck_assert_int_lt(clock_now_ms() - before_ms, 4000);
	ck_assert(result.was_killed);
	ck_assert(outcome());
	ck_assert_int_eq(status, 143);
}
END_TEST

START_TEST(timeout_ends_with_a_code_of_its_own)
{
	request.timeout_seconds = 1;
	ck_assert(run("sleep 1.5; echo vmbake: exited code=0"));
	ck_assert(outcome());
	ck_assert_int_eq(status, STATUS_TIMED_OUT);
	ck_assert(!result.was_killed);
	ck_assert_ptr_nonnull(strstr(reason, "--timeout"));
}
END_TEST

static void listen_here(enum vmm vmm)
{
	snprintf(socket_path, sizeof(socket_path), "%s/vsock", folder);
	machine.vmm = vmm;
	machine.report_socket = socket_path;
}

static const char connects[] =
	"import socket, sys\n"
	"s = socket.socket(socket.AF_UNIX)\n"
	"s.connect(sys.argv[1])\n"
	"s.sendall(b'{\"vmbake-exit\":1,\"code\":125,\"failure\":\"no GPU\",\"gpu\":{\"code\":1,'\n"
	"          b'\"symptom\":\"none\",\"hint\":\"look\"}}\\n')\n";

START_TEST(report_over_vsock_is_believed_before_the_console)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(256);

	listen_here(VMM_FIRECRACKER);
	ck_assert(bytes_print(&path, &err, "%s_%d", socket_path, REPORT_VSOCK_PORT));
	ck_assert(words_add_all(&words, (const char *const[]){ "python3", "-c", connects, path.data,
							       NULL }, &err));
	ck_assert_msg(vm_run(&result, &request, signal_fd, &err), "%s", err.msg);
	ck_assert(outcome());
	ck_assert_int_eq(status, 125);
	ck_assert_str_eq(reason, "the entrypoint was not started: no GPU; look");
}
END_TEST

/* As QEMU does: the VMM makes the socket, we connect when it is there. */
static const char listens[] =
	"import socket, sys, time\n"
	"time.sleep(0.2)\n"
	"s = socket.socket(socket.AF_UNIX)\n"
	"s.bind(sys.argv[1])\n"
	"s.listen(1)\n"
	"c = s.accept()[0]\n"
	"assert c.recv(5) == b'stop\\n'\n"
	"c.sendall(b'{\"vmbake-exit\":1,\"code\":3}\\n')\n";

START_TEST(request_waits_for_the_port_to_be_there)
{
	listen_here(VMM_QEMU);
	raise(SIGTERM);
	ck_assert(words_add_all(&words, (const char *const[]){ "python3", "-c", listens,
							       socket_path, NULL }, &err));
	ck_assert_msg(vm_run(&result, &request, signal_fd, &err), "%s", err.msg);
	ck_assert(!result.was_killed);
	ck_assert(outcome());
	ck_assert_int_eq(status, 3);
}
END_TEST

START_TEST(requests_to_apis_are_whole)
{
	const char *text = guest_link_stop_text(VMM_FIRECRACKER);
	const char *body = strstr(text, "\r\n\r\n") + 4;
	char length[64];

	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
	ck_assert_ptr_nonnull(strstr(text, length));
	ck_assert_str_eq(body, "{\"action_type\":\"SendCtrlAltDel\"}");
	text = guest_link_stop_text(VMM_CLOUD_HYPERVISOR);
	ck_assert_str_eq(text + strlen(text) - 4, "\r\n\r\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm_run");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, end);
	tcase_add_test(all, console_is_copied_whole_with_the_line_ends_of_files);
	tcase_add_test(all, much_console_is_not_lost);
	tcase_add_test(all, end_is_seen_also_where_children_are_ignored);
	tcase_add_test(all, signal_of_the_entrypoint_is_128_and_more);
	tcase_add_test(all, vmm_that_fails_says_why);
	tcase_add_test(all, kernel_that_panics_says_why);
	tcase_add_test(all, program_that_is_nowhere_is_not_found);
	tcase_add_test(all, second_request_to_stop_kills);
	tcase_add_test(all, timeout_ends_with_a_code_of_its_own);
	tcase_add_test(all, report_over_vsock_is_believed_before_the_console);
	tcase_add_test(all, request_waits_for_the_port_to_be_there);
	tcase_add_test(all, requests_to_apis_are_whole);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
