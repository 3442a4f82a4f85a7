#include "drivers/image/ldcache.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/le.h"

enum { FILE_BYTES_MAX = 16 << 20 };

static struct ldcache_entry made_entry(const char *name, const char *path, uint32_t flags,
				       const char *hwcaps)
{
	return (struct ldcache_entry){ .name = view_of(name),
				       .path = view_of(path),
				       .hwcaps = view_of(hwcaps),
				       .flags = flags };
}

/* In the order in which ld.so must find them; added in another. */
static const struct {
	const char *name, *path, *hwcaps;
	uint32_t flags;
	size_t added; /* when */
} rows[] = {
	{ "libz.so.1", "/usr/lib64/libz.so.1", "", LDCACHE_X86_64, 4 },
	{ "libcuda.so.10", "/a/libcuda.so.10", "", LDCACHE_X86_64, 0 },
	{ "libcuda.so.9", "/a/libcuda.so.9", "", LDCACHE_X86_64, 3 },
	{ "libcuda.so.1", "/a/glibc-hwcaps/x86-64-v2/libcuda.so.1", "x86-64-v2", LDCACHE_X86_64,
	  1 },
	{ "libcuda.so.1", "/a/glibc-hwcaps/x86-64-v3/libcuda.so.1", "x86-64-v3", LDCACHE_X86_64,
	  7 },
	{ "libcuda.so.1", "/a/libcuda.so.1", "", LDCACHE_X86_64, 5 },
	{ "libcuda.so.1", "/b/libcuda.so.1", "", LDCACHE_X86_64, 6 },
	{ "libcuda.so.1", "/32/libcuda.so.1", "", LDCACHE_I386, 2 },
	{ "libcuda.so", "/a/other-name.so", "", LDCACHE_X86_64, 8 },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static void write_rows(struct bytes *out)
{
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	struct err err = { 0 };

	for (size_t when = 0; when < ROW_COUNT; when++)
		for (size_t i = 0; i < ROW_COUNT; i++) {
			struct ldcache_entry entry = made_entry(rows[i].name, rows[i].path,
								rows[i].flags, rows[i].hwcaps);

			if (rows[i].added == when)
				ck_assert(ldcache_add(&cache, &entry, &err));
		}
	ck_assert(ldcache_write(out, &cache, &err));
}

START_TEST(entries_come_back_in_the_loaders_order)
{
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	struct err err = { 0 };

	write_rows(&file);
	ck_assert(ldcache_read(&cache, bytes_view(&file), &err));
	ck_assert_uint_eq(cache.count, ROW_COUNT);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		ck_assert(view_equal(cache.entries[i].name, rows[i].name));
		ck_assert(view_equal(cache.entries[i].path, rows[i].path));
		ck_assert(cache.entries[i].hwcaps.len == strlen(rows[i].hwcaps));
		ck_assert_uint_eq(cache.entries[i].flags, rows[i].flags);
	}
}
END_TEST

/* What the real ldconfig says of a cache file, less the line that names the file. */
static void list_by_ldconfig(struct bytes *out, const char *path)
{
	char command[256], line[1024];
	struct err err = { 0 };

	snprintf(command, sizeof(command), "/sbin/ldconfig -p -C %s", path);
	FILE *pipe = popen(command, "r");

	ck_assert_ptr_nonnull(pipe);
	while (fgets(line, sizeof(line), pipe))
		if (line[0] == '\t')
			ck_assert(bytes_append(out, line, strlen(line), &err));
	ck_assert_int_eq(pclose(pipe), 0);
}

START_TEST(real_ldconfig_lists_ours_as_we_read_it)
{
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes listing = bytes_capped(FILE_BYTES_MAX);
	struct err err = { 0 };
	char name[] = "/tmp/ldcache-test-XXXXXX";
	int fd = mkstemp(name);

	write_rows(&file);
	ck_assert(file_write(fd, file.data, file.len, name, &err));
	close(fd);
	list_by_ldconfig(&listing, name);
	unlink(name);
	ck_assert_str_eq(
		listing.data,
		"\tlibz.so.1 (libc6,x86-64) => /usr/lib64/libz.so.1\n"
		"\tlibcuda.so.10 (libc6,x86-64) => /a/libcuda.so.10\n"
		"\tlibcuda.so.9 (libc6,x86-64) => /a/libcuda.so.9\n"
		"\tlibcuda.so.1 (libc6,x86-64, hwcap: \"x86-64-v2\") =>"
		" /a/glibc-hwcaps/x86-64-v2/libcuda.so.1\n"
		"\tlibcuda.so.1 (libc6,x86-64, hwcap: \"x86-64-v3\") =>"
		" /a/glibc-hwcaps/x86-64-v3/libcuda.so.1\n"
		"\tlibcuda.so.1 (libc6,x86-64) => /a/libcuda.so.1\n"
		"\tlibcuda.so.1 (libc6,x86-64) => /b/libcuda.so.1\n"
		"\tlibcuda.so.1 (libc6) => /32/libcuda.so.1\n"
		"\tlibcuda.so (libc6,x86-64) => /a/other-name.so\n");
}
END_TEST

START_TEST(hosts_own_cache_rewritten_is_listed_the_same)
{
	CLEANUP(bytes_freep) struct bytes theirs = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes ours = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes their_list = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes our_list = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	struct err err = { 0 };
	char name[] = "/tmp/ldcache-test-XXXXXX", host[] = "/tmp/ldcache-test-XXXXXX";
	char command[256];
	int fd = mkstemp(name);

	close(mkstemp(host));
	/* A fresh one, so that its order is this ldconfig's own. */
	snprintf(command, sizeof(command), "/sbin/ldconfig -i -X -C %s 2>/dev/null", host);
	ck_assert_int_eq(system(command), 0);
	ck_assert(file_slurp(&theirs, AT_FDCWD, host, &err));
	ck_assert(ldcache_read(&cache, bytes_view(&theirs), &err));
	ck_assert_uint_gt(cache.count, 20);
	ck_assert(ldcache_write(&ours, &cache, &err));
	ck_assert(file_write(fd, ours.data, ours.len, name, &err));
	close(fd);
	list_by_ldconfig(&our_list, name);
	list_by_ldconfig(&their_list, host);
	unlink(name);
	unlink(host);
	ck_assert_str_eq(our_list.data, their_list.data);
}
END_TEST

START_TEST(old_format_before_the_new_one_is_passed_over)
{
	CLEANUP(bytes_freep) struct bytes made = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	struct ldcache_entry entry = made_entry("liba.so", "/liba.so", LDCACHE_X86_64, "");
	struct err err = { 0 };
	char old[32] = "ld.so-1.7.0"; /* one entry of 12 bytes, padded to 8 */

	le32_put(old + 12, 1);
	ck_assert(ldcache_add(&cache, &entry, &err));
	ck_assert(ldcache_write(&made, &cache, &err));
	le32_put(made.data + 32, le32_get(made.data + 32) + 32); /* counts from the file's start */
	ck_assert(bytes_append(&file, old, sizeof(old), &err));
	ck_assert(bytes_append(&file, made.data, made.len, &err));
	cache.count = 0;
	ck_assert(ldcache_read(&cache, bytes_view(&file), &err));
	ck_assert_uint_eq(cache.count, 1);
	ck_assert(view_equal(cache.entries[0].path, "/liba.so"));
}
END_TEST

START_TEST(every_cut_and_no_prefix_is_taken_for_a_cache)
{
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	struct err err = { 0 };

	write_rows(&file);
	for (size_t len = 1; len + sizeof("vmbake") - 1 < file.len; len++) {
		CLEANUP(freep) char *cut = view_copy((struct view){ file.data, len });

		ck_assert_msg(!ldcache_read(&cache, (struct view){ cut, len }, &err), "%zu", len);
		ck_assert_int_eq(err.kind, ERR_FORMAT);
		ck_assert_uint_eq(cache.count, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ldcache");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(rules, entries_come_back_in_the_loaders_order);
	tcase_add_test(rules, real_ldconfig_lists_ours_as_we_read_it);
	tcase_add_test(rules, hosts_own_cache_rewritten_is_listed_the_same);
	tcase_add_test(rules, old_format_before_the_new_one_is_passed_over);
	tcase_add_test(rules, every_cut_and_no_prefix_is_taken_for_a_cache);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
