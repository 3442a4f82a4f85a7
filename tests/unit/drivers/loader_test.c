/* Where a library is found: the rules of ld.so and of musl, seen through needed_check, whose
 * findings say what was not found.
 */
#include "drivers/image/loader.h"

#include <elf.h>
#include <stdlib.h>

#include "drivers/image/loader_built_in.h"
#include "drivers/image/loader_path.h"
#include "needed_fixture.h"

#define NOT_FOUND(name, needer) \
	"needed-missing error: the image has no " name ": it is needed by " needer "\n"

/* A cache of such entries. Each: name, path, hwcaps, flags. */
static void add_cache(const struct ldcache_entry *entries, size_t count)
{
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(1 << 20);
	struct err err = { 0 };

	for (size_t i = 0; i < count; i++)
		ck_assert(ldcache_add(&cache, &entries[i], &err));
	ck_assert(ldcache_write(&file, &cache, &err));
	made_root_file(&root, "etc/ld.so.cache", bytes_view(&file));
}

static struct ldcache_entry cached(const char *name, const char *path, const char *hwcaps,
				   uint32_t flags)
{
	return (struct ldcache_entry){ .name = view_of(name),
				       .path = view_of(path),
				       .hwcaps = view_of(hwcaps),
				       .flags = flags };
}

START_TEST(runpath_finds_what_lies_beside)
{
	add_debian();
	ADD("opt/nv/lib/a.so", .needed = { "b.so", "c.so" },
	    .runpath = "/nowhere:relative::$ORIGIN:${ORIGIN}/../more");
	ADD("opt/nv/lib/b.so", .soname = "b.so");
	ADD("opt/nv/more/c.so", .soname = "c.so");
	CHECK("/opt/nv/lib/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(runpath_is_not_handed_down)
{
	add_debian();
	ADD("opt/a.so", .needed = { "b.so" }, .runpath = "/opt");
	ADD("opt/b.so", .needed = { "c.so" });
	ADD("opt/c.so", .soname = "c.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("c.so", "/opt/b.so"));
}
END_TEST

START_TEST(rpath_is_handed_down)
{
	add_debian();
	ADD("opt/x/a.so", .needed = { "b.so" }, .rpath = "$ORIGIN/../y");
	ADD("opt/y/b.so", .needed = { "c.so" });
	ADD("opt/y/c.so", .needed = { "d.so" });
	ADD("opt/y/d.so", .soname = "d.so");
	CHECK("/opt/x/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(rpath_does_not_count_for_one_with_a_runpath)
{
	add_debian();
	ADD("opt/a.so", .needed = { "b.so" }, .rpath = "/opt");
	ADD("opt/b.so", .needed = { "c.so" }, .runpath = "/nowhere");
	ADD("opt/c.so", .soname = "c.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("c.so", "/opt/b.so"));
}
END_TEST

START_TEST(runpath_beside_an_rpath_makes_it_void)
{
	add_debian();
	ADD("opt/a.so", .needed = { "b.so" }, .rpath = "/opt/r", .runpath = "/opt");
	ADD("opt/b.so", .needed = { "c.so" });
	ADD("opt/r/c.so", .soname = "c.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("c.so", "/opt/b.so"));
}
END_TEST

START_TEST(origin_is_where_the_link_is_that_was_opened)
{
	add_debian();
	ADD("opt/real/b.so.1", .needed = { "c.so" }, .runpath = "$ORIGIN");
	made_root_symlink(&root, "usr/lib/b.so", "/opt/real/b.so.1");
	ADD("opt/real/c.so", .soname = "c.so");
	ADD("opt/a.so", .needed = { "b.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("c.so", "/lib/b.so"));
}
END_TEST

START_TEST(what_is_loaded_already_is_not_looked_for)
{
	add_debian();
	ADD("opt/a.so", .needed = { "first.so", "second.so" }, .runpath = "/opt");
	ADD("opt/first.so", .soname = "own-name.so");
	ADD("opt/second.so", .needed = { "own-name.so", "first.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(name_with_a_slash_is_a_path)
{
	add_debian();
	ADD("opt/a.so", .needed = { "$ORIGIN/sub/b.so", "/opt/none.so", "./c.so" },
	    .runpath = "/opt");
	ADD("opt/sub/b.so", .soname = "b.so");
	ADD("opt/c.so", .soname = "c.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said,
			 NOT_FOUND("/opt/none.so", "/opt/a.so") NOT_FOUND("./c.so", "/opt/a.so"));
}
END_TEST

START_TEST(lib_and_platform_are_those_of_the_image)
{
	add_debian();
	ADD("opt/a.so", .needed = { "b.so" }, .runpath = "/opt/$LIB/${PLATFORM}");
	ADD("opt/lib/x86_64-linux-gnu/x86_64/b.so", .soname = "b.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(cache_finds_what_is_in_no_folder_of_the_loader)
{
	const struct ldcache_entry entries[] = {
		cached("libz.so.1", "/opt/z.so", "", LDCACHE_X86_64),
		cached("liba.so.10", "/opt/10.so", "", LDCACHE_X86_64),
		cached("liba.so.9", "/opt/9.so", "", LDCACHE_X86_64),
		cached("libb.so", "/opt/b.so", "", LDCACHE_X86_64),
		cached("lib32.so", "/opt/32.so", "", LDCACHE_I386),
		cached("libfast.so", "/opt/fast.so", "x86-64-v3", LDCACHE_X86_64),
	};

	add_debian();
	add_cache(entries, sizeof(entries) / sizeof(entries[0]));
	ADD("opt/z.so", .soname = "libz.so.1");
	ADD("opt/10.so", .soname = "liba.so.10");
	ADD("opt/9.so", .soname = "liba.so.9");
	ADD("opt/b.so", .soname = "libb.so");
	ADD("opt/32.so", .soname = "lib32.so");
	ADD("opt/fast.so", .soname = "libfast.so");
	ADD("opt/driver.so", .needed = { "libb.so", "liba.so.9", "libz.so.1", "liba.so.10",
					 "libfast.so", "lib32.so", "liba.so.8" });
	CHECK("/opt/driver.so");
	ck_assert_str_eq(said, NOT_FOUND("lib32.so", "/opt/driver.so")
				       NOT_FOUND("liba.so.8", "/opt/driver.so"));
}
END_TEST

START_TEST(cache_comes_before_the_loaders_folders)
{
	const struct ldcache_entry entry = cached("x.so", "/opt/x.so", "", LDCACHE_X86_64);

	add_debian();
	add_cache(&entry, 1);
	made_root_file(&root, "opt/x.so", view_of("no library"));
	ADD("usr/lib/x.so", .soname = "x.so");
	ADD("opt/a.so", .needed = { "x.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "needed-missing error: /opt/x.so of the image cannot be loaded (not "
			       "an ELF file): it is needed by /opt/a.so\n");
}
END_TEST

START_TEST(plain_library_comes_before_one_for_better_processors)
{
	const struct ldcache_entry entries[] = {
		cached("x.so", "/opt/glibc-hwcaps/x86-64-v3/x.so", "x86-64-v3", LDCACHE_X86_64),
		cached("x.so", "/opt/x.so", "", LDCACHE_X86_64),
	};

	add_debian();
	add_cache(entries, 2);
	made_root_file(&root, "opt/x.so", view_of("no library"));
	ADD("opt/glibc-hwcaps/x86-64-v3/x.so", .soname = "x.so");
	ADD("opt/a.so", .needed = { "x.so" });
	CHECK("/opt/a.so");
	ck_assert_ptr_nonnull(strstr(said, "/opt/x.so of the image cannot be loaded"));
}
END_TEST

START_TEST(cache_that_is_out_of_date_leaves_it_to_the_folders)
{
	const struct ldcache_entry entries[] = {
		cached("gone.so", "/opt/gone.so", "", LDCACHE_X86_64),
		cached("other.so", "/opt/32.so", "", LDCACHE_X86_64),
	};

	add_debian();
	add_cache(entries, 2);
	ADD("opt/32.so", .is_32 = true);
	ADD("usr/lib/gone.so", .soname = "gone.so");
	ADD("usr/lib/other.so", .soname = "other.so");
	ADD("opt/a.so", .needed = { "gone.so", "other.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(library_of_another_word_size_is_passed_over)
{
	add_debian();
	ADD("usr/lib/x86_64-linux-gnu/x.so", .is_32 = true);
	ADD("usr/lib/x.so", .machine = EM_AARCH64);
	ADD("opt/x.so", .soname = "x.so");
	ADD("opt/a.so", .needed = { "x.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("x.so", "/opt/a.so"));
}
END_TEST

START_TEST(library_for_better_processors_alone_counts)
{
	add_debian();
	ADD("usr/lib/glibc-hwcaps/x86-64-v2/x.so", .soname = "x.so");
	ADD("opt/a.so", .needed = { "x.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(only_folders_that_the_images_loader_has_built_in_count)
{
	add_debian();
	ADD("usr/lib64/x.so", .soname = "x.so");
	ADD("opt/a.so", .needed = { "x.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("x.so", "/opt/a.so"));
}
END_TEST

START_TEST(loader_itself_is_there_in_whatever_folder_it_is)
{
	static const char folders[] = "/lib/\0/usr/lib/";

	add_loader("lib64/ld-linux-x86-64.so.2", folders, sizeof(folders));
	ADD("usr/lib/libc.so.6", .soname = "libc.so.6", .needed = { "ld-linux-x86-64.so.2" },
	    .versions_defined = { "GLIBC_2.2.5" });
	ADD("opt/a.so", .needed = { "libc.so.6" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(loader_of_another_distribution_has_others)
{
	static const char folders[] = "/lib64/\0/usr/lib64/";

	add_loader("usr/lib64/ld-linux-x86-64.so.2", folders, sizeof(folders));
	made_root_symlink(&root, "lib64", "usr/lib64");
	add("usr/lib64/libc.so.6", &glibc_2_34);
	ADD("usr/lib64/x.so", .soname = "x.so");
	ADD("usr/lib/x86_64-linux-gnu/y.so", .soname = "y.so");
	ADD("opt/a.so", .needed = { "libc.so.6", "x.so", "y.so", "z.so" }, .runpath = "/opt/$LIB");
	ADD("opt/lib64/z.so", .soname = "z.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("y.so", "/opt/a.so"));
}
END_TEST

START_TEST(image_whose_loader_does_not_say_has_those_of_all_distributions)
{
	add("lib/x86_64-linux-gnu/libc.so.6", &glibc_2_34);
	ADD("usr/lib64/x.so", .soname = "x.so");
	ADD("opt/a.so", .needed = { "libc.so.6", "x.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

/* An Alpine with a library that is linked to glibc. */
static void add_alpine(void)
{
	ADD("lib/ld-musl-x86_64.so.1", .soname = "libc.musl-x86_64.so.1");
	made_root_symlink(&root, "lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1");
}

#define ON_MUSL \
	"libc-mismatch error: the image's C library is musl (/lib/ld-musl-x86_64.so.1): glibc " \
	"is needed by "

START_TEST(musl_is_no_glibc)
{
	add_alpine();
	ADD("usr/lib/a.so", .needed = { "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2" },
	    .version_files = { "libc.so.6" }, .versions_needed = { "GLIBC_2.2.5" });
	CHECK("/usr/lib/a.so");
	ck_assert_str_eq(said, ON_MUSL "/usr/lib/a.so\n");
}
END_TEST

START_TEST(musl_under_glibcs_name_is_no_glibc)
{
	add_alpine();
	made_root_symlink(&root, "lib/libc.so.6", "libc.musl-x86_64.so.1");
	ADD("usr/lib/a.so", .needed = { "libc.so.6" });
	CHECK("/usr/lib/a.so");
	ck_assert_str_eq(said, ON_MUSL "/usr/lib/a.so\n");
}
END_TEST

START_TEST(musl_looks_into_its_three_folders)
{
	add_alpine();
	ADD("usr/local/lib/b.so", .soname = "b.so");
	ADD("usr/lib64/c.so", .soname = "c.so");
	ADD("opt/a.so", .needed = { "libc.musl-x86_64.so.1", "libpthread.so.0", "b.so", "c.so" },
	    .version_files = { "b.so" }, .versions_needed = { "B_1" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said,
			 "libc-mismatch error: the image's C library is musl "
			 "(/lib/ld-musl-x86_64.so.1): glibc is needed by /opt/a.so\n" NOT_FOUND(
				 "c.so", "/opt/a.so"));
}
END_TEST

START_TEST(musls_path_file_replaces_them)
{
	add_alpine();
	made_root_file(&root, "etc/ld-musl-x86_64.path", view_of("/lib\n/opt/x:/opt/y\n\n"));
	ADD("usr/lib/b.so", .soname = "b.so");
	ADD("opt/x/c.so", .soname = "c.so");
	ADD("opt/y/d.so", .soname = "d.so");
	ADD("opt/a.so", .needed = { "b.so", "c.so", "d.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, NOT_FOUND("b.so", "/opt/a.so"));
}
END_TEST

START_TEST(musl_hands_runpaths_down)
{
	add_alpine();
	ADD("opt/a.so", .needed = { "b.so" }, .runpath = "$ORIGIN");
	ADD("opt/b.so", .needed = { "c.so" }, .runpath = "/nowhere");
	ADD("opt/c.so", .soname = "c.so");
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(musl_stops_at_a_library_of_another_machine)
{
	add_alpine();
	ADD("lib/b.so", .is_32 = true);
	ADD("usr/lib/b.so", .soname = "b.so");
	ADD("opt/a.so", .needed = { "b.so" });
	CHECK("/opt/a.so");
	ck_assert_str_eq(said, "needed-missing error: /lib/b.so of the image cannot be loaded (of "
			       "another machine): it is needed by /opt/a.so\n");
}
END_TEST

START_TEST(words_are_replaced_in_their_three_forms)
{
	const struct loader_words words = { view_of("/o"), view_of("lib64"), view_of("p") };
	char out[PATH_MAX];

	ck_assert(loader_expand(out, view_of("$ORIGIN/${LIB}/$PLATFORM"), &words));
	ck_assert_str_eq(out, "/o/lib64/p");
	ck_assert(loader_expand(out, view_of("a$/$X/${ORIGIN/$"), &words));
	ck_assert_str_eq(out, "a$/$X/${ORIGIN/$");
	ck_assert(loader_expand(out, (struct view){ 0 }, &words));
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(path_over_the_kernels_limit_is_refused)
{
	static char origin[PATH_MAX];
	char out[PATH_MAX];

	memset(origin, 'a', sizeof(origin));
	const struct loader_words words = { .origin = { origin, PATH_MAX - 2 } };

	ck_assert(loader_expand(out, view_of("/$ORIGIN"), &words));
	ck_assert_uint_eq(strlen(out), PATH_MAX - 1);
	ck_assert(!loader_expand(out, view_of("//$ORIGIN"), &words));
}
END_TEST

static void assert_built_in(const char *bytes, size_t len, const char *wanted)
{
	CLEANUP(bytes_freep) struct bytes got = bytes_capped(1 << 20);
	CLEANUP(arena_freep) struct arena arena = { 0 };
	const char **folders = NULL;
	struct err err = { 0 };
	size_t count = 0;

	ck_assert(
		loader_built_in_read((struct view){ bytes, len }, &arena, &folders, &count, &err));
	for (size_t i = 0; i < count; i++)
		ck_assert(bytes_print(&got, &err, "%s ", folders[i]));
	ck_assert_str_eq(got.data ? got.data : "", wanted);
}

#define BUILT_IN(bytes, wanted) assert_built_in(bytes, sizeof(bytes) - 1, wanted)

START_TEST(longest_run_of_folders_is_the_built_in_one)
{
	BUILT_IN("", "");
	BUILT_IN("\177ELF\0/etc/ld.so.cache\0/etc/", "");
	BUILT_IN("x\0/lib64/\0/usr/lib64/\0/etc/ld.so.preload\0/usr/lib/debug/\0",
		 "/lib64 /usr/lib64 ");
	BUILT_IN("\x03\x04/usr/lib/", "/usr/lib ");
	BUILT_IN("/lib/a/\0\0/lib/b/\0/lib/c/", "/lib/b /lib/c ");
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, runpath_finds_what_lies_beside);
	tcase_add_test(tests, runpath_is_not_handed_down);
	tcase_add_test(tests, rpath_is_handed_down);
	tcase_add_test(tests, rpath_does_not_count_for_one_with_a_runpath);
	tcase_add_test(tests, runpath_beside_an_rpath_makes_it_void);
	tcase_add_test(tests, origin_is_where_the_link_is_that_was_opened);
	tcase_add_test(tests, what_is_loaded_already_is_not_looked_for);
	tcase_add_test(tests, name_with_a_slash_is_a_path);
	tcase_add_test(tests, lib_and_platform_are_those_of_the_image);
	tcase_add_test(tests, cache_finds_what_is_in_no_folder_of_the_loader);
	tcase_add_test(tests, cache_comes_before_the_loaders_folders);
	tcase_add_test(tests, plain_library_comes_before_one_for_better_processors);
	tcase_add_test(tests, cache_that_is_out_of_date_leaves_it_to_the_folders);
	tcase_add_test(tests, library_of_another_word_size_is_passed_over);
	tcase_add_test(tests, library_for_better_processors_alone_counts);
	tcase_add_test(tests, only_folders_that_the_images_loader_has_built_in_count);
	tcase_add_test(tests, loader_itself_is_there_in_whatever_folder_it_is);
	tcase_add_test(tests, loader_of_another_distribution_has_others);
	tcase_add_test(tests, image_whose_loader_does_not_say_has_those_of_all_distributions);
	tcase_add_test(tests, musl_is_no_glibc);
	tcase_add_test(tests, musl_under_glibcs_name_is_no_glibc);
	tcase_add_test(tests, musl_looks_into_its_three_folders);
	tcase_add_test(tests, musls_path_file_replaces_them);
	tcase_add_test(tests, musl_hands_runpaths_down);
	tcase_add_test(tests, musl_stops_at_a_library_of_another_machine);
	tcase_add_test(tests, words_are_replaced_in_their_three_forms);
	tcase_add_test(tests, path_over_the_kernels_limit_is_refused);
	tcase_add_test(tests, longest_run_of_folders_is_the_built_in_one);
}

int main(void)
{
	Suite *suite = suite_create("loader");
	TCase *tests = tcase_create("loader");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	add_tests(tests);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
