#include "drivers/bundle/vendor_version.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	const char *name, *version;
} names[] = {
	{ "libcuda.so.535.309.01", "535.309.01" },
	{ "libnvidia-ml.so.100.1", "100.1" },
	{ "lib/libEGL_nvidia.so.99999.1", "99999.1" },
	/* of its own, or none */
	{ "libcuda.so.1", "" },
	{ "libcuda.so", "" },
	{ "libnvidia-egl-gbm.so.1.1.0", "" },
	{ "libx.so.99.1", "" },
	{ "libx.so.535", "" },
	{ "libx.so.100000.1", "" },
	{ "libx.so.535.1-old", "" },
	{ "libx.so.535.", "" },
	{ "libx.so.", "" },
	{ "nvidia-smi", "" },
	{ "", "" },
};

START_TEST(drivers_version_stands_behind_so)
{
	ck_assert(view_equal(vendor_version_in(view_of(names[_i].name)), names[_i].version));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vendor_version");
	TCase *tests = tcase_create("vendor_version");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, drivers_version_stands_behind_so, 0,
			    sizeof(names) / sizeof(names[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
