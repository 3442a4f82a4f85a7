#include "layers/index.h"

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/unit/folder.h"

static const struct digest diff_id = { .sha256 = { 1, 2, 3 } };

/* Two entries, one with extents and xattrs; owned by the caller. */
static struct bytes make_index(void)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	struct bytes out = bytes_capped(1 << 20);
	struct xattr xattrs[] = { { view_of("user.z"), { "a\0b", 3 } },
				  { view_of("security.capability"), view_of("") } };
	struct extent extents[] = { { 0, 5, 2 }, { 4, 7, 1 } };
	struct entry dir = { .kind = ENTRY_DIR, .path = view_of("d"), .mode = 01777 };
	struct entry file = { .kind = ENTRY_FILE, .path = view_of("d/f"), .mode = 0644, .uid = 7,
			      .mtime_seconds = -5, .mtime_ns = 750000000, .size = 5 * 4096,
			      .xattrs = xattrs, .xattr_count = 2, .extents = extents,
			      .extent_count = 2, .body_crc32c = 99 };
	struct err err = { 0 };

	ck_assert(index_builder_new(&builder, &err));
	ck_assert(index_builder_add(builder, &dir, &err));
	ck_assert(index_builder_add(builder, &file, &err));
	ck_assert(index_builder_finish(builder, 8 * 4096, &diff_id, &out, &err));
	return out;
}

START_TEST(what_was_added_reads_back)
{
	struct bytes bytes = make_index();
	struct index index;
	struct err err = { 0 };

	ck_assert(index_parse(&index, bytes_view(&bytes), &err));
	ck_assert_uint_eq(index.entry_count, 2);
	ck_assert(digest_equal(&index.diff_id, &diff_id));
	const struct index_entry *file = &index.entries[1];

	ck_assert(view_equal(index_path(&index, file), "d/f"));
	ck_assert_int_eq(file->mtime_seconds, -5);
	ck_assert_uint_eq(file->uid, 7);
	ck_assert_uint_eq(file->extent_count, 2);
	ck_assert_uint_eq(index.extents[file->extent_first + 1].data_block, 7);
	ck_assert_uint_eq(index.body_bytes, 5 * 4096);
	bytes_freep(&bytes);
}
END_TEST

START_TEST(xattrs_come_in_order_of_their_names_with_any_bytes)
{
	struct bytes bytes = make_index();
	struct index index;
	struct xattr xattr;
	struct err err = { 0 };

	ck_assert(index_parse(&index, bytes_view(&bytes), &err));
	struct xattr_cursor cursor = index_xattrs(&index, &index.entries[1]);

	ck_assert(xattr_next(&cursor, &xattr));
	ck_assert(view_equal(xattr.name, "security.capability"));
	ck_assert_uint_eq(xattr.value.len, 0);
	ck_assert(xattr_next(&cursor, &xattr));
	ck_assert(view_equal(xattr.name, "user.z"));
	ck_assert(view_same(xattr.value, (struct view){ "a\0b", 3 }));
	ck_assert(!xattr_next(&cursor, &xattr));
	bytes_freep(&bytes);
}
END_TEST

START_TEST(any_byte_changed_is_found)
{
	struct bytes bytes = make_index();
	struct index index;

	for (size_t i = 0; i < bytes.len; i++) {
		struct err err = { 0 };

		bytes.data[i] ^= 0x10;
		ck_assert(!index_parse(&index, bytes_view(&bytes), &err));
		ck_assert_int_eq(err.kind, ERR_INTEGRITY);
		bytes.data[i] ^= 0x10;
	}
	bytes_freep(&bytes);
}
END_TEST

START_TEST(any_truncation_is_found)
{
	struct bytes bytes = make_index();
	struct index index;

	for (size_t len = 0; len < bytes.len; len++) {
		struct err err = { 0 };

		ck_assert(!index_parse(&index, (struct view){ bytes.data, len }, &err));
		ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	}
	bytes_freep(&bytes);
}
END_TEST

/* A checksum alone is not trusted: an extent past data's end is refused with a right checksum. */
START_TEST(extent_outside_the_data_is_refused)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(1 << 20);
	struct extent extent = { 0, 1, 1 };
	struct entry file = { .kind = ENTRY_FILE, .path = view_of("f"), .size = 10,
			      .extents = &extent, .extent_count = 1 };
	struct index index;
	struct err err = { 0 };

	ck_assert(index_builder_new(&builder, &err));
	ck_assert(index_builder_add(builder, &file, &err));
	ck_assert(index_builder_finish(builder, 4096, NULL, &bytes, &err));
	ck_assert(!index_parse(&index, bytes_view(&bytes), &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
}
END_TEST

START_TEST(peek_tells_the_count_of_an_index_and_of_nothing_else)
{
	struct bytes bytes = make_index();
	uint64_t count = 0;
	struct err err = { 0 };

	ck_assert(file_write_whole(dir_fd, "index", 0644, bytes_view(&bytes), &err));
	ck_assert(index_peek(&count, dir_fd, "index"));
	ck_assert_uint_eq(count, 2);
	ck_assert(!index_peek(&count, dir_fd, "absent"));
	ck_assert(file_write_whole(dir_fd, "short", 0644, (struct view){ bytes.data, 80 }, &err));
	ck_assert(!index_peek(&count, dir_fd, "short"));
	bytes.data[0] ^= 1;
	ck_assert(file_write_whole(dir_fd, "other", 0644, bytes_view(&bytes), &err));
	ck_assert(!index_peek(&count, dir_fd, "other"));
	bytes_freep(&bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("index");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, make_folder, remove_folder);
	tcase_add_test(all, what_was_added_reads_back);
	tcase_add_test(all, xattrs_come_in_order_of_their_names_with_any_bytes);
	tcase_add_test(all, any_byte_changed_is_found);
	tcase_add_test(all, any_truncation_is_found);
	tcase_add_test(all, extent_outside_the_data_is_refused);
	tcase_add_test(all, peek_tells_the_count_of_an_index_and_of_nothing_else);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
