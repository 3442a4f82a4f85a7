#include "layers/crc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3720 B.4: CRC-32C of 32 bytes of zeros is aa 36 91 8a, of 32 times 0xff 43 ab a8 62. */
START_TEST(known_values_come_out)
{
	uint8_t zeros[32] = { 0 }, ones[32];

	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(crc32c_add(0, zeros, sizeof(zeros)), 0x8a9136aa);
	ck_assert_uint_eq(crc32c_add(0, ones, sizeof(ones)), 0x62a8ab43);
	ck_assert_uint_eq(crc32c_add(0, "123456789", 9), 0xe3069283);
}
END_TEST

START_TEST(pieces_add_up_to_the_whole)
{
	uint32_t whole = crc32c_add(0, "123456789", 9);

	ck_assert_uint_eq(crc32c_add(crc32c_add(0, "1234", 4), "56789", 5), whole);
}
END_TEST

START_TEST(zeros_by_count_equal_zeros_by_byte)
{
	static const size_t lens[] = { 0, 1, 2, 7, 8, 511, 4096, 4097, 100000 };
	uint8_t *zeros = calloc(1, 100000);
	uint32_t start = crc32c_add(0, "before", 6);

	ck_assert_uint_eq(crc32c_add_zeros(start, lens[_i]), crc32c_add(start, zeros, lens[_i]));
	free(zeros);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crc");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(all, known_values_come_out);
	tcase_add_test(all, pieces_add_up_to_the_whole);
	tcase_add_loop_test(all, zeros_by_count_equal_zeros_by_byte, 0, 9);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
