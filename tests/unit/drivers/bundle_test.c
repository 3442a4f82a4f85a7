#include "drivers/bundle/bundle.h"

#include <check.h>
#include <string.h>

#include "drivers/bundle/capability.h"
#include "tests/kit/drivers/made_bundle.h"

static struct bundle parsed;
static struct bytes text, again;
static struct err err;

static void start(void)
{
	text = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
	again = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
}

static void end(void)
{
	bundle_freep(&parsed);
	bytes_freep(&text);
	bytes_freep(&again);
}

static void print_made(void)
{
	struct bundle bundle = made_bundle();
	static const struct bundle_gpu gpus[] = {
		{ .device = 0x0ffd, .name = "NVS 510", .legacy_branch = "470.xx" },
		{ .device = 0x2330, .name = "H100", .is_open_capable = true },
	};

	bundle.gpus = gpus;
	bundle.gpu_count = 2;
	bundle.licence_path = "licenses/LICENSE";
	bundle.index_digest = digest_of("x", 1);
	ck_assert(bundle_print(&text, &bundle, &err));
}

START_TEST(what_is_printed_is_what_is_parsed)
{
	print_made();
	ck_assert_msg(bundle_parse(&parsed, bytes_view(&text), &err), "%s", err.msg);
	ck_assert(bundle_print(&again, &parsed, &err));
	ck_assert_str_eq(text.data, again.data);
	const struct bundle_file *cuda = &parsed.files[0];

	ck_assert_str_eq(cuda->dest, "@libdir@/libcuda.so.535.309.01");
	ck_assert_int_eq(cuda->kind, BUNDLE_LIB);
	ck_assert_uint_eq(cuda->capabilities, CAPABILITY_COMPUTE | CAPABILITY_VIDEO);
	ck_assert_str_eq(cuda->links.items[1], "libcuda.so.1");
	ck_assert_str_eq(cuda->needed.items[1], "libm.so.6");
	ck_assert_uint_eq(cuda->mode, 0644);
	ck_assert_uint_eq(cuda->size_bytes, 12);
	ck_assert_str_eq(parsed.kernels[0].modules[1].needs.items[0], "nvidia");
	ck_assert(parsed.kernels[0].modules[1].is_vendor);
	ck_assert_str_eq(parsed.licence_path, "licenses/LICENSE");
}
END_TEST

START_TEST(kernels_and_gpus_are_found)
{
	print_made();
	ck_assert(bundle_parse(&parsed, bytes_view(&text), &err));
	ck_assert_ptr_eq(bundle_find_kernel(&parsed, "6.1.0-made"), &parsed.kernels[0]);
	ck_assert_ptr_null(bundle_find_kernel(&parsed, "6.1.0"));
	ck_assert_str_eq(bundle_find_gpu(&parsed, 0x0ffd)->legacy_branch, "470.xx");
	ck_assert(bundle_find_gpu(&parsed, 0x2330)->is_open_capable);
	ck_assert_ptr_null(bundle_find_gpu(&parsed, 0x2331));
	ck_assert_ptr_null(bundle_find_gpu(&parsed, 0));
}
END_TEST

START_TEST(its_name_says_what_it_is)
{
	struct bundle bundle = made_bundle();
	struct digest digest = { { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd } };
	char name[BUNDLE_NAME_BYTES];

	bundle_name(&bundle, &digest, name);
	ck_assert_str_eq(name, "535.309.01-proprietary-amd64-0123456789ab");
}
END_TEST

/* The text of a good manifest with one part replaced. */
static const struct {
	const char *part, *with, *sentence;
	enum err_kind kind;
} bad[] = {
	{ "\"schemaVersion\": 1", "\"schemaVersion\": 2", "schemaVersion 2", ERR_UNSUPPORTED },
	{ "\"vendor\": \"nvidia\"", "\"vendor\": \"amd\"", "amd", ERR_UNSUPPORTED },
	{ "\"version\": \"535.309.01\"", "\"version\": \"../x\"", "no version", ERR_FORMAT },
	{ "\"branch\": \"535\"", "\"branch\": \"550\"", "branch", ERR_FORMAT },
	{ "\"proprietary\"", "\"free\"", "flavor", ERR_FORMAT },
	{ "\"amd64\"", "\"mips\"", "mips", ERR_UNSUPPORTED },
	{ "\"cudaVersion\": \"12.2\"", "\"cudaVersion\": \"new\"", "cudaVersion", ERR_FORMAT },
	{ "\"type\": \"dir\"", "\"type\": \"rpm\"", "rpm", ERR_FORMAT },
	{ "\"licenses/LICENSE\"", "\"/etc/passwd\"", "clean", ERR_FORMAT },
	{ "\"release\": \"6.1.0-made\"", "\"release\": \"..\"", "release", ERR_FORMAT },
	{ "\"release\": \"6.1.0-made\"", "\"release\": \"a/b\"", "release", ERR_FORMAT },
	{ "\"name\": \"nvidia_uvm\"", "\"name\": \"nvidia-uvm\"", "module's", ERR_FORMAT },
	{ "\"name\": \"nvidia_uvm\"", "\"name\": \"nvidia\"", "twice", ERR_FORMAT },
	{ "\"name\": \"nvidia\"", "\"name\": \"other\"", "not before it", ERR_FORMAT },
	{ "modules/6.1.0-made/nvidia.ko", "modules/../nvidia.ko", "clean", ERR_FORMAT },
	{ "nvidia/535.309.01/gsp_ga10x.bin", "/dev/null", "clean", ERR_FORMAT },
	{ "\"compute\"", "\"dance\"", "dance", ERR_FORMAT },
	{ "\"compute\"", "\"all\"", "unknown item all", ERR_FORMAT },
	{ "@libdir@/libcuda.so.535", "@libdir@/../x", "dest", ERR_FORMAT },
	{ "@libdir@/libcuda.so.535", "@home@/x", "dest", ERR_FORMAT },
	{ "@bindir@/nvidia-smi", "nvidia-smi", "dest", ERR_FORMAT },
	{ "@bindir@/nvidia-smi", "/", "dest", ERR_FORMAT },
	{ "\"kind\": \"lib\"", "\"kind\": \"toy\"", "toy", ERR_FORMAT },
	{ "\"libcuda.so\"", "\"../libcuda.so\"", "links", ERR_FORMAT },
	{ "\"libcuda.so\"", "\"a/b/c\"", "links", ERR_FORMAT },
	{ "\"libcuda.so\"", "\"/libcuda.so\"", "links", ERR_FORMAT },
	{ "\"mode\": \"0644\"", "\"mode\": \"0999\"", "mode", ERR_FORMAT },
	{ "\"mode\": \"0644\"", "\"mode\": 420", "mode", ERR_FORMAT },
	{ "\"size\": 12", "\"size\": -1", "size", ERR_FORMAT },
	{ "lib/libcuda.so.535", "sbin/nvidia-smix", "sorted", ERR_FORMAT },
	{ "\"device\": \"0x2330\"", "\"device\": \"2330\"", "device", ERR_FORMAT },
	{ "\"device\": \"0x2330\"", "\"device\": \"0x12330\"", "device", ERR_FORMAT },
	{ "\"device\": \"0x2330\"", "\"device\": \"0x0ffd\"", "sorted", ERR_FORMAT },
	{ "\"index\": \"sha256:2", "\"index\": \"sha256:X", "index", ERR_FORMAT },
	{ "\"files\"", "\"fils\"", "files", ERR_FORMAT },
	{ "\"kernels\"", "\"kernel\"", "kernels", ERR_FORMAT },
};

START_TEST(what_is_off_is_named)
{
	print_made();
	const char *at = strstr(text.data, bad[_i].part);

	ck_assert_ptr_nonnull(at);
	ck_assert(bytes_append(&again, text.data, (size_t)(at - text.data), &err));
	ck_assert(bytes_append(&again, bad[_i].with, strlen(bad[_i].with), &err));
	at += strlen(bad[_i].part);
	ck_assert(bytes_append(&again, at, strlen(at), &err));
	ck_assert(!bundle_parse(&parsed, bytes_view(&again), &err));
	ck_assert_msg(err.kind == bad[_i].kind, "%s", err.msg);
	ck_assert_msg(strstr(err.msg, bad[_i].sentence), "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drivers/bundle");
	TCase *tests = tcase_create("bundle");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, what_is_printed_is_what_is_parsed);
	tcase_add_test(tests, kernels_and_gpus_are_found);
	tcase_add_test(tests, its_name_says_what_it_is);
	tcase_add_loop_test(tests, what_is_off_is_named, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
