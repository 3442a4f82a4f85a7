#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tar.h"
#include "tests/kit/layers/tar_writer.h"

/* Every form tells of the same file: "abc" at 10, "de" at 4096, and a hole to 10000. */

static struct bytes archive, records, map;
static struct err err;

static void begin(void)
{
	archive = bytes_capped(1 << 20);
	records = bytes_capped(1 << 16);
	map = bytes_capped(1 << 16);
	err = (struct err){ 0 };
}

static void end(void)
{
	bytes_freep(&archive);
	bytes_freep(&records);
	bytes_freep(&map);
}

static void record(const char *key, const char *value)
{
	writer_record(&records, key, value, strlen(value));
}

static void add_with_records(const char *body)
{
	writer_add_text(&archive, WRITER_USTAR, 'x', records.data, records.len);
	writer_add(&archive, writer_header(WRITER_USTAR, '0', "x", strlen(body)), SUM_UNSIGNED);
	writer_add_body(&archive, body, strlen(body));
}

static void sparse_0_0(void)
{
	record("GNU.sparse.size", "10000");
	record("GNU.sparse.numblocks", "3");
	record("GNU.sparse.offset", "10");
	record("GNU.sparse.numbytes", "3");
	record("GNU.sparse.offset", "4096");
	record("GNU.sparse.numbytes", "2");
	record("GNU.sparse.offset", "10000");
	record("GNU.sparse.numbytes", "0");
	add_with_records("abcde");
}

static void sparse_0_1(void)
{
	record("GNU.sparse.major", "0");
	record("GNU.sparse.minor", "1");
	record("GNU.sparse.name", "x");
	record("GNU.sparse.size", "10000");
	record("GNU.sparse.numblocks", "2");
	record("GNU.sparse.map", "10,3,4096,2");
	record("path", "GNUSparseFile.1/x");
	add_with_records("abcde");
}

static void add_1_0(const char *text, size_t map_blocks, const char *body)
{
	record("GNU.sparse.major", "1");
	record("GNU.sparse.minor", "0");
	record("GNU.sparse.name", "x");
	record("GNU.sparse.realsize", "10000");
	writer_add_text(&archive, WRITER_USTAR, 'x', records.data, records.len);
	writer_add(&archive,
		   writer_header(WRITER_USTAR, '0', "GNUSparseFile.1/x",
				 map_blocks * WRITER_BLOCK_BYTES + strlen(body)),
		   SUM_UNSIGNED);
	writer_add_body(&archive, text, strlen(text));
	writer_add_body(&archive, body, strlen(body));
}

static void sparse_1_0(void)
{
	add_1_0("2\n10\n3\n4096\n2\n", 1, "abcde");
}

static void add_old(const char *fields, bool is_extended, size_t size)
{
	struct writer_header header = writer_header(WRITER_GNU, 'S', "x", size);

	writer_bytes(&header, FIELD_GNU_SPARSE, fields, strlen(fields));
	writer_bytes(&header, FIELD_GNU_IS_EXTENDED, is_extended ? "\1" : "\0", 1);
	writer_number(&header, FIELD_GNU_REAL_SIZE, 10000);
	writer_add(&archive, header, SUM_UNSIGNED);
}

static void sparse_old(void)
{
	add_old("00000000012 00000000003 00000010000 00000000002 ", false, 5);
	writer_add_body(&archive, "abcde", 5);
}

/* Four segments in the header, one in a block of its own. */
static void sparse_old_extended(void)
{
	char extension[WRITER_BLOCK_BYTES] = "00000010000 00000000002 ";

	add_old("00000000012 00000000001 00000000013 00000000001 "
		"00000000014 00000000001 00000000015 00000000000 ",
		true, 5);
	writer_add_body(&archive, extension, sizeof(extension));
	writer_add_body(&archive, "abcde", 5);
}

static void (*const forms[])(void) = { sparse_0_0, sparse_0_1, sparse_1_0, sparse_old,
				       sparse_old_extended };
enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

/* The file as it is when unpacked. */
static bool unpack(char out[10000], struct tar_entry *entry)
{
	struct input input = { .ptr = (const uint8_t *)archive.data, .len = archive.len };
	CLEANUP(tar_freep) struct tar_reader *reader = NULL;
	struct view body = { 0 };
	bool is_end = false;

	if (!tar_open(&reader, &input, &(struct tar_caps)TAR_CAPS_DEFAULT, &err) ||
	    !tar_next(reader, entry, &is_end, &err))
		return false;
	ck_assert(!is_end && entry->is_sparse && entry->size == 10000);
	ck_assert(view_equal(entry->path, "x"));
	ck_assert(tar_body(reader, &body, &err));
	ck_assert_uint_eq(body.len, entry->stored_bytes);
	memset(out, 0, 10000);
	for (size_t i = 0; i < entry->segment_count; i++) {
		memcpy(out + entry->segments[i].offset, body.ptr, entry->segments[i].len);
		body = view_from(body, entry->segments[i].len);
	}
	return true;
}

START_TEST(each_form_unpacks_to_the_same_file)
{
	char wanted[10000] = { 0 }, got[10000];
	struct tar_entry entry = { 0 };

	memcpy(wanted + 10, "abc", 3);
	memcpy(wanted + 4096, "de", 2);
	forms[_i]();
	if (!unpack(got, &entry))
		ck_abort_msg("%s", err.msg);
	ck_assert_mem_eq(got, wanted, sizeof(wanted));
}
END_TEST

START_TEST(what_follows_a_sparse_file_is_found)
{
	struct tar_entry entry = { 0 };
	bool is_end = false;
	CLEANUP(tar_freep) struct tar_reader *reader = NULL;

	forms[_i]();
	writer_add_file(&archive, "next", "");
	struct input input = { .ptr = (const uint8_t *)archive.data, .len = archive.len };

	ck_assert(tar_open(&reader, &input, &(struct tar_caps)TAR_CAPS_DEFAULT, &err));
	ck_assert(tar_next(reader, &entry, &is_end, &err));
	ck_assert(tar_next(reader, &entry, &is_end, &err) && !is_end);
	ck_assert(view_equal(entry.path, "next"));
}
END_TEST

static const char *const broken_maps[] = {
	"2\n10\n3\n4096\n", /* a number short */
	"\n",
	"x\n",
	"# a comment\n1\n10\n5\n",
	"1\n-1\n5\n",
	"1\n10\n9999999999999999999\n",
	"1\n9999\n5\n", /* past the end */
	"2\n10\n3\n12\n2\n", /* overlapping */
	"2\n4096\n3\n10\n2\n", /* out of order */
	"1\n10\n4\n", /* a stored byte that no segment has */
	"1\n10\n6\n", /* a segment byte that is not stored */
};

START_TEST(each_broken_map_is_refused)
{
	char out[10000];
	struct tar_entry entry = { 0 };

	add_1_0(broken_maps[_i], 1, "abcde");
	ck_assert(!unpack(out, &entry));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(a_map_that_claims_a_billion_segments_is_refused_at_once)
{
	char out[10000];
	struct tar_entry entry = { 0 };

	add_1_0("1000000000\n", 1, "abcde");
	ck_assert(!unpack(out, &entry));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(a_map_over_several_blocks_is_read)
{
	char out[10000];
	struct tar_entry entry = { 0 };

	ck_assert(bytes_print(&map, &err, "300\n"));
	for (int i = 0; i < 300; i++)
		ck_assert(bytes_print(&map, &err, "%d\n%d\n", i * 10, i < 5));
	add_1_0(map.data, (map.len + 511) / 512, "abcde");
	if (!unpack(out, &entry))
		ck_abort_msg("%s", err.msg);
	ck_assert_uint_eq(entry.segment_count, 5);
	ck_assert_int_eq(out[40], 'e');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tar_sparse");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, each_form_unpacks_to_the_same_file, 0, FORM_COUNT);
	tcase_add_loop_test(all, what_follows_a_sparse_file_is_found, 0, FORM_COUNT);
	tcase_add_loop_test(all, each_broken_map_is_refused, 0,
			    sizeof(broken_maps) / sizeof(broken_maps[0]));
	tcase_add_test(all, a_map_that_claims_a_billion_segments_is_refused_at_once);
	tcase_add_test(all, a_map_over_several_blocks_is_read);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
