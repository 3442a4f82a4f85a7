#include "builder/initrd.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tests/unit/drivers/made_module.h"

static char root[64], output[80];
static int root_fd = -1;
static struct bytes image;
static struct err err;
static char notes[2048];
static struct report report;

static void keep_note(void *context, const char *text)
{
	(void)context;
	snprintf(notes + strlen(notes), sizeof(notes) - strlen(notes), "%s\n", text);
}

static void put_module(const char *name, struct view info)
{
	char module[MADE_MODULE_BYTES];
	size_t len = made_module(module, info);

	ck_assert(file_write_whole(root_fd, name, 0644, (struct view){ module, len }, &err));
}

static void start(void)
{
	snprintf(root, sizeof(root), "/tmp/vmbake-initrd-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(output, sizeof(output), "%s/initrd", root);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	report.note = keep_note;
	image = bytes_capped(16 << 20);
	put_module("virtio_blk.ko", MADE_INFO("name=virtio_blk\0alias=virtio:d2v*\0depends=ring"));
	put_module("ring.ko", MADE_INFO("name=ring\0depends="));
	put_module("extra-one.ko", MADE_INFO("name=extra_one\0depends="));
}

static void end(void)
{
	ck_assert(file_remove_tree(AT_FDCWD, root, &err));
	fd_closep(&root_fd);
	bytes_freep(&image);
}

static bool make(const char *load)
{
	const struct initrd_options options = { .modules_dir = root,
						.load = &load,
						.load_count = load ? 1 : 0,
						.output = output,
						.report = &report };

	bytes_clear(&image);
	return initrd_write(&options, &err) && file_slurp(&image, AT_FDCWD, output, &err);
}

static bool holds(const char *text)
{
	return memmem(image.data, image.len, text, strlen(text)) != NULL;
}

START_TEST(defaults_come_with_needs_and_aliases)
{
	ck_assert_msg(make(NULL), "%s", err.msg);
	ck_assert(holds("lib/modules/ring.ko") && holds("lib/modules/virtio_blk.ko"));
	ck_assert(holds("virtio:d2v*"));
	ck_assert(!holds("lib/modules/extra_one.ko"));
	ck_assert(!holds("\"wanted\""));
}
END_TEST

START_TEST(default_that_is_not_there_is_noted)
{
	ck_assert(make(NULL));
	ck_assert_ptr_nonnull(strstr(notes, "no module virtio_net\n"));
	ck_assert_ptr_null(strstr(notes, "virtio_blk"));
}
END_TEST

START_TEST(named_module_is_loaded_always)
{
	ck_assert(make("extra-one"));
	ck_assert(holds("lib/modules/extra_one.ko") && holds("\"wanted\": true"));
}
END_TEST

START_TEST(named_module_that_is_nowhere_is_not_found_and_nothing_is_written)
{
	ck_assert(!make("nowhere"));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert_int_lt(access(output, F_OK), 0);
}
END_TEST

START_TEST(same_modules_give_the_same_bytes)
{
	CLEANUP(freep) char *first = NULL;
	size_t first_len;

	ck_assert(make(NULL));
	first_len = image.len;
	first = bytes_take(&image);
	ck_assert(make(NULL));
	ck_assert_uint_eq(image.len, first_len);
	ck_assert_mem_eq(image.data, first, first_len);
}
END_TEST

START_TEST(folder_that_is_nowhere_is_not_found)
{
	const struct initrd_options options = { .modules_dir = "/nowhere", .output = output };

	ck_assert(!initrd_write(&options, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("initrd");
	TCase *tests = tcase_create("initrd");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, defaults_come_with_needs_and_aliases);
	tcase_add_test(tests, default_that_is_not_there_is_noted);
	tcase_add_test(tests, named_module_is_loaded_always);
	tcase_add_test(tests, named_module_that_is_nowhere_is_not_found_and_nothing_is_written);
	tcase_add_test(tests, same_modules_give_the_same_bytes);
	tcase_add_test(tests, folder_that_is_nowhere_is_not_found);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
