#include "base/archive.h"

#include <string.h>

#include "base/bytes.h"
#include "tests/unit/folder.h"

static struct err err;
static struct bytes inner;
static char path[128];

/* An inner archive of one file. */
static void start(void)
{
	CLEANUP(cpio_freep) struct cpio *cpio = NULL;
	CLEANUP(fd_closep) int fd = -1;

	make_folder();
	inner = bytes_capped(1 << 20);
	ck_assert(file_open(&fd, dir_fd, "inner", O_RDWR | O_CREAT, &err));
	ck_assert(cpio_open(&cpio, fd, &err));
	ck_assert(cpio_add_file(cpio, "deep/file", 0750, view_of("the content"), &err));
	ck_assert(cpio_finish(cpio, &err));
	ck_assert(file_slurp(&inner, dir_fd, "inner", &err));
	snprintf(path, sizeof(path), "%s/outer", folder);
}

static void end(void)
{
	bytes_freep(&inner);
	remove_folder();
}

/* An ar as dpkg-deb writes it, of two members; the second is cut to len bytes in the file. */
static void write_ar(size_t len)
{
	CLEANUP(bytes_freep) struct bytes ar = bytes_capped(1 << 20);

	ck_assert(bytes_print(&ar, &err, "!<arch>\n%-16s%-12d%-6d%-6d%-8s%-10d`\n2.0\n",
			      "debian-binary", 0, 0, 0, "100644", 4));
	ck_assert(bytes_print(&ar, &err, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", "data.tar", 0, 0, 0,
			      "100644", inner.len));
	ck_assert(bytes_append(&ar, inner.data, len, &err));
	ck_assert(file_write_whole(dir_fd, "outer", 0644, bytes_view(&ar), &err));
}

static void assert_file(struct archive_reader *reader)
{
	struct archive_member member;
	char content[64] = "";
	bool is_end = true;
	size_t len = 0;

	ck_assert_msg(archive_reader_next(reader, &member, &is_end, &err), "%s", err.msg);
	ck_assert(!is_end);
	ck_assert_str_eq(member.name, "deep/file");
	ck_assert_uint_eq(member.mode, 0750);
	ck_assert(archive_reader_read(reader, content, sizeof(content), &len, &err));
	ck_assert_str_eq(content, "the content");
	ck_assert(archive_reader_next(reader, &member, &is_end, &err) && is_end);
}

static void open_second(struct archive_reader **outer)
{
	struct archive_member member;
	bool is_end = false;

	ck_assert(archive_reader_open(outer, path, &err));
	ck_assert(archive_reader_next(*outer, &member, &is_end, &err));
	ck_assert_str_eq(member.name, "debian-binary");
	ck_assert(archive_reader_next(*outer, &member, &is_end, &err));
	ck_assert_str_eq(member.name, "data.tar");
}

START_TEST(an_archive_inside_another_is_read_in_place)
{
	CLEANUP(archive_reader_freep) struct archive_reader *outer = NULL;
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;

	write_ar(inner.len);
	open_second(&outer);
	ck_assert(archive_reader_open_member(&reader, outer, "data.tar", &err));
	assert_file(reader);
}
END_TEST

START_TEST(an_outer_archive_that_is_cut_off_is_named)
{
	CLEANUP(archive_reader_freep) struct archive_reader *outer = NULL;
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;
	struct archive_member member;
	bool is_end = false;

	write_ar(inner.len / 8);
	open_second(&outer);
	ck_assert(!archive_reader_open_member(&reader, outer, "data.tar", &err) ||
		  !archive_reader_next(reader, &member, &is_end, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_msg(strstr(err.msg, "data.tar") && strstr(err.msg, "outer"), "%s", err.msg);
}
END_TEST

START_TEST(an_archive_behind_something_else_is_read_from_its_start)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(1 << 20);

	ck_assert(bytes_print(&file, &err, "#!/bin/sh\nexit\n"));
	size_t offset = file.len;

	ck_assert(bytes_append(&file, inner.data, inner.len, &err));
	ck_assert(file_write_whole(dir_fd, "outer", 0644, bytes_view(&file), &err));
	ck_assert(archive_reader_open_at(&reader, path, offset, &err));
	assert_file(reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("archive_reader");
	TCase *tests = tcase_create("archive_reader");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, an_archive_inside_another_is_read_in_place);
	tcase_add_test(tests, an_outer_archive_that_is_cut_off_is_named);
	tcase_add_test(tests, an_archive_behind_something_else_is_read_from_its_start);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
