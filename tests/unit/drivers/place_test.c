#include "drivers/place/place.h"

#include <elf.h>
#include <string.h>

#include "drivers/bundle/capability.h"
#include "drivers/image/ldcache.h"
#include "layers/content.h"
#include "layers/tree_walk.h"
#include "tests/kit/drivers/made_bundle.h"
#include "tests/kit/drivers/made_root.h"
#include "tests/unit/folder.h"

#define LIBDIR "usr/lib/x86_64-linux-gnu"

static struct made_root root;
static struct stored_bundle stored;
static struct placement placement;
static struct place_request request;
static int data_fds[3];
static struct err err;

static void start(void)
{
	struct bundle bundle = made_bundle();
	char name[BUNDLE_NAME_BYTES];

	make_folder();
	made_bundle_keep(dir_fd, &bundle, made_files, made_file_count, name);
	stored = STORED_BUNDLE_NONE;
	ck_assert_msg(stored_bundle_open(&stored, dir_fd, name, &err), "%s", err.msg);
	placement = PLACEMENT_NONE;
	request = (struct place_request){ .stored = &stored,
					  .kernel = &stored.bundle.kernels[0],
					  .capabilities = CAPABILITY_COMPUTE | CAPABILITY_UTILITY,
					  .machine = EM_X86_64,
					  .policy = GPU_OPTIONAL,
					  .first_layer = 1,
					  .time_seconds = 1000 };
	made_root_begin(&root);
}

static void end(void)
{
	placement_freep(&placement);
	made_root_freep(&root);
	stored_bundle_closep(&stored);
	remove_folder();
}

/* A usr-merged Debian: shell, loader with its folders, C library. */
static void add_debian(void)
{
	static const char loader[] = "\177ELF\0/lib/x86_64-linux-gnu/\0"
				     "/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0";
	static const struct made_library shell = { .interpreter = "/lib64/ld-linux-x86-64.so.2",
						   .needed = { "libc.so.6" } };
	static const struct made_library libc = { .soname = "libc.so.6",
						  .versions_defined = { "GLIBC_2.36" } };

	made_root_symlink(&root, "bin", "usr/bin");
	made_root_symlink(&root, "lib", "usr/lib");
	made_root_symlink(&root, "lib64", "usr/lib64");
	made_root_library(&root, "usr/bin/sh", &shell);
	made_root_library(&root, LIBDIR "/libc.so.6", &libc);
	made_root_file(&root, LIBDIR "/ld-linux-x86-64.so.2",
		       (struct view){ loader, sizeof(loader) });
	made_root_symlink(&root, "usr/lib64/ld-linux-x86-64.so.2",
			  "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
}

static bool place(void)
{
	made_root_finish(&root);
	data_fds[0] = root.data_fd;
	return place_driver(&placement, root.tree, data_fds, &request, &err);
}

static void must_place(void)
{
	ck_assert_msg(place(), "%s", err.msg);
	ck_assert_uint_eq(finding_count(&placement.findings, SEVERITY_ERROR), 0);
}

static const struct tree_inode *inode_at(const char *path, bool follow)
{
	uint32_t inode = TREE_NONE;

	ck_assert(tree_walk(root.tree, view_of(path), follow, &inode, &err));
	return inode == TREE_NONE ? NULL : tree_inode(root.tree, inode);
}

static void assert_link(const char *path, const char *target)
{
	const struct tree_inode *node = inode_at(path, false);

	ck_assert_msg(node && node->entry && node->entry->kind == ENTRY_SYMLINK, "%s", path);
	ck_assert(view_equal(index_link(node->index, node->entry), target));
}

static void assert_content(const char *path, const char *content)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(1 << 20);

	ck_assert_msg(content_slurp(root.tree, data_fds, path, &bytes, &err), "%s", err.msg);
	ck_assert(view_equal(bytes_view(&bytes), content));
}

START_TEST(files_links_and_modules_are_where_they_are_looked_for)
{
	add_debian();
	must_place();
	assert_content("/lib/x86_64-linux-gnu/libcuda.so.1", "made libcuda");
	assert_link("/" LIBDIR "/libcuda.so.1", "libcuda.so.535.309.01");
	assert_link("/" LIBDIR "/libcuda.so", "libcuda.so.535.309.01");
	assert_content("/usr/bin/nvidia-smi", "made smi");
	ck_assert_uint_eq(inode_at("/usr/bin/nvidia-smi", true)->entry->mode, 0755);
	assert_content("/lib/modules/6.1.0-made/vmbake/nvidia.ko", "made module nvidia");
	ck_assert_int_eq(inode_at("/usr/lib/modules", true)->entry->mtime_seconds, 1000);
	assert_link("/lib", "usr/lib");
	ck_assert_str_eq(placement.libdir, "/" LIBDIR);
}
END_TEST

START_TEST(record_and_boot_say_what_was_placed)
{
	add_debian();
	must_place();
	ck_assert_uint_eq(placement.manifest.file_count, 2);
	ck_assert_str_eq(placement.manifest.files[0].dest, "/" LIBDIR "/libcuda.so.535.309.01");
	ck_assert_uint_eq(placement.manifest.kernel_count, 1);
	ck_assert_uint_eq(placement.gpu.modules.count, 2);
	ck_assert_str_eq(placement.gpu.modules.modules[0].path,
			 "/usr/lib/modules/6.1.0-made/vmbake/nvidia.ko");
	ck_assert_str_eq(placement.gpu.modules.modules[0].params, "NVreg_EnableGpuFirmware=1");
	ck_assert_str_eq(placement.gpu.version, "535.309.01");
}
END_TEST

START_TEST(only_what_is_asked_for_is_placed)
{
	add_debian();
	request.capabilities = CAPABILITY_UTILITY;
	must_place();
	ck_assert_ptr_null(inode_at("/" LIBDIR "/libcuda.so.535.309.01", false));
	ck_assert_ptr_nonnull(inode_at("/usr/bin/nvidia-smi", true));
	ck_assert_uint_eq(placement.manifest.file_count, 1);
}
END_TEST

START_TEST(no_gpu_means_no_modules)
{
	add_debian();
	request.policy = GPU_NONE;
	must_place();
	ck_assert_uint_eq(placement.gpu.modules.count, 0);
	ck_assert_ptr_null(inode_at("/lib/modules", true));
}
END_TEST

START_TEST(leftovers_are_removed)
{
	add_debian();
	made_root_file(&root, LIBDIR "/libcuda.so.535.261.03", view_of("another"));
	made_root_file(&root, LIBDIR "/libnvidia-ml.so.1", view_of(""));
	made_root_symlink(&root, LIBDIR "/libnvidia-ptxjitcompiler.so.1", "gone");
	made_root_file(&root, "usr/bin/nvidia-debugdump", view_of("of another driver"));
	made_root_file(&root, LIBDIR "/libnvidia-container.so.1", view_of("no driver's"));
	must_place();
	ck_assert_ptr_null(inode_at("/" LIBDIR "/libcuda.so.535.261.03", false));
	ck_assert_ptr_null(inode_at("/" LIBDIR "/libnvidia-ml.so.1", false));
	ck_assert_ptr_null(inode_at("/" LIBDIR "/libnvidia-ptxjitcompiler.so.1", false));
	ck_assert_ptr_null(inode_at("/usr/bin/nvidia-debugdump", false));
	ck_assert_ptr_nonnull(inode_at("/" LIBDIR "/libnvidia-container.so.1", false));
}
END_TEST

START_TEST(kept_leftovers_are_findings)
{
	add_debian();
	request.keep_leftovers = true;
	made_root_file(&root, LIBDIR "/libcuda.so.535.261.03", view_of("another"));
	made_root_file(&root, LIBDIR "/libnvidia-ml.so.1", view_of(""));
	must_place();
	ck_assert_ptr_nonnull(inode_at("/" LIBDIR "/libcuda.so.535.261.03", false));
	ck_assert_uint_eq(placement.findings.count, 2);
	ck_assert_int_eq(placement.findings.items[0].rule, RULE_LEFTOVER_FOREIGN);
	ck_assert_int_eq(placement.findings.items[1].rule, RULE_LEFTOVER_ZERO_BYTE);
}
END_TEST

START_TEST(earlier_file_of_the_same_name_is_replaced)
{
	add_debian();
	made_root_file(&root, LIBDIR "/libcuda.so.1", view_of("of an unknown driver"));
	made_root_file(&root, "usr/bin/nvidia-smi", view_of("for 535.309.01 already"));
	must_place();
	assert_content("/" LIBDIR "/libcuda.so.1", "made libcuda");
	assert_content("/usr/bin/nvidia-smi", "made smi");
}
END_TEST

START_TEST(folder_in_the_way_is_an_error_that_names_it)
{
	add_debian();
	made_root_file(&root, "usr/bin/nvidia-smi/x", view_of("x"));
	ck_assert(!place());
	ck_assert_int_eq(err.kind, ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "/usr/bin/nvidia-smi"));
}
END_TEST

START_TEST(cache_has_the_images_libraries)
{
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(1 << 20);
	static const struct made_library library = { .soname = "libx.so.1" };

	add_debian();
	made_root_library(&root, LIBDIR "/libx.so.1.2", &library);
	made_root_symlink(&root, LIBDIR "/libx.so.1", "libx.so.1.2");
	must_place();
	ck_assert(content_slurp(root.tree, data_fds, "/etc/ld.so.cache", &bytes, &err));
	ck_assert(ldcache_read(&cache, bytes_view(&bytes), &err));
	ck_assert_uint_eq(cache.count, 2);
	ck_assert(view_equal(cache.entries[0].path, "/lib/x86_64-linux-gnu/libx.so.1"));
	ck_assert(view_equal(cache.entries[1].name, "libc.so.6"));
}
END_TEST

START_TEST(links_that_the_environment_expects_are_made)
{
	static const char *const env[] = {
		"LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64"
	};

	add_debian();
	request.env = env;
	request.env_count = 1;
	must_place();
	assert_link("/usr/local/nvidia/lib64", "/" LIBDIR);
	assert_link("/usr/local/nvidia/lib", "/" LIBDIR);
}
END_TEST

START_TEST(stub_in_the_library_path_is_a_warning)
{
	static const char *const env[] = { "LD_LIBRARY_PATH=/usr/local/cuda/lib64/stubs" };

	add_debian();
	made_root_file(&root, "usr/local/cuda-12/lib64/stubs/libcuda.so", view_of("stub"));
	made_root_symlink(&root, "usr/local/cuda", "cuda-12");
	request.env = env;
	request.env_count = 1;
	must_place();
	ck_assert_uint_eq(placement.findings.count, 1);
	ck_assert_int_eq(placement.findings.items[0].rule, RULE_STUB_IN_PATH);
	ck_assert_ptr_nonnull(inode_at("/usr/local/cuda-12/lib64/stubs/libcuda.so", false));
}
END_TEST

/* CUDA's compat package, brought in by two conf files; the driver is new enough by itself. */
static void add_compat(const char *library)
{
	static const char nvidia[] = "# CUDA\n  /usr/local/cuda/compat  # new\n/opt/cuda\n";

	made_root_file(&root, "etc/ld.so.conf", view_of("include /etc/ld.so.conf.d/*.conf\n"));
	made_root_file(&root, "etc/ld.so.conf.d/cuda.conf", view_of(nvidia));
	made_root_file(&root, "etc/ld.so.conf.d/old.conf", view_of("/usr/local/cuda-12/compat/"));
	made_root_file(&root, "etc/ld.so.conf.d/other.conf", view_of("/opt/other\n"));
	made_root_file(&root, library, view_of("compat"));
	made_root_symlink(&root, "usr/local/cuda", "cuda-12");
}

START_TEST(compat_package_that_is_passed_over_leaves_the_loaders_settings)
{
	add_debian();
	add_compat("usr/local/cuda-12/compat/libcuda.so.520.1.1");
	must_place();
	assert_content("/etc/ld.so.conf.d/cuda.conf",
		       "# CUDA\n#   /usr/local/cuda/compat  # new\n/opt/cuda\n");
	assert_content("/etc/ld.so.conf.d/old.conf", "# /usr/local/cuda-12/compat/\n");
	ck_assert_uint_eq(inode_at("/etc/ld.so.conf", true)->layer, 0);
	ck_assert_uint_eq(inode_at("/etc/ld.so.conf.d/other.conf", true)->layer, 0);
}
END_TEST

START_TEST(compat_package_that_is_needed_stays_in_the_loaders_settings)
{
	add_debian();
	add_compat("usr/local/cuda-12/compat/libcuda.so.580.65.06");
	request.gpu_class = GPU_CLASS_DATACENTER;
	must_place();
	ck_assert_uint_eq(inode_at("/etc/ld.so.conf.d/cuda.conf", true)->layer, 0);
	assert_content("/etc/ld.so.conf.d/00-vmbake-nvidia.conf", "/usr/local/cuda/compat\n");
}
END_TEST

static void add_alpine(void)
{
	static const struct made_library shell = { .interpreter = "/lib/ld-musl-x86_64.so.1" };

	made_root_library(&root, "bin/sh", &shell);
	made_root_library(&root, "lib/ld-musl-x86_64.so.1", &shell);
}

START_TEST(musl_is_refused_and_nothing_is_placed)
{
	add_alpine();
	ck_assert_msg(place(), "%s", err.msg);
	ck_assert_uint_eq(finding_count(&placement.findings, SEVERITY_ERROR), 1);
	ck_assert_int_eq(placement.findings.items[0].rule, RULE_LIBC_MISMATCH);
	ck_assert_ptr_null(inode_at("/usr/bin/nvidia-smi", true));
	ck_assert_uint_eq(placement.layers[0].index.entry_count, 0);
}
END_TEST

START_TEST(musl_when_allowed_gets_its_path_file)
{
	add_alpine();
	request.allow_musl = true;
	must_place();
	assert_content("/etc/ld-musl-x86_64.path", "/lib\n/usr/local/lib\n/usr/lib\n/usr/lib64\n");
	assert_content("/usr/lib64/libcuda.so.1", "made libcuda");
	ck_assert_ptr_null(inode_at("/etc/ld.so.cache", true));
}
END_TEST

START_TEST(image_without_a_loader_is_refused)
{
	made_root_file(&root, "app", view_of("static"));
	ck_assert_msg(place(), "%s", err.msg);
	ck_assert_int_eq(placement.findings.items[0].rule, RULE_LIBC_MISMATCH);
	ck_assert_int_eq(placement.findings.items[0].severity, SEVERITY_ERROR);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("place");
	TCase *tests = tcase_create("place");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, files_links_and_modules_are_where_they_are_looked_for);
	tcase_add_test(tests, record_and_boot_say_what_was_placed);
	tcase_add_test(tests, only_what_is_asked_for_is_placed);
	tcase_add_test(tests, no_gpu_means_no_modules);
	tcase_add_test(tests, leftovers_are_removed);
	tcase_add_test(tests, kept_leftovers_are_findings);
	tcase_add_test(tests, earlier_file_of_the_same_name_is_replaced);
	tcase_add_test(tests, folder_in_the_way_is_an_error_that_names_it);
	tcase_add_test(tests, cache_has_the_images_libraries);
	tcase_add_test(tests, links_that_the_environment_expects_are_made);
	tcase_add_test(tests, stub_in_the_library_path_is_a_warning);
	tcase_add_test(tests, compat_package_that_is_passed_over_leaves_the_loaders_settings);
	tcase_add_test(tests, compat_package_that_is_needed_stays_in_the_loaders_settings);
	tcase_add_test(tests, musl_is_refused_and_nothing_is_placed);
	tcase_add_test(tests, musl_when_allowed_gets_its_path_file);
	tcase_add_test(tests, image_without_a_loader_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
