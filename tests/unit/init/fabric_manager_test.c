#include "init/fabric_manager.h"

#include "suite.h"

static struct err err;

START_TEST(baked_configuration_keeps_what_is_not_ours)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(4096);

	ck_assert(fabric_manager_config(&out,
					view_of("# DAEMONIZE=1\nLOG_LEVEL=4\nDAEMONIZE=1\n"
						"FABRIC_MODE=7\nFABRIC_MODE_RESTART=0"),
					FABRIC_OF_OTHERS, &err));
	ck_assert_str_eq(out.data, "# DAEMONIZE=1\nLOG_LEVEL=4\nFABRIC_MODE_RESTART=0\n"
				   "DAEMONIZE=0\nLOG_USE_SYSLOG=0\n"
				   "LOG_FILE_NAME=" FABRIC_MANAGER_LOG_PATH "\n"
				   "LOG_FILE_MAX_SIZE=1\n"
				   "STATE_FILE_NAME=/run/vmbake/fabricmanager.state\n"
				   "FABRIC_MODE=1\n");
}
END_TEST

START_TEST(empty_configuration_is_ours_alone)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(4096);

	ck_assert(fabric_manager_config(&out, (struct view){ 0 }, FABRIC_OF_THIS_MACHINE, &err));
	ck_assert(view_starts(bytes_view(&out), "DAEMONIZE=0\n"));
	ck_assert(view_ends(bytes_view(&out), "FABRIC_MODE=0\n"));
}
END_TEST

START_TEST(it_is_ready_when_its_log_says_so)
{
	ck_assert(!fabric_manager_is_ready((struct view){ 0 }));
	ck_assert(!fabric_manager_is_ready(view_of("FM starting\n")));
	ck_assert(fabric_manager_is_ready(view_of("[INFO] FM starting NvLink Inband started\n")));
	ck_assert(fabric_manager_is_ready(
		view_of("x\nSuccessfully configured all the available NVSwitches to route\n")));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("fabric_manager");

	tcase_add_test(tests, baked_configuration_keeps_what_is_not_ours);
	tcase_add_test(tests, empty_configuration_is_ours_alone);
	tcase_add_test(tests, it_is_ready_when_its_log_says_so);
	return suite_run(tests, "fabric_manager");
}
