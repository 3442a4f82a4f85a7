#include "layers/body_check.h"

#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "layers/body.h"

enum { BLOCK = INDEX_BLOCK_BYTES, FILE_COUNT = 4, LARGE_BYTES = (3 << 20) + 17 };

/* A layer of an empty file, a short one, one with holes and a tail, and a large one. */
static struct bytes index_bytes;
static struct index layer;
static int data_fd = -1;

static const struct {
	const char *path, *pattern; /* a letter a block: 'x' data, '.' zeros */
	size_t size;
} files[FILE_COUNT] = {
	{ "empty", "x", 0 },
	{ "short", "x", 5 },
	{ "holes", ".x..x.", 7 * BLOCK + 100 },
	{ "large", "x", LARGE_BYTES },
};

static void add_file(struct index_builder *builder, struct body_writer *writer, size_t number)
{
	static char body[LARGE_BYTES];
	size_t size = files[number].size;
	const char *pattern = files[number].pattern;
	struct entry entry = { .kind = ENTRY_FILE, .path = view_of(files[number].path),
			       .size = size };
	struct err err = { 0 };

	for (size_t i = 0; i < size; i++)
		body[i] = pattern[i / BLOCK % strlen(pattern)] == 'x' ? (char)(1 + i % 251) : 0;
	body_begin(writer);
	ck_assert(body_write(writer, (struct view){ body, size }, &err));
	ck_assert(body_end(writer, size, &entry.extents, &entry.extent_count, &entry.body_crc32c,
			   &err));
	ck_assert(index_builder_add(builder, &entry, &err));
}

static void setup(void)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	CLEANUP(body_writer_freep) struct body_writer *writer = NULL;
	struct entry folder = { .kind = ENTRY_DIR, .path = view_of("d") };
	struct err err = { 0 };
	uint64_t data_bytes = 0;

	data_fd = memfd_create("data", MFD_CLOEXEC);
	index_bytes = bytes_capped(1 << 20);
	ck_assert(index_builder_new(&builder, &err));
	ck_assert(body_writer_new(&writer, data_fd, BODY_BUFFER_BYTES, &err));
	ck_assert(index_builder_add(builder, &folder, &err));
	for (size_t i = 0; i < FILE_COUNT; i++)
		add_file(builder, writer, i);
	ck_assert(body_writer_finish(writer, &data_bytes, &err));
	ck_assert(index_builder_finish(builder, data_bytes, NULL, &index_bytes, &err));
	ck_assert(index_parse(&layer, bytes_view(&index_bytes), &err));
}

static void teardown(void)
{
	bytes_freep(&index_bytes);
	fd_closep(&data_fd);
}

/* A bit of the byte at that offset in a file's body turns over; it must lie in data. */
static void damage(size_t number, uint64_t offset)
{
	const struct index_entry *entry = &layer.entries[number + 1];
	uint64_t block = offset / BLOCK;

	for (uint32_t i = 0; i < entry->extent_count; i++) {
		const struct extent *extent = &layer.extents[entry->extent_first + i];
		uint8_t byte = 0;

		if (block < extent->block || block >= extent->block + extent->block_count)
			continue;
		off_t at = (off_t)((extent->data_block + block - extent->block) * BLOCK +
				   offset % BLOCK);

		ck_assert_int_eq(pread(data_fd, &byte, 1, at), 1);
		byte ^= 0x10;
		ck_assert_int_eq(pwrite(data_fd, &byte, 1, at), 1);
		return;
	}
	ck_abort_msg("offset %llu of %s is in a hole", (unsigned long long)offset,
		     files[number].path);
}

START_TEST(whole_bodies_pass_and_their_bytes_are_counted)
{
	struct report report = { 0 };
	struct err err = { 0 };

	ck_assert_msg(body_check(&layer, data_fd, &report, &err), "%s", err.msg);
	ck_assert_uint_eq(report.done_bytes[REPORT_CHECK], layer.data_bytes);
}
END_TEST

static const struct {
	size_t number;
	uint64_t offset;
} damages[] = {
	{ 1, 0 }, { 1, 4 },	  { 2, BLOCK },		  { 2, 5 * BLOCK - 1 },
	{ 3, 0 }, { 3, 1 << 20 }, { 3, LARGE_BYTES - 1 }, { 2, 7 * BLOCK + 99 },
};
enum { DAMAGE_COUNT = sizeof(damages) / sizeof(damages[0]) };

START_TEST(each_bit_that_turned_names_its_file)
{
	struct err err = { 0 };

	damage(damages[_i].number, damages[_i].offset);
	ck_assert(!body_check(&layer, data_fd, NULL, &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	ck_assert_msg(strstr(err.msg, files[damages[_i].number].path) != NULL, "%s", err.msg);
}
END_TEST

START_TEST(several_are_counted)
{
	struct err err = { 0 };

	damage(1, 0);
	damage(3, 5);
	ck_assert(!body_check(&layer, data_fd, NULL, &err));
	ck_assert_msg(strstr(err.msg, "2 bodies") && strstr(err.msg, "short"), "%s", err.msg);
}
END_TEST

/* Behind a body's end the rest of its block is nobody's. */
START_TEST(what_is_behind_the_end_does_not_count)
{
	struct err err = { 0 };

	damage(1, 5);
	ck_assert(body_check(&layer, data_fd, NULL, &err));
}
END_TEST

START_TEST(data_that_ends_early_is_an_error)
{
	struct err err = { 0 };

	ck_assert_int_eq(ftruncate(data_fd, 1 << 20), 0);
	ck_assert(!body_check(&layer, data_fd, NULL, &err));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body_check");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, whole_bodies_pass_and_their_bytes_are_counted);
	tcase_add_loop_test(all, each_bit_that_turned_names_its_file, 0, DAMAGE_COUNT);
	tcase_add_test(all, several_are_counted);
	tcase_add_test(all, what_is_behind_the_end_does_not_count);
	tcase_add_test(all, data_that_ends_early_is_an_error);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
