/* A blob becomes a stored layer: whole, or not at all and with a sentence that says why. What the
 * entries amount to is merge_case_test's. */
#include "layers/pack.h"

#include <stdlib.h>

#include <isa-l/igzip_lib.h>

#include "base/bytes.h"
#include "layers/index.h"
#include "tests/kit/layers/tar_writer.h"
#include "tests/unit/folder.h"

static struct bytes tar, blob;
static struct digest diff_id;
static struct pack_caps caps;
static struct memory memory;
static struct index stored;
static struct err err;

static void begin(void)
{
	make_folder();
	tar = bytes_capped((size_t)1 << 30);
	blob = bytes_capped((size_t)1 << 30);
	caps = pack_caps_default;
	memory_init(&memory, 1);
	err = (struct err){ 0 };
}

static void end(void)
{
	index_closep(&stored);
	bytes_freep(&tar);
	bytes_freep(&blob);
	remove_folder();
}

struct memory_stream {
	struct stream stream;
	struct view rest;
};

static bool read_memory(struct stream *stream, void *buffer, size_t capacity, size_t *len,
			struct err *unused)
{
	struct memory_stream *self = (struct memory_stream *)stream;

	(void)unused;
	*len = self->rest.len < capacity ? self->rest.len : capacity;
	if (*len > 0)
		memcpy(buffer, self->rest.ptr, *len);
	self->rest = view_from(self->rest, *len);
	return true;
}

/* Into the empty folder, against diff_id. */
static bool pack(struct view stream)
{
	struct memory_stream source = { { .read = read_memory }, stream };

	err = (struct err){ 0 };
	unlinkat(dir_fd, "data", 0);
	unlinkat(dir_fd, "index", 0);
	return layer_pack(&source.stream, &diff_id, dir_fd, &caps, &memory, NULL, &err);
}

static void expect_packed(struct view stream)
{
	ck_assert_msg(pack(stream), "%s", err.msg);
	ck_assert_msg(index_open(&stored, dir_fd, "index", &err), "%s", err.msg);
}

static void end_tar(void)
{
	writer_add_zeros(&tar, 2);
	diff_id = digest_of(tar.data, tar.len);
}

/* The tar as one gzip member. */
static void compress_tar(void)
{
	struct isal_zstream stream;
	char *room = NULL;
	size_t capacity = tar.len + 1000;

	ck_assert(bytes_grow(&blob, capacity, &room, &err));
	isal_deflate_init(&stream);
	stream.gzip_flag = IGZIP_GZIP;
	stream.end_of_stream = 1;
	stream.next_in = (uint8_t *)tar.data;
	stream.avail_in = (uint32_t)tar.len;
	stream.next_out = (uint8_t *)room;
	stream.avail_out = (uint32_t)capacity;
	ck_assert_int_eq(isal_deflate(&stream), COMP_OK);
	blob.len = stream.total_out;
}

static off_t data_bytes(void)
{
	struct stat stat;

	ck_assert_int_eq(fstatat(dir_fd, "data", &stat, 0), 0);
	return stat.st_size;
}

enum { ZEROS_BYTES = 256 << 20 };

static void make_bomb(void)
{
	writer_add(&tar, writer_header(WRITER_USTAR, '0', "zeros", ZEROS_BYTES), SUM_UNSIGNED);
	writer_add_body(&tar, NULL, ZEROS_BYTES);
	end_tar();
	compress_tar();
	ck_assert_uint_lt(blob.len, ZEROS_BYTES / 100);
}

START_TEST(a_bomb_of_zeros_is_a_hole)
{
	make_bomb();
	expect_packed(bytes_view(&blob));
	ck_assert_uint_eq(stored.entries[0].size, ZEROS_BYTES);
	ck_assert_uint_eq(stored.entries[0].extent_count, 0);
	ck_assert_int_eq(data_bytes(), 0);
}
END_TEST

START_TEST(a_bomb_past_the_cap_is_refused_before_it_is_read)
{
	make_bomb();
	caps.body_bytes = ZEROS_BYTES - 1;
	ck_assert(!pack(bytes_view(&blob)));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_str_eq(err.msg, "entry 'zeros': the layer's files are over 268435455 bytes "
				  "(--max-bytes allows more)");
}
END_TEST

static void add_with_record(const char *name, const char *key, const char *value)
{
	struct bytes records = bytes_capped(2 << 20);

	writer_record(&records, key, value, strlen(value));
	writer_add_text(&tar, WRITER_USTAR, 'x', records.data, records.len);
	writer_add_file(&tar, name, "body");
	bytes_freep(&records);
}

/* Each cap is lowered until the tar of one row is just past it. */
static const struct cap_row {
	size_t offset, bytes; /* in struct pack_caps, and how wide */
	uint64_t enough;
	const char *sentence;
} cap_rows[] = {
#define CAP(field, enough, sentence)                                                               \
	{ offsetof(struct pack_caps, field), sizeof(pack_caps_default.field), enough, sentence }
	CAP(entries, 2, "the layer has over 1 entries (--max-entries allows more)"),
	CAP(body_bytes, 8, "the layer's files are over 7 bytes (--max-bytes allows more)"),
	CAP(path_bytes, 6, "a path over 5 bytes (--max-path allows more)"),
	CAP(tar.file_bytes, 4, "a file of 4 bytes, the most is 3"),
	CAP(tar.header_bytes, 27, "a tar header of 27 bytes (--max-header allows more)"),
	CAP(tar.xattr_bytes, 9, "xattrs of more than 8 bytes (--max-xattrs allows more)"),
#undef CAP
};

static void set_cap(const struct cap_row *row, uint64_t value)
{
	memcpy((char *)&caps + row->offset, &value, row->bytes); /* little-endian */
}

START_TEST(each_cap_holds_to_the_last_one)
{
	const struct cap_row *row = &cap_rows[_i];

	writer_add_file(&tar, "first", "body");
	add_with_record("second", "SCHILY.xattr.user.a", "val");
	end_tar();
	set_cap(row, row->enough);
	expect_packed(bytes_view(&tar));
	set_cap(row, row->enough - 1);
	ck_assert(!pack(bytes_view(&tar)));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_msg(strstr(err.msg, row->sentence), "%s", err.msg);
}
END_TEST

/* 1,000 entries and 2 MiB in each layer: a second one fits into neither cap, and does not count. */
static const struct sum_row {
	size_t offset;
	uint64_t cap;
	const char *sentence;
} sum_rows[] = {
	{ offsetof(struct pack_caps, entries), 1500, "the image has over 1500 entries" },
	{ offsetof(struct pack_caps, body_bytes), 3 << 20, "the image's files are over 3145728 b" },
};

START_TEST(layers_that_share_a_sum_share_its_caps)
{
	const struct sum_row *row = &sum_rows[_i];
	struct pack_sum sum = { 0 };
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		writer_add(&tar, writer_header(WRITER_USTAR, '0', name, 2098), SUM_UNSIGNED);
		writer_add_body(&tar, NULL, 2098);
	}
	end_tar();
	caps.sum = &sum;
	memcpy((char *)&caps + row->offset, &row->cap, sizeof(row->cap));
	expect_packed(bytes_view(&tar));
	ck_assert(!pack(bytes_view(&tar)));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_msg(strstr(err.msg, row->sentence), "%s", err.msg);
	ck_assert(sum.entries == 1000 && sum.body_bytes == 1000 * 2098 && sum.string_bytes == 2890);
}
END_TEST

/* What an index keeps in memory: 340 entries with 200,000 bytes each. */
START_TEST(names_and_xattrs_have_a_cap_of_their_own)
{
	static char value[200001];

	memset(value, 'v', sizeof(value) - 1);
	caps.entries = 1000; /* 64 MiB and 256,000 bytes */
	for (int i = 0; i < 340; i++)
		add_with_record("x", "SCHILY.xattr.user.a", value);
	end_tar();
	ck_assert(!pack(bytes_view(&tar)));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_msg(strstr(err.msg, "over 67364864 bytes (--max-entries"), "%s", err.msg);
}
END_TEST

/* A sparse file of seven bytes, each in a block of its own with a hole behind it: 24 bytes of index
 * and 4 KiB of data for each. */
START_TEST(runs_of_data_have_a_cap_of_their_own)
{
	struct bytes records = bytes_capped(1 << 10);
	char map[256] = "";

	for (int i = 0; i < 7; i++)
		snprintf(map + strlen(map), sizeof(map) - strlen(map), "%s%d,1", i ? "," : "",
			 i * 8192);
	writer_record(&records, "GNU.sparse.map", map, strlen(map));
	writer_record(&records, "GNU.sparse.numblocks", "7", 1);
	writer_record(&records, "GNU.sparse.size", "100000", 6);
	writer_add_text(&tar, WRITER_USTAR, 'x', records.data, records.len);
	writer_add_file(&tar, "holes", "1234567");
	writer_add_file(&tar, "next", "");
	end_tar();
	caps.entries = 4;
	expect_packed(bytes_view(&tar));
	caps.entries = 3;
	ck_assert(!pack(bytes_view(&tar)));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_msg(strstr(err.msg, "more than 6 runs of data (--max-entries"), "%s", err.msg);
	bytes_freep(&records);
}
END_TEST

/* An xattr whose name and value are 256 KiB, and how many characters of value go beyond. */
static const struct {
	const char *key;
	size_t value_bytes, more;
} xattr_rows[] = {
	{ "SCHILY.xattr.user.x", (256 << 10) - 6, 1 },
	{ "LIBARCHIVE.xattr.user.x", ((256 << 10) - 6 + 2) / 3 * 4 - 2, 1 }, /* base64 */
};

START_TEST(the_default_cap_on_xattrs_comes_before_that_on_headers)
{
	char *value = calloc(1, xattr_rows[_i].value_bytes + xattr_rows[_i].more + 1);

	memset(value, 'A', xattr_rows[_i].value_bytes);
	add_with_record("first", xattr_rows[_i].key, value);
	end_tar();
	expect_packed(bytes_view(&tar));
	bytes_clear(&tar);
	memset(value, 'A', xattr_rows[_i].value_bytes + xattr_rows[_i].more);
	add_with_record("second", xattr_rows[_i].key, value);
	end_tar();
	ck_assert(!pack(bytes_view(&tar)));
	ck_assert_str_eq(err.msg, "entry 'second': xattrs of more than 262144 bytes "
				  "(--max-xattrs allows more)");
	free(value);
}
END_TEST

/* Not even one that leaves all entries whole, as inside of the zeros at the end. */
START_TEST(cut_anywhere_it_is_refused)
{
	add_with_record("a", "mtime", "1.5");
	end_tar();
	compress_tar();
	struct view whole = bytes_view(_i == 0 ? &tar : &blob);

	for (size_t len = 0; len < whole.len; len++) {
		ck_assert_msg(!pack((struct view){ whole.ptr, len }), "%zu bytes", len);
		ck_assert_msg(err.kind == ERR_FORMAT || err.kind == ERR_INTEGRITY, "%s", err.msg);
	}
	expect_packed(whole);
}
END_TEST

/* Damage is found wherever it is. Of gzip's own bytes some say nothing of what comes out: time and
 * system in the header, codes of a block that nothing uses. */
START_TEST(a_bit_flipped_anywhere_is_found_or_changes_nothing)
{
	add_with_record("a", "mtime", "1.5");
	end_tar();
	compress_tar();
	struct bytes *whole = _i == 0 ? &tar : &blob;
	size_t harmless = 0;

	for (size_t at = 0; at < whole->len; at++) {
		whole->data[at] ^= (char)(1 << at % 8);
		bool is_packed = pack(bytes_view(whole));

		whole->data[at] ^= (char)(1 << at % 8);
		harmless += is_packed;
		ck_assert_msg(is_packed || err.kind == ERR_FORMAT || err.kind == ERR_INTEGRITY ||
				      err.kind == ERR_UNSUPPORTED,
			      "byte %zu: %s", at, err.msg);
	}
	ck_assert_uint_le(harmless, _i == 0 ? 0 : whole->len / 4);
	expect_packed(bytes_view(whole));
}
END_TEST

START_TEST(what_stands_behind_the_end_counts_in_the_diff_id)
{
	writer_add_file(&tar, "a", "x");
	end_tar();
	writer_add_file(&tar, "b", "y");
	ck_assert(!pack(bytes_view(&tar)));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	diff_id = digest_of(tar.data, tar.len);
	expect_packed(bytes_view(&tar));
	ck_assert_uint_eq(stored.entry_count, 1);
}
END_TEST

START_TEST(a_hundred_thousand_entries_are_one_layer)
{
	enum { COUNT = 100000 };
	char name[40];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "folder%u/file%u", i / 1000, i);
		writer_add_file(&tar, name, "");
	}
	end_tar();
	expect_packed(bytes_view(&tar));
	ck_assert_uint_eq(stored.entry_count, COUNT);
	ck_assert(view_equal(index_path(&stored, &stored.entries[COUNT - 1]), name));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, a_bomb_of_zeros_is_a_hole);
	tcase_add_test(all, a_bomb_past_the_cap_is_refused_before_it_is_read);
	tcase_add_loop_test(all, layers_that_share_a_sum_share_its_caps, 0,
			    sizeof(sum_rows) / sizeof(sum_rows[0]));
	tcase_add_test(all, runs_of_data_have_a_cap_of_their_own);
	tcase_add_test(all, names_and_xattrs_have_a_cap_of_their_own);
	tcase_add_loop_test(all, each_cap_holds_to_the_last_one, 0,
			    sizeof(cap_rows) / sizeof(cap_rows[0]));
	tcase_add_loop_test(all, the_default_cap_on_xattrs_comes_before_that_on_headers, 0, 2);
	tcase_add_loop_test(all, cut_anywhere_it_is_refused, 0, 2);
	tcase_add_loop_test(all, a_bit_flipped_anywhere_is_found_or_changes_nothing, 0, 2);
	tcase_add_test(all, what_stands_behind_the_end_counts_in_the_diff_id);
	tcase_add_test(all, a_hundred_thousand_entries_are_one_layer);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
