/* The frame that every test program of this room has. */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the one test case of a program; its exit code. */
static inline int suite_run(TCase *tests, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
