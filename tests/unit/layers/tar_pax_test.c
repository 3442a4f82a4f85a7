#include "layers/tar_pax.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kit/layers/tar_writer.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct tar_pax pax;
static struct tar_map map;
static struct bytes text;
static struct err err;

static void begin(void)
{
	pax = (struct tar_pax){ 0 };
	map = (struct tar_map){ .cap = 8 };
	text = bytes_capped(1 << 16);
	err = (struct err){ 0 };
}

static void end(void)
{
	tar_pax_freep(&pax);
	tar_map_freep(&map);
	bytes_freep(&text);
}

static void record(const char *key, const char *value)
{
	writer_record(&text, key, value, strlen(value));
}

static bool parse(void)
{
	return tar_pax_parse(&pax, text.data, text.len, &map, 64, &err);
}

static const struct {
	const char *text;
	int64_t seconds;
	uint32_t ns;
} times[] = {
	{ "0", 0, 0 },
	{ "1350244992.023960108", 1350244992, 23960108 },
	{ "5.", 5, 0 },
	{ "5.25", 5, 250000000 },
	{ "-5.25", -6, 750000000 },
	{ "-5", -5, 0 },
	{ "-0.5", -1, 500000000 },
	{ "-0.000000001", -1, 999999999 },
	{ "1.0000000019", 1, 1 },
	{ "9223372036854775807", INT64_MAX, 0 },
	{ "-9223372036854775807.5", INT64_MIN, 500000000 },
};

START_TEST(each_time_is_read_with_its_fraction)
{
	int64_t seconds = 1;
	uint32_t ns = 1;

	ck_assert(tar_pax_time(view_of(times[_i].text), &seconds, &ns));
	ck_assert_int_eq(seconds, times[_i].seconds);
	ck_assert_uint_eq(ns, times[_i].ns);
}
END_TEST

static const char *const no_times[] = { "",    ".5",   "-",     "--5", "+5", "5,5", "5.x",
					"1e5", "5.-1", " 5", "5.5.5", "5.951928467a",
					"9223372036854775808" };

START_TEST(what_is_no_time_is_refused)
{
	int64_t seconds = 0;
	uint32_t ns = 0;

	ck_assert(!tar_pax_time(view_of(no_times[_i]), &seconds, &ns));
}
END_TEST

static const struct {
	const char *text;
	size_t len;
} broken[] = {
#define BROKEN(text) { text, sizeof(text) - 1 }
	BROKEN("path=x\n"), /* no length */
	BROKEN("8 path=x\n"), /* one short */
	BROKEN("11 path=x\n"), /* one over */
	BROKEN("10 path=x "), /* no newline */
	BROKEN("5 a=\n5"), /* rubbish behind */
	BROKEN("5 =b\n"), /* no key */
	BROKEN("5 ab\n"), /* no '=' */
	BROKEN("2 \n"),
	BROKEN("0 \n"),
	BROKEN("-1 a=b\n"),
	BROKEN("99999999999999999999 a=b\n"),
	BROKEN("7 a\0=b\n"), /* a NUL in the key */
	BROKEN("11 path=\0x\n"), /* a NUL in a name */
	BROKEN("6 a=b\n\0\0"), /* no padding inside the size */
	BROKEN("16 SCHILY.xattr\n"), /* no '=' */
	BROKEN("18 SCHILY.xattr.=\n"), /* no name */
	BROKEN("26 LIBARCHIVE.xattr.a=!!!\n"), /* no base64 */
	BROKEN("24 LIBARCHIVE.xattr.a=Q\n"), /* six bits */
	BROKEN("27 LIBARCHIVE.xattr.%00=QQ\n"), /* a NUL in the name */
	BROKEN("26 GNU.sparse.numbytes=12\n"), /* a length first */
	BROKEN("26 GNU.sparse.offset=12x4\n"),
#undef BROKEN
};

START_TEST(each_broken_header_is_refused)
{
	ck_assert(bytes_append(&text, broken[_i].text, broken[_i].len, &err));
	ck_assert(!parse());
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(the_later_record_wins_and_an_empty_one_deletes)
{
	record("path", "global");
	record("linkpath", "global");
	record("path", "local");
	record("linkpath", "");
	ck_assert(parse());
	ck_assert(view_equal(pax.values[TAR_PATH], "local"));
	ck_assert_uint_eq(pax.values[TAR_LINK].len, 0);
}
END_TEST

START_TEST(keys_nobody_needs_are_passed_over)
{
	record("hdrcharset", "BINARY");
	record("comment", "x");
	record("SCHILY.acl.access", "user::rwx");
	record("uid", "7");
	ck_assert(parse());
	ck_assert(view_equal(pax.values[TAR_UID], "7"));
	ck_assert_uint_eq(pax.xattrs.count, 0);
}
END_TEST

START_TEST(what_nobody_needs_is_dropped_up_to_where_a_text_breaks)
{
	static const char kept[] = "11 uid=123\n24 SCHILY.xattr.user.a=\n25 GNU.sparse.numbytes=5\n"
				   "99 broken";
	record("comment", "x");
	record("uid", "123");
	record("ctime", "5");
	record("SCHILY.xattr.user.a", "");
	record("GNU.sparse.numbytes", "5");
	record("uname", "me");
	ck_assert(bytes_append(&text, "99 broken", strlen("99 broken"), &err));
	size_t len = tar_pax_drop_unneeded(text.data, text.len);

	ck_assert_uint_eq(len, strlen(kept));
	ck_assert_mem_eq(text.data, kept, len);
}
END_TEST

START_TEST(xattrs_in_both_spellings_count_once_and_come_by_name)
{
	record("LIBARCHIVE.xattr.user.%62", "dmFsdWU=");
	record("SCHILY.xattr.user.c", "3");
	record("SCHILY.xattr.user.b", "value");
	record("LIBARCHIVE.xattr.user.a", "AQI");
	ck_assert(parse());
	ck_assert_uint_eq(pax.xattrs.count, 3);
	ck_assert(view_equal(pax.xattrs.sorted[0].name, "user.a"));
	ck_assert(view_equal(pax.xattrs.sorted[0].value, "\x01\x02"));
	ck_assert(view_equal(pax.xattrs.sorted[1].name, "user.b"));
	ck_assert(view_equal(pax.xattrs.sorted[1].value, "value"));
	ck_assert(view_equal(pax.xattrs.sorted[2].name, "user.c"));
}
END_TEST

START_TEST(of_one_xattr_given_twice_the_later_counts)
{
	record("SCHILY.xattr.user.a", "old");
	record("LIBARCHIVE.xattr.user.a", "b3RoZXI=");
	record("SCHILY.xattr.user.a", "new");
	ck_assert(parse());
	ck_assert_uint_eq(pax.xattrs.count, 1);
	ck_assert(view_equal(pax.xattrs.sorted[0].value, "new"));
}
END_TEST

START_TEST(xattr_values_may_be_empty_or_hold_any_byte)
{
	writer_record(&text, "SCHILY.xattr.user.a", "\0\n=\xff", 4);
	record("SCHILY.xattr.user.b", "");
	record("LIBARCHIVE.xattr.user.c", "");
	ck_assert(parse());
	ck_assert_uint_eq(pax.xattrs.count, 3);
	ck_assert_uint_eq(pax.xattrs.sorted[0].value.len, 4);
	ck_assert_mem_eq(pax.xattrs.sorted[0].value.ptr, "\0\n=\xff", 4);
	ck_assert_uint_eq(pax.xattrs.sorted[1].value.len, 0);
	ck_assert_uint_eq(pax.xattrs.sorted[2].value.len, 0);
}
END_TEST

START_TEST(xattrs_past_the_cap_are_refused)
{
	char value[64] = { 0 };

	writer_record(&text, "SCHILY.xattr.a", value, 63);
	ck_assert(parse());
	bytes_clear(&text);
	tar_pax_clear(&pax);
	writer_record(&text, "SCHILY.xattr.a", value, 64);
	ck_assert(!parse());
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(sparse_records_in_turn_make_a_map)
{
	record("GNU.sparse.offset", "10");
	record("GNU.sparse.numbytes", "5");
	record("GNU.sparse.offset", "20");
	record("GNU.sparse.numbytes", "1");
	ck_assert(parse());
	ck_assert_uint_eq(map.count, 2);
	ck_assert(tar_map_check(&map, 21, 6, &err));
	ck_assert(!tar_map_check(&map, 20, 6, &err));
	ck_assert(!tar_map_check(&map, 21, 7, &err));
}
END_TEST

START_TEST(sparse_segments_past_the_cap_are_refused)
{
	ck_assert(tar_map_add_list(&map, view_of("1,1,2,1,3,1,4,1,5,1,6,1,7,1,8,1"), &err));
	ck_assert(!tar_map_add_list(&map, view_of("9,1"), &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tar_pax");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, each_time_is_read_with_its_fraction, 0, COUNT_OF(times));
	tcase_add_loop_test(all, what_is_no_time_is_refused, 0, COUNT_OF(no_times));
	tcase_add_loop_test(all, each_broken_header_is_refused, 0, COUNT_OF(broken));
	tcase_add_test(all, the_later_record_wins_and_an_empty_one_deletes);
	tcase_add_test(all, keys_nobody_needs_are_passed_over);
	tcase_add_test(all, what_nobody_needs_is_dropped_up_to_where_a_text_breaks);
	tcase_add_test(all, xattrs_in_both_spellings_count_once_and_come_by_name);
	tcase_add_test(all, of_one_xattr_given_twice_the_later_counts);
	tcase_add_test(all, xattr_values_may_be_empty_or_hold_any_byte);
	tcase_add_test(all, xattrs_past_the_cap_are_refused);
	tcase_add_test(all, sparse_records_in_turn_make_a_map);
	tcase_add_test(all, sparse_segments_past_the_cap_are_refused);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
