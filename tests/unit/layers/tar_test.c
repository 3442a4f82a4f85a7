#include "tar_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The same from a queue whose buffers hold piece_bytes of 4,096, so that headers straddle them. */
static bool list_in_pieces(size_t piece_bytes)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	size_t len = 0;

	ck_assert(queue_new(&queue, archive.len / piece_bytes + 1, 4096, &err));
	for (size_t at = 0; at < archive.len; at += len) {
		len = archive.len - at < piece_bytes ? archive.len - at : piece_bytes;
		memcpy(queue_fill(queue), archive.data + at, len);
		queue_push(queue, len);
	}
	queue_end(queue, NULL);
	struct input input = { .queue = queue };

	return tar_listing(&listing, &input, true, &err);
}

static void expect_failure(enum err_kind kind, const char *part)
{
	ck_assert(!list());
	ck_assert_int_eq(err.kind, kind);
	ck_assert_msg(strstr(err.msg, part), "'%s' is not in '%s'", part, err.msg);
}

START_TEST(each_kind_is_told)
{
	struct writer_header device = writer_header(WRITER_USTAR, '4', "sda", 0);
	struct writer_header link = writer_header(WRITER_USTAR, '1', "h", 0);

	writer_text(&link, FIELD_LINK, "./f");
	writer_number(&device, FIELD_MODE, 060660);
	add(writer_header(WRITER_USTAR, '5', "d/", 0));
	add(link);
	add(writer_header(WRITER_USTAR, '3', "null", 0));
	add(device);
	add(writer_header(WRITER_USTAR, '6', "p", 0));
	writer_add_file(&archive, "f", "body");
	writer_add_zeros(&archive, 2);
	expect("d d/ ->  755 0:0 0.000000000 0 [] \n"
	       "h h -> ./f 644 0:0 0.000000000 0 [] \n"
	       "c null ->  644 0:0 0.000000000 0 [] \n"
	       "b sda ->  660 0:0 0.000000000 0 [] \n"
	       "p p ->  644 0:0 0.000000000 0 [] \n"
	       "f f ->  644 0:0 0.000000000 4 [] body\n");
}
END_TEST

START_TEST(only_files_have_bodies_whatever_size_says)
{
	add(writer_header(WRITER_USTAR, '5', "dir", 1000));
	add(writer_header(WRITER_USTAR, '1', "link", 1000));
	add(writer_header(WRITER_USTAR, '2', "symlink", 1000));
	add(writer_header(WRITER_USTAR, '0', "file", 0));
	ck_assert(list());
	ck_assert_ptr_nonnull(strstr(listing.data, "f file"));
}
END_TEST

START_TEST(unknown_types_are_files_and_bookkeeping_is_skipped)
{
	add(writer_header(WRITER_GNU, 'V', "label", 0));
	add(writer_header(WRITER_GNU, 'D', "dump/", 3));
	writer_add_body(&archive, "Ya", 3);
	add(writer_header(WRITER_USTAR, 'q', "unknown", 3));
	writer_add_body(&archive, "abc", 3);
	add(writer_header(WRITER_USTAR, 'A', "acl", 3));
	writer_add_body(&archive, "abc", 3);
	expect("d dump/ ->  644 0:0 0.000000000 0 [] \n"
	       "f unknown ->  644 0:0 0.000000000 3 [] abc\n");
}
END_TEST

START_TEST(gnu_long_names_end_at_their_nul)
{
	writer_add_text(&archive, WRITER_GNU, 'L', "long\0rest", 9);
	writer_add_text(&archive, WRITER_GNU, 'K', "target", 6);
	add(writer_header(WRITER_GNU, '2', "short", 0));
	add(writer_header(WRITER_GNU, '0', "next", 0));
	expect("l long -> target 644 0:0 0.000000000 0 [] \n"
	       "f next ->  644 0:0 0.000000000 0 [] \n");
}
END_TEST

/* Go's and libarchive's own odd archives hold such. */
START_TEST(of_headers_that_come_twice_the_last_counts)
{
	writer_add_text(&archive, WRITER_GNU, 'L', "first", 5);
	writer_add_text(&archive, WRITER_GNU, 'L', "second", 6);
	add(writer_header(WRITER_GNU, '0', "x", 0));
	record("path", "third");
	record("uid", "7");
	add_records('x');
	record("path", "fourth");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect("f second ->  644 0:0 0.000000000 0 [] \n"
	       "f fourth ->  644 0:0 0.000000000 0 [] \n");
}
END_TEST

START_TEST(fields_of_spaces_are_zero_and_a_name_may_be_empty)
{
	struct writer_header header = writer_header(WRITER_USTAR, '5', "", 0);

	writer_text(&header, FIELD_UID, "        ");
	writer_text(&header, FIELD_GID, "      ");
	add(header);
	expect("d  ->  755 0:0 0.000000000 0 [] \n");
}
END_TEST

START_TEST(pax_numbers_override_the_block)
{
	record("uid", "4294967295");
	record("gid", "3000000");
	record("size", "3");
	record("mtime", "17179869184.5");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	writer_add_body(&archive, "abc", 3);
	expect("f x ->  644 4294967295:3000000 17179869184.500000000 3 [] abc\n");
}
END_TEST

START_TEST(global_records_last_until_overridden_or_deleted)
{
	record("uid", "7");
	record("gid", "8");
	add_records('g');
	add(writer_header(WRITER_USTAR, '0', "a", 0));
	record("uid", "9");
	record("gid", "");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "b", 0));
	record("gid", "10");
	add_records('g');
	add(writer_header(WRITER_USTAR, '0', "c", 0));
	expect("f a ->  644 7:8 0.000000000 0 [] \n"
	       "f b ->  644 9:0 0.000000000 0 [] \n"
	       "f c ->  644 7:10 0.000000000 0 [] \n");
}
END_TEST

START_TEST(numbers_in_base_256_are_read)
{
	struct writer_header header = writer_header(WRITER_GNU, '0', "x", 0);

	writer_base256(&header, FIELD_UID, 4294967295);
	writer_base256(&header, FIELD_MTIME, -2);
	add(header);
	expect("f x ->  644 4294967295:0 -2.000000000 0 [] \n");
}
END_TEST

static const struct {
	enum writer_field field;
	int64_t number;
	enum err_kind kind;
	const char *part;
} bad_numbers[] = {
	{ FIELD_UID, 4294967296, ERR_UNSUPPORTED, "entry 'x': uid 4294967296" },
	{ FIELD_GID, 1LL << 40, ERR_UNSUPPORTED, "entry 'x': gid 1099511627776" },
	{ FIELD_UID, -2, ERR_FORMAT, "entry 'x': a broken uid" },
	{ FIELD_SIZE, -1, ERR_FORMAT, "entry 'x': a broken size" },
	{ FIELD_SIZE, 1LL << 50, ERR_UNSUPPORTED, "entry 'x': a file of 1125899906842624 bytes" },
};

START_TEST(numbers_no_image_holds_are_refused)
{
	struct writer_header header = writer_header(WRITER_GNU, '0', "x", 0);

	writer_base256(&header, bad_numbers[_i].field, bad_numbers[_i].number);
	add(header);
	expect_failure(bad_numbers[_i].kind, bad_numbers[_i].part);
}
END_TEST

static const struct {
	const char *key, *value;
	enum err_kind kind;
} bad_records[] = {
	{ "uid", "4294967296", ERR_UNSUPPORTED }, { "uid", "-1", ERR_FORMAT },
	{ "gid", "x", ERR_FORMAT },		  { "size", "-5", ERR_FORMAT },
	{ "size", "9223372036854775808", ERR_FORMAT }, { "mtime", "now", ERR_FORMAT },
	{ "GNU.sparse.major", "2", ERR_UNSUPPORTED }, { "GNU.sparse.map", "1", ERR_FORMAT },
};

START_TEST(records_no_image_holds_are_refused)
{
	record(bad_records[_i].key, bad_records[_i].value);
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect_failure(bad_records[_i].kind, "entry 'x': ");
}
END_TEST

START_TEST(device_numbers_come_from_the_block_or_from_records)
{
	struct writer_header header = writer_header(WRITER_USTAR, '3', "x", 0);
	struct tar_entry entry = { 0 };
	bool is_end = false;
	CLEANUP(tar_freep) struct tar_reader *reader = NULL;

	writer_number(&header, FIELD_DEVMAJOR, 8);
	writer_number(&header, FIELD_DEVMINOR, 1);
	record("SCHILY.devminor", "1048575");
	add_records('x');
	add(header);
	struct input input = { .ptr = (const uint8_t *)archive.data, .len = archive.len };

	ck_assert(tar_open(&reader, &input, &(struct tar_caps)TAR_CAPS_DEFAULT, &err));
	ck_assert(tar_next(reader, &entry, &is_end, &err));
	ck_assert_uint_eq(entry.rdev_major, 8);
	ck_assert_uint_eq(entry.rdev_minor, 1048575);
}
END_TEST

START_TEST(a_volume_and_a_sparse_file_of_another_form_are_named)
{
	if (_i == 0)
		add(writer_header(WRITER_GNU, 'M', "x", 0));
	else
		add(writer_header(WRITER_STAR, 'S', "x", 0));
	expect_failure(ERR_UNSUPPORTED, _i == 0 ? "several volumes" : "entry 'x': a sparse file");
}
END_TEST

START_TEST(an_archive_ends_with_zero_blocks_or_its_stream)
{
	writer_add_file(&archive, "x", "body");
	writer_add_zeros(&archive, (size_t)_i);
	if (_i >= 2)
		writer_add_file(&archive, "behind", "the end");
	expect("f x ->  644 0:0 0.000000000 4 [] body\n");
}
END_TEST

START_TEST(a_lone_zero_block_in_the_middle_is_refused)
{
	writer_add_file(&archive, "x", "body");
	writer_add_zeros(&archive, 1);
	writer_add_file(&archive, "y", "body");
	expect_failure(ERR_FORMAT, "zero block");
}
END_TEST

START_TEST(an_empty_stream_is_an_empty_archive)
{
	expect("");
}
END_TEST

START_TEST(the_last_padding_may_be_missing)
{
	writer_add_file(&archive, "x", "body");
	archive.len = 512 + 4;
	expect("f x ->  644 0:0 0.000000000 4 [] body\n");
}
END_TEST

START_TEST(a_wrong_checksum_is_refused)
{
	writer_add(&archive, writer_header(WRITER_USTAR, '0', "x", 0), SUM_WRONG);
	expect_failure(ERR_FORMAT, "checksum");
}
END_TEST

START_TEST(a_header_past_its_cap_is_refused_before_it_is_read)
{
	const uint64_t cap = (1 << 20) + (16 << 10); /* its own and the global ones before it */

	add(writer_header(WRITER_USTAR, "xgLK"[_i], "x", cap + 1));
	expect_failure(ERR_UNSUPPORTED, "a tar header of 1064961 bytes");
}
END_TEST

START_TEST(a_broken_global_header_is_refused_whatever_follows)
{
	writer_add_text(&archive, WRITER_USTAR, 'g', "0 X=", 4);
	expect_failure(ERR_FORMAT, "a global header: a broken length in its PAX header");
}
END_TEST

START_TEST(global_headers_that_add_up_past_their_cap_are_refused)
{
	char target[1500];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	for (int i = 0; i < 2; i++) {
		record("linkpath", target);
		add_records('g');
	}
	expect_failure(ERR_UNSUPPORTED, "global headers of more than 2048 bytes");
}
END_TEST

/* Archives of git, one behind the other: a commit's name in each, which no entry carries along. */
START_TEST(global_records_that_nobody_needs_do_not_add_up)
{
	record("uid", "7");
	for (int i = 0; i < 100; i++) {
		record("comment", "daaa789fac70230b28a216911c2bd1d4a80949e1");
		add_records('g');
	}
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect("f x ->  644 7:0 0.000000000 0 [] \n");
}
END_TEST

static void add_everything(void)
{
	record("path", "long/name");
	record("SCHILY.xattr.user.a", "b");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 600));
	char body[600];

	memset(body, 'b', sizeof(body));
	writer_add_body(&archive, body, sizeof(body));
	writer_add_text(&archive, WRITER_GNU, 'L', "gnu", 3);
	add(writer_header(WRITER_GNU, '5', "x", 0));
	writer_add_file(&archive, "last", "end");
	writer_add_zeros(&archive, 2);
}

static const size_t piece_sizes[] = { 1, 7, 100, 511, 512, 513, 1000, 4096 };

START_TEST(the_pieces_a_stream_comes_in_do_not_matter)
{
	add_everything();
	ck_assert(list());
	char *wanted = bytes_take(&listing);

	listing = bytes_capped(4 << 20);
	ck_assert(list_in_pieces(piece_sizes[_i]));
	ck_assert_str_eq(listing.data, wanted);
	free(wanted);
}
END_TEST

START_TEST(bodies_that_nobody_reads_are_skipped)
{
	add_everything();
	struct input input = { .ptr = (const uint8_t *)archive.data, .len = archive.len };

	ck_assert(tar_listing(&listing, &input, false, &err));
	ck_assert_ptr_nonnull(strstr(listing.data, "f last"));
}
END_TEST

/* Where an entry, its padding, or the archive ends, a shorter archive is whole. */
static bool may_end_at(size_t len)
{
	return len == 0 || (len >= 1536 + 600 && len <= 2560) || len == 4096 ||
	       (len >= 4096 + 512 + 3 && len <= 5120) || len % 512 == 0;
}

START_TEST(cut_anywhere_it_is_refused_or_whole)
{
	add_everything();
	size_t whole = archive.len;

	for (size_t len = 0; len < whole; len++) {
		archive.len = len;
		bytes_clear(&listing);
		if (list())
			ck_assert_msg(may_end_at(len), "cut at %zu of %zu", len, whole);
		else
			ck_assert_int_eq(err.kind, ERR_FORMAT);
	}
}
END_TEST

START_TEST(a_header_without_its_entry_is_a_truncation)
{
	record("path", "x");
	add_records('x');
	expect_failure(ERR_FORMAT, "ends in the middle");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tar");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, each_kind_is_told);
	tcase_add_test(all, only_files_have_bodies_whatever_size_says);
	tcase_add_test(all, unknown_types_are_files_and_bookkeeping_is_skipped);
	tcase_add_test(all, gnu_long_names_end_at_their_nul);
	tcase_add_test(all, of_headers_that_come_twice_the_last_counts);
	tcase_add_test(all, fields_of_spaces_are_zero_and_a_name_may_be_empty);
	tcase_add_test(all, pax_numbers_override_the_block);
	tcase_add_test(all, global_records_last_until_overridden_or_deleted);
	tcase_add_test(all, numbers_in_base_256_are_read);
	tcase_add_loop_test(all, numbers_no_image_holds_are_refused, 0, COUNT_OF(bad_numbers));
	tcase_add_loop_test(all, records_no_image_holds_are_refused, 0, COUNT_OF(bad_records));
	tcase_add_test(all, device_numbers_come_from_the_block_or_from_records);
	tcase_add_loop_test(all, a_volume_and_a_sparse_file_of_another_form_are_named, 0, 2);
	tcase_add_loop_test(all, an_archive_ends_with_zero_blocks_or_its_stream, 0, 4);
	tcase_add_test(all, a_lone_zero_block_in_the_middle_is_refused);
	tcase_add_test(all, an_empty_stream_is_an_empty_archive);
	tcase_add_test(all, the_last_padding_may_be_missing);
	tcase_add_test(all, a_wrong_checksum_is_refused);
	tcase_add_loop_test(all, a_header_past_its_cap_is_refused_before_it_is_read, 0, 4);
	tcase_add_test(all, a_broken_global_header_is_refused_whatever_follows);
	tcase_add_test(all, global_headers_that_add_up_past_their_cap_are_refused);
	tcase_add_test(all, global_records_that_nobody_needs_do_not_add_up);
	tcase_add_loop_test(all, the_pieces_a_stream_comes_in_do_not_matter, 0,
			    COUNT_OF(piece_sizes));
	tcase_add_test(all, bodies_that_nobody_reads_are_skipped);
	tcase_add_test(all, cut_anywhere_it_is_refused_or_whole);
	tcase_add_test(all, a_header_without_its_entry_is_a_truncation);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
