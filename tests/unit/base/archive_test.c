#include "base/archive.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "tests/unit/folder.h"

/* "hello from inside\n" through gzip -n9, xz -9, zstd -19, lz4 -9, and gzip -n9 | xz. */
static const uint8_t gzip_bytes[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd,
	0xc9, 0xc9, 0x57, 0x48, 0x2b, 0xca, 0xcf, 0x55, 0xc8, 0xcc, 0x2b, 0xce, 0x4c,
	0x49, 0xe5, 0x02, 0x00, 0xf9, 0xf9, 0xcf, 0x96, 0x12, 0x00, 0x00, 0x00,
};
static const uint8_t xz_bytes[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02,
	0x00, 0x21, 0x01, 0x1c, 0x00, 0x00, 0x00, 0x10, 0xcf, 0x58, 0xcc, 0x01, 0x00,
	0x11, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x66, 0x72, 0x6f, 0x6d, 0x20, 0x69,
	0x6e, 0x73, 0x69, 0x64, 0x65, 0x0a, 0x00, 0x00, 0x00, 0xee, 0xb0, 0x82, 0xea,
	0xc7, 0xdd, 0xed, 0x53, 0x00, 0x01, 0x2a, 0x12, 0x4b, 0x08, 0x54, 0xbc, 0x1f,
	0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};
static const uint8_t zstd_bytes[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, 0x91, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
	0x20, 0x66, 0x72, 0x6f, 0x6d, 0x20, 0x69, 0x6e, 0x73, 0x69, 0x64, 0x65, 0x0a,
};
static const uint8_t lz4_bytes[] = {
	0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x12, 0x00, 0x00, 0x80, 0x68, 0x65,
	0x6c, 0x6c, 0x6f, 0x20, 0x66, 0x72, 0x6f, 0x6d, 0x20, 0x69, 0x6e, 0x73, 0x69,
	0x64, 0x65, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x27, 0xe9, 0x99, 0x07,
};
static const uint8_t gzip_in_xz_bytes[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00,
	0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x25, 0x1f,
	0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
	0x57, 0x48, 0x2b, 0xca, 0xcf, 0x55, 0xc8, 0xcc, 0x2b, 0xce, 0x4c, 0x49, 0xe5, 0x02,
	0x00, 0xf9, 0xf9, 0xcf, 0x96, 0x12, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6d, 0xe8,
	0xc0, 0x2f, 0x4e, 0x56, 0x2f, 0x20, 0x00, 0x01, 0x3e, 0x26, 0xab, 0x2b, 0x4e, 0xb3,
	0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};

static const char hello[] = "hello from inside\n";

static const struct view forms[] = {
	{ hello, sizeof(hello) - 1 },
	{ (const char *)gzip_bytes, sizeof(gzip_bytes) },
	{ (const char *)xz_bytes, sizeof(xz_bytes) },
	{ (const char *)zstd_bytes, sizeof(zstd_bytes) },
	{ (const char *)lz4_bytes, sizeof(lz4_bytes) },
	{ (const char *)gzip_in_xz_bytes, sizeof(gzip_in_xz_bytes) },
};

enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

MUST_CHECK static bool slurp(struct bytes *out, struct view content, struct err *err)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/f", folder);
	ck_assert(file_write_whole(AT_FDCWD, path, 0644, content, err));
	return archive_slurp(out, path, err);
}

START_TEST(content_comes_out_whatever_it_is_wrapped_in)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1000);
	struct err err = { 0 };

	ck_assert_msg(slurp(&out, forms[_i], &err), "%s", err.msg);
	ck_assert_uint_eq(out.len, strlen(hello));
	ck_assert_str_eq(out.data, hello);
}
END_TEST

START_TEST(cap_counts_the_unpacked_bytes)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(sizeof(hello) - 2);
	struct err err = { 0 };

	ck_assert(!slurp(&out, forms[2], &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(empty_file_is_empty_content)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(10);
	struct err err = { 0 };

	ck_assert(slurp(&out, (struct view){ 0 }, &err));
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(truncated_stream_is_a_format_error)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1000);
	struct err err = { 0 };

	ck_assert(!slurp(&out, (struct view){ forms[_i].ptr, forms[_i].len - 6 }, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(missing_file_is_not_found)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(10);
	struct err err = { 0 };

	ck_assert(!archive_slurp(&out, "/nonexistent/module.ko", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

/* One entry of each kind, written to "cpio"; the same bytes whenever it is called. */
static void write_archive(struct bytes *out)
{
	CLEANUP(cpio_freep) struct cpio *cpio = NULL;
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	ck_assert(file_open(&fd, dir_fd, "cpio", O_RDWR | O_CREAT | O_TRUNC, &err));
	ck_assert(cpio_open(&cpio, fd, &err));
	ck_assert(cpio_add_dir(cpio, "dev", 0755, &err));
	ck_assert(cpio_add_file(cpio, "init", 0755, view_of("#!"), &err));
	ck_assert(cpio_add_file(cpio, "empty", 0600, (struct view){ 0 }, &err));
	ck_assert(cpio_add_symlink(cpio, "link", "init", &err));
	ck_assert(cpio_add_device(cpio, "dev/console", S_IFCHR | 0600, makedev(5, 1), &err));
	ck_assert(cpio_finish(cpio, &err));
	ck_assert(file_slurp(out, dir_fd, "cpio", &err));
}

/* A "newc" header: the magic, then fields of 8 hex digits. Source: the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst */
enum {
	CPIO_INO,
	CPIO_MODE,
	CPIO_UID,
	CPIO_GID,
	CPIO_NLINK,
	CPIO_MTIME,
	CPIO_FILESIZE,
	CPIO_RDEVMAJOR = 9,
	CPIO_RDEVMINOR,
	CPIO_NAMESIZE,
	CPIO_HEADER_BYTES = 110
};

static uint64_t field(struct view entry, unsigned number)
{
	uint64_t value = 0;

	ck_assert(entry.len >= CPIO_HEADER_BYTES && view_starts(entry, "070701"));
	ck_assert(view_number((struct view){ entry.ptr + 6 + 8 * number, 8 }, 16, UINT32_MAX,
			      &value));
	return value;
}

static const char *name_of(struct view entry)
{
	return entry.ptr + CPIO_HEADER_BYTES;
}

static struct view body_of(struct view entry)
{
	return view_from(entry, (CPIO_HEADER_BYTES + field(entry, CPIO_NAMESIZE) + 3) & ~3ULL);
}

static struct view next(struct view entry)
{
	return view_from(body_of(entry), (field(entry, CPIO_FILESIZE) + 3) & ~3ULL);
}

START_TEST(entries_are_written_as_the_kernel_reads_them)
{
	CLEANUP(bytes_freep) struct bytes archive = bytes_capped(10000);

	write_archive(&archive);
	struct view entry = bytes_view(&archive);

	ck_assert_str_eq(name_of(entry), "dev");
	ck_assert_uint_eq(field(entry, CPIO_MODE), S_IFDIR | 0755);
	entry = next(entry);
	ck_assert_str_eq(name_of(entry), "init");
	ck_assert_uint_eq(field(entry, CPIO_MODE), S_IFREG | 0755);
	ck_assert_uint_eq(field(entry, CPIO_FILESIZE), 2);
	ck_assert_mem_eq(body_of(entry).ptr, "#!\0\0", 4);
	entry = next(entry);
	ck_assert_str_eq(name_of(entry), "empty");
	ck_assert_uint_eq(field(entry, CPIO_FILESIZE), 0);
	entry = next(entry);
	ck_assert_str_eq(name_of(entry), "link");
	ck_assert_uint_eq(field(entry, CPIO_MODE), S_IFLNK | 0777);
	ck_assert_mem_eq(body_of(entry).ptr, "init", 4);
	entry = next(entry);
	ck_assert_str_eq(name_of(entry), "dev/console");
	ck_assert_uint_eq(field(entry, CPIO_MODE), S_IFCHR | 0600);
	ck_assert_uint_eq(field(entry, CPIO_RDEVMAJOR), 5);
	ck_assert_uint_eq(field(entry, CPIO_RDEVMINOR), 1);
	ck_assert_str_eq(name_of(next(entry)), "TRAILER!!!");
}
END_TEST

START_TEST(ids_and_times_are_zero_and_inodes_in_order)
{
	CLEANUP(bytes_freep) struct bytes archive = bytes_capped(10000);

	write_archive(&archive);
	struct view second = next(bytes_view(&archive));

	ck_assert_uint_eq(field(second, CPIO_UID), 0);
	ck_assert_uint_eq(field(second, CPIO_GID), 0);
	ck_assert_uint_eq(field(second, CPIO_MTIME), 0);
	ck_assert_uint_eq(field(second, CPIO_NLINK), 1);
	ck_assert_uint_eq(field(next(second), CPIO_INO), field(second, CPIO_INO) + 1);
}
END_TEST

START_TEST(same_calls_give_the_same_bytes)
{
	CLEANUP(bytes_freep) struct bytes first = bytes_capped(10000);
	CLEANUP(bytes_freep) struct bytes second = bytes_capped(10000);

	write_archive(&first);
	write_archive(&second);
	ck_assert(view_same(bytes_view(&first), bytes_view(&second)));
}
END_TEST

START_TEST(full_disk_is_told_at_the_latest_when_finishing)
{
	CLEANUP(cpio_freep) struct cpio *cpio = NULL;
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	ck_assert(file_open(&fd, AT_FDCWD, "/dev/full", O_WRONLY, &err));
	ck_assert(cpio_open(&cpio, fd, &err));
	ck_assert(!cpio_add_file(cpio, "f", 0644, view_of("x"), &err) || !cpio_finish(cpio, &err));
	ck_assert_int_eq(err.kind, ERR_SPACE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("archive");
	TCase *tests = tcase_create("archive");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_loop_test(tests, content_comes_out_whatever_it_is_wrapped_in, 0, FORM_COUNT);
	tcase_add_test(tests, cap_counts_the_unpacked_bytes);
	tcase_add_test(tests, empty_file_is_empty_content);
	/* From 1: plain text has no end of its own. */
	tcase_add_loop_test(tests, truncated_stream_is_a_format_error, 1, FORM_COUNT);
	tcase_add_test(tests, missing_file_is_not_found);
	tcase_add_test(tests, entries_are_written_as_the_kernel_reads_them);
	tcase_add_test(tests, ids_and_times_are_zero_and_inodes_in_order);
	tcase_add_test(tests, same_calls_give_the_same_bytes);
	tcase_add_test(tests, full_disk_is_told_at_the_latest_when_finishing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
