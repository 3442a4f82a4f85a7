#include "init/modules.h"

#include "suite.h"

static const struct {
	const char *baked, *cmdline, *expected;
} params[] = {
	{ "", "", "" },
	{ "a=1", "quiet", "a=1" },
	{ "a=1", "nvidia-uvm.b=2 nvidia_uvm.c", "a=1 b=2 c" },
	{ "", "nvidia_uvm.s=\"x y\"", "s=\"x y\"" },
	{ "", "nvidia.b=2 nvidia_uvmm.c=1 nvidia_uvm", "" },
};

START_TEST(each_command_line_adds_its_parameters)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(4096);
	const struct boot_module module = { .name = "nvidia_uvm", .params = params[_i].baked };
	struct err err = { 0 };

	ck_assert(modules_params(&out, &module, view_of(params[_i].cmdline), &err));
	ck_assert_str_eq(out.data, params[_i].expected);
}
END_TEST

START_TEST(parameters_over_a_page_are_refused)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(8);
	const struct boot_module module = { .name = "x", .params = "a=1" };
	struct err err = { 0 };

	ck_assert(!modules_params(&out, &module, view_of("x.b=2222222222"), &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(blacklists_hold_lists_and_fold_dashes)
{
	ck_assert(modules_is_blacklisted("nvidia_uvm", view_of("modprobe.blacklist=a,nvidia-uvm")));
	ck_assert(modules_is_blacklisted("a", view_of("module_blacklist=a")));
	ck_assert(!modules_is_blacklisted("nvidia", view_of("modprobe.blacklist=nvidia-uvm")));
	ck_assert(!modules_is_blacklisted("a", view_of("blacklist=a modprobe.blacklist")));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("modules");

	tcase_add_loop_test(tests, each_command_line_adds_its_parameters, 0,
			    sizeof(params) / sizeof(params[0]));
	tcase_add_test(tests, parameters_over_a_page_are_refused);
	tcase_add_test(tests, blacklists_hold_lists_and_fold_dashes);
	return suite_run(tests, "modules");
}
