#include "drivers/kernel/kernel_config.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

static struct finding_list findings;
static struct kernel kernel;
static struct err err;

static void begin(void)
{
	findings = (struct finding_list){ 0 };
	kernel = KERNEL_NONE;
	kernel.machine = EM_X86_64;
	snprintf(kernel.release, sizeof(kernel.release), "6.1.0-made");
}

static void end(void)
{
	kernel_freep(&kernel);
	finding_list_freep(&findings);
}

/* A configuration of all that the table asks of this machine, but one option. */
static void configure(uint16_t machine, const char *without)
{
	struct view rest = kernel_config_table();
	struct kernel_demand demand;
	bool is_broken = false;

	bytes_clear(&kernel.config);
	while (kernel_config_next(&rest, &demand, &is_broken)) {
		bool is_ours = demand.machine == 0 || demand.machine == machine;

		if (is_ours && !demand.is_unwanted && !view_equal(demand.name, without))
			ck_assert(bytes_print(&kernel.config, &err, "%.*s=%c\n",
					      VIEW_ARGS(demand.name),
					      demand.is_module_enough ? 'm' : 'y'));
	}
	ck_assert(!is_broken);
}

START_TEST(the_documented_table_is_read_to_its_end)
{
	struct view rest = kernel_config_table();
	struct kernel_demand demand;
	bool is_broken = false, has_modules = false;
	size_t count = 0;

	for (; kernel_config_next(&rest, &demand, &is_broken); count++) {
		has_modules = has_modules || view_equal(demand.name, "CONFIG_MODULES");
		ck_assert_uint_gt(demand.reason.len, 10);
	}
	ck_assert(!is_broken && has_modules);
	ck_assert_uint_ge(count, 20);
}
END_TEST

START_TEST(a_kernel_that_has_all_is_good)
{
	configure(EM_X86_64, "");
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(an_option_that_is_lacking_is_named_with_the_reason)
{
	configure(EM_X86_64, "CONFIG_PCI_MSI");
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_int_eq(findings.items[0].rule, RULE_KERNEL_CONFIG);
	ck_assert_int_eq(findings.items[0].severity, SEVERITY_WARNING);
	ck_assert_ptr_nonnull(strstr(findings.items[0].sentence, "lacks CONFIG_PCI_MSI: "));
	ck_assert_ptr_nonnull(strstr(findings.items[0].sentence, "INTx"));
	configure(EM_X86_64, "CONFIG_FW_LOADER");
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	ck_assert_int_eq(findings.items[1].severity, SEVERITY_ERROR);
}
END_TEST

START_TEST(a_module_is_enough_only_where_the_table_says_so)
{
	configure(EM_X86_64, "CONFIG_PCI_MSI");
	ck_assert(bytes_print(&kernel.config, &err, "CONFIG_PCI_MSI=m\nCONFIG_DRM_NOUVEAU=m\n"));
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_ptr_nonnull(strstr(findings.items[0].sentence, "CONFIG_PCI_MSI built in"));
}
END_TEST

START_TEST(a_built_in_nouveau_is_named)
{
	configure(EM_X86_64, "");
	ck_assert(bytes_print(&kernel.config, &err, "CONFIG_DRM_NOUVEAU=y\n"));
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_ptr_nonnull(strstr(findings.items[0].sentence, "has CONFIG_DRM_NOUVEAU"));
}
END_TEST

START_TEST(each_machine_has_its_own_rows)
{
	configure(EM_X86_64, "");
	kernel.machine = EM_AARCH64;
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_ptr_nonnull(strstr(findings.items[0].sentence, "CONFIG_PCI_HOST_GENERIC"));
}
END_TEST

START_TEST(without_a_configuration_it_is_unknown)
{
	struct export symbol = { .name = { "printk", 6 } };

	kernel.exports.items = &symbol;
	kernel.exports.count = 1;
	ck_assert(kernel_config_check(&findings, &kernel, &err));
	kernel.exports = (struct export_table){ 0 };
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_int_eq(findings.items[0].severity, SEVERITY_UNKNOWN);
}
END_TEST

static const char *const broken[] = {
	"CONFIG_PCI=y\n",
	"# all, error: why\n",
	"# all, error: why\n# all, error: why\nCONFIG_PCI=y\n",
	"# all, error: why\nCONFIG_PCI=n\n",
	"# all, error: why\n\nCONFIG_PCI=y\n",
};

START_TEST(a_table_that_makes_no_sense_is_noticed)
{
	struct view rest = view_of(broken[_i]);
	struct kernel_demand demand;
	bool is_broken = false;

	while (kernel_config_next(&rest, &demand, &is_broken))
		;
	ck_assert(is_broken);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kernel_config");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, the_documented_table_is_read_to_its_end);
	tcase_add_test(all, a_kernel_that_has_all_is_good);
	tcase_add_test(all, an_option_that_is_lacking_is_named_with_the_reason);
	tcase_add_test(all, a_module_is_enough_only_where_the_table_says_so);
	tcase_add_test(all, a_built_in_nouveau_is_named);
	tcase_add_test(all, each_machine_has_its_own_rows);
	tcase_add_test(all, without_a_configuration_it_is_unknown);
	tcase_add_loop_test(all, a_table_that_makes_no_sense_is_noticed, 0,
			    sizeof(broken) / sizeof(broken[0]));
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
