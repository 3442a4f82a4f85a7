#include "layers/tar_header.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kit/layers/tar_writer.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	char field[12];
	int64_t number;
} numbers[] = {
	{ "00000000644", 0644 },
	{ "644", 0644 },
	{ "   644 ", 0644 },
	{ "644 \0 ", 0644 },
	{ "777777777777", 0777777777777 },
	{ "", 0 },
	{ "            ", 0 },
	{ "12\0garbage", 012 },
	{ "\0\0\0\0\0\0\0" "0016", 016 },
	{ "\x80\0\0\0\0\0\0\0\0\0\x01\x02", 258 },
	{ "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", INT64_MAX },
	{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", -1 },
	{ "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", INT64_MIN },
};

static const char no_numbers[][12] = {
	"8",
	"0x12",
	"-1",
	"12 34",
	"+5",
	"\x80\0\0\x01\0\0\0\0\0\0\0\0",
	"\x80\0\0\0\x80\0\0\0\0\0\0\0",
	"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
};

START_TEST(each_number_is_read)
{
	int64_t out = -7;

	ck_assert(tar_number(numbers[_i].field, sizeof(numbers[_i].field), &out));
	ck_assert_int_eq(out, numbers[_i].number);
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
	int64_t out = -7;

	ck_assert(!tar_number(no_numbers[_i], sizeof(no_numbers[_i]), &out));
	ck_assert_int_eq(out, -7);
}
END_TEST

static struct tar_block added(struct writer_header header, enum writer_sum sum)
{
	struct bytes out = bytes_capped(sizeof(struct tar_block));
	struct tar_block block;

	writer_add(&out, header, sum);
	memcpy(&block, out.data, sizeof(block));
	bytes_freep(&out);
	return block;
}

START_TEST(checksums_hold_unsigned_and_signed_but_not_wrong)
{
	struct writer_header header = writer_header(WRITER_USTAR, '0', "\xff\x80\xc3\xa9", 5);
	struct tar_block of_unsigned = added(header, SUM_UNSIGNED);
	struct tar_block of_signed = added(header, SUM_SIGNED);
	struct tar_block wrong = added(header, SUM_WRONG);

	ck_assert(tar_checksum_holds(&of_unsigned));
	ck_assert(tar_checksum_holds(&of_signed));
	ck_assert(!tar_checksum_holds(&wrong));
}
END_TEST

START_TEST(a_zero_block_is_known_and_a_header_without_a_name_is_not_one)
{
	struct tar_block zero = { 0 };
	struct tar_block nameless = added(writer_header(WRITER_USTAR, '0', "", 0), SUM_UNSIGNED);

	ck_assert(tar_is_zero(&zero));
	ck_assert(!tar_is_zero(&nameless));
}
END_TEST

static const struct {
	enum writer_format format;
	enum writer_field prefix_field;
	const char *prefix, *name;
} prefixes[] = {
	{ WRITER_USTAR, FIELD_PREFIX, "dir", "dir/x" },
	{ WRITER_USTAR, FIELD_PREFIX, "", "x" },
	{ WRITER_STAR, FIELD_STAR_PREFIX, "dir", "dir/x" },
	{ WRITER_V7, FIELD_PREFIX, "dir", "x" },
	{ WRITER_GNU, FIELD_PREFIX, "dir", "dir/x" }, /* as Go before 1.8 wrote it */
	{ WRITER_GNU, FIELD_PREFIX, "00000001234", "x" }, /* a time, as GNU writes it */
};

START_TEST(the_prefix_counts_where_the_format_has_one)
{
	struct writer_header header = writer_header(prefixes[_i].format, '0', "x", 0);
	char name[TAR_NAME_BYTES_MAX];

	writer_text(&header, prefixes[_i].prefix_field, prefixes[_i].prefix);
	struct tar_block block = added(header, SUM_UNSIGNED);
	size_t len = tar_header_name(&block, name);

	ck_assert_uint_eq(len, strlen(prefixes[_i].name));
	ck_assert_mem_eq(name, prefixes[_i].name, len);
}
END_TEST

START_TEST(a_name_may_fill_its_fields_to_the_last_byte)
{
	struct writer_header header = writer_header(WRITER_USTAR, '0', "", 0);
	char text[160], name[TAR_NAME_BYTES_MAX];

	memset(text, 'n', sizeof(text));
	writer_bytes(&header, FIELD_NAME, text, 100);
	writer_bytes(&header, FIELD_PREFIX, text, 155);
	struct tar_block block = added(header, SUM_UNSIGNED);

	ck_assert_uint_eq(tar_header_name(&block, name), TAR_NAME_BYTES_MAX);
	ck_assert_int_eq(name[155], '/');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tar_header");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, each_number_is_read, 0, COUNT_OF(numbers));
	tcase_add_loop_test(all, what_is_no_number_is_refused, 0, COUNT_OF(no_numbers));
	tcase_add_test(all, checksums_hold_unsigned_and_signed_but_not_wrong);
	tcase_add_test(all, a_zero_block_is_known_and_a_header_without_a_name_is_not_one);
	tcase_add_loop_test(all, the_prefix_counts_where_the_format_has_one, 0,
			    COUNT_OF(prefixes));
	tcase_add_test(all, a_name_may_fill_its_fields_to_the_last_byte);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
