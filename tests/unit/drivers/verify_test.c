#include "drivers/verify/verify.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/kit/drivers/made_ko.h"
#include "tests/kit/drivers/made_note.h"
#include "tests/kit/drivers/made_root.h"

enum { GOOD_CRC = 0x11223344, FILE_COUNT = 6 };

#define VERSION "535.309.01"
#define RELEASE "6.1.0-made"
#define VERMAGIC RELEASE " SMP mod_unload modversions "
#define COMPAT_NOTE "{\"CUDA Version\":\"13.0\",\"Driver\":[535,550,570]}"
#define LIBDIR "/usr/lib/x86_64-linux-gnu"

/* What is off in an image; all else is as it should be. */
struct variant {
	const char *module_version, *vermagic, *depends, *firmware_asked, *symbol, *licence;
	const char *config, *release, *env, *env_too, *library_name, *firmware_folder, *compressed;
	const char *fabric_content, *glibc, *needed, *cuda, *firmware_version, *compat_note;
	uint32_t crc;
	uint16_t gpu;
	enum gpu_class gpu_class;
	bool has_open_modules, is_unsigned, has_no_kernel, is_changed, is_shorter, is_gone;
	const char *leftover, *leftover_body;
	bool has_no_firmware, has_no_licence, is_out_of_order, has_no_libc, has_gpu_list;
};

/* An image that holds a driver, in memory. */
static struct made_root root;
static struct kernel kernel;
static struct export export;
static struct finding_list findings;
static struct bytes found;
static struct bundle driver;
static struct boot_config boot;
static struct bundle_file files[FILE_COUNT];
static struct bundle_kernel bundle_kernel;
static struct bundle_module modules[2];
static struct boot_module boot_modules[2];
static struct bundle_gpu gpus[2];
static const char *env[3];
static char library_path[100], firmware_path[100];
static char bodies[FILE_COUNT + 2][MADE_LIBRARY_BYTES];
static struct err err;

static const char *or(const char *given, const char *usual)
{
	return given ? given : usual;
}

static struct digest digest_of_view(struct view body)
{
	return digest_of(body.ptr, body.len);
}

/* A file in the image and in the record. */
static void add_file(size_t at, const char *dest, enum bundle_file_kind kind, struct view body)
{
	files[at] = (struct bundle_file){ .path = dest + 1,
					  .dest = dest,
					  .kind = kind,
					  .capabilities = 1,
					  .mode = 0644,
					  .size_bytes = body.len,
					  .digest = digest_of_view(body) };
	made_root_file(&root, dest + 1, body);
}

static struct view make_library(size_t at, const struct made_library *library)
{
	return (struct view){ bodies[at], made_library(bodies[at], library, NULL) };
}

/* As Debian has it: in two places, with the folders that it looks into by itself. */
static void add_loader(const struct made_library *loader)
{
	static const char folders[] = "\0/lib/x86_64-linux-gnu/\0" LIBDIR "/\0/lib/\0/usr/lib/";
	static char body[MADE_LIBRARY_BYTES + sizeof(folders)];
	size_t len = made_library(body, loader, NULL);

	memcpy(body + len, folders, sizeof(folders));
	made_root_file(&root, "lib64/ld-linux-x86-64.so.2", (struct view){ body, sizeof(body) });
	made_root_file(&root, LIBDIR "/ld-linux-x86-64.so.2" + 1,
		       (struct view){ body, sizeof(body) });
}

static void add_libraries(const struct variant *variant)
{
	struct made_library loader = { .soname = "ld-linux-x86-64.so.2",
				       .versions_defined = { "GLIBC_2.2.5" } };
	struct made_library libc = { .soname = "libc.so.6",
				     .needed = { "ld-linux-x86-64.so.2" },
				     .versions_defined = { "GLIBC_2.2.5", "GLIBC_2.34" } };
	struct made_library shell = { .interpreter = "/lib64/ld-linux-x86-64.so.2",
				      .needed = { "libc.so.6" } };
	struct made_library library = { .soname = "libcuda.so.1",
					.needed = { "libc.so.6", variant->needed },
					.version_files = { "libc.so.6" },
					.versions_needed = { or(variant->glibc, "GLIBC_2.34") } };

	if (!variant->has_no_libc) {
		add_loader(&loader);
		made_root_library(&root, LIBDIR "/libc.so.6" + 1, &libc);
		made_root_library(&root, "bin/sh", &shell);
	}
	snprintf(library_path, sizeof(library_path), LIBDIR "/%s",
		 or(variant->library_name, "libcuda.so." VERSION));
	add_file(0, library_path, BUNDLE_LIB, make_library(0, &library));
	files[0].digest.sha256[0] ^= variant->is_changed;
	files[0].size_bytes += variant->is_shorter;
	files[0].dest = variant->is_gone ? LIBDIR "/libgone.so" : library_path;
	library.soname = "libnvidia-ml.so.1";
	library.needed[1] = NULL;
	library.versions_needed[0] = "GLIBC_2.2.5";
	add_file(1, LIBDIR "/libnvidia-ml.so." VERSION, BUNDLE_LIB, make_library(1, &library));
}

/* As NVIDIA's: an ELF file that has its version, with a NUL behind it, in a section. */
static struct view make_firmware(const char *version)
{
	static char body[MADE_SECTION_BYTES];
	struct view text = { version, strlen(version) + 1 };
	size_t len = made_elf_section(body, ET_DYN, ".fwversion", SHT_PROGBITS, text);

	return (struct view){ body, len };
}

/* CUDA's compat package of the image: newer than the driver. */
static void add_compat(const struct variant *variant)
{
	static char body[MADE_NOTE_BYTES];
	struct view note = view_of(or(variant->compat_note, ""));
	size_t len = made_note(body, "NVIDIA Corporation", note);

	if (variant->compat_note)
		made_root_file(&root, "usr/local/cuda/compat/libcuda.so.580.65.06",
			       (struct view){ body, len });
}

static void add_other_files(const struct variant *variant)
{
	const char *fabric = or(variant->fabric_content, "#!/bin/sh\n# version " VERSION "\n");

	add_file(2, "/usr/bin/nv-fabricmanager", BUNDLE_BIN, view_of(fabric));
	snprintf(firmware_path, sizeof(firmware_path), "/lib/firmware/nvidia/%s/gsp_ga10x.bin",
		 or(variant->firmware_folder, VERSION));
	add_file(3, variant->has_no_firmware ? "/lib/firmware/nvidia/" VERSION "/other" :
					       firmware_path,
		 BUNDLE_FIRMWARE, make_firmware(or(variant->firmware_version, VERSION)));
	add_file(4, "/usr/share/doc/nvidia/LICENSE",
		 variant->has_no_licence ? BUNDLE_CONFIG : BUNDLE_LICENCE, view_of("licence"));
	driver.files = files;
	driver.file_count = 5;
}

static void add_module(size_t at, const char *name, const char *path, struct view body)
{
	modules[at] = (struct bundle_module){ .name = name,
					      .path = path + 1,
					      .version = VERSION,
					      .licence = "MIT",
					      .params = "",
					      .capabilities = 1,
					      .is_vendor = true,
					      .size_bytes = body.len,
					      .digest = digest_of_view(body) };
	boot_modules[at] = (struct boot_module){ .name = name, .path = path, .params = "" };
	made_root_file(&root, path + 1, body);
}

static void add_modules(const struct variant *variant)
{
	struct made_ko ko = { .name = "nvidia",
			      .version = or(variant->module_version, VERSION),
			      .licence = or(variant->licence, "Dual MIT/GPL"),
			      .vermagic = or(variant->vermagic, VERMAGIC),
			      .depends = or(variant->depends, ""),
			      .firmware = or(variant->firmware_asked,
					     "nvidia/" VERSION "/gsp_ga10x.bin"),
			      .symbol = or(variant->symbol, "printk"),
			      .crc = variant->crc ? variant->crc : GOOD_CRC,
			      .is_signed = !variant->is_unsigned };
	struct made_ko uvm = { .name = "nvidia_uvm",
			       .version = VERSION,
			       .licence = "Dual MIT/GPL",
			       .vermagic = ko.vermagic,
			       .depends = "nvidia",
			       .symbol = "printk",
			       .crc = ko.crc,
			       .is_signed = true };
	struct view body = made_ko(bodies[FILE_COUNT], &ko);

	add_module(variant->is_out_of_order, "nvidia", "/lib/modules/" RELEASE "/nvidia.ko",
		   variant->compressed ? view_of(variant->compressed) : body);
	add_module(!variant->is_out_of_order, "nvidia_uvm",
		   "/lib/modules/" RELEASE "/nvidia-uvm.ko", made_ko(bodies[FILE_COUNT + 1], &uvm));
	bundle_kernel = (struct bundle_kernel){ .release = RELEASE,
						.vermagic = VERMAGIC,
						.modules = modules,
						.module_count = 2 };
	driver.kernels = &bundle_kernel;
	driver.kernel_count = 1;
	boot.gpu.modules = (struct module_list){ boot_modules, 2 };
}

static void add_records(const struct variant *variant)
{
	driver.version = VERSION;
	driver.flavor = variant->has_open_modules ? BUNDLE_OPEN : BUNDLE_PROPRIETARY;
	driver.architecture = "amd64";
	driver.cuda = or(variant->cuda, "12.2");
	gpus[0] = (struct bundle_gpu){ 0x11c6, "GeForce GTX 650 Ti", "470.xx", false };
	gpus[1] = (struct bundle_gpu){ 0x2330, "NVIDIA H100 80GB HBM3", NULL, true };
	driver.gpus = gpus;
	driver.gpu_count = variant->has_gpu_list ? 2 : 0;
	env[0] = or(variant->env, "PATH=/bin");
	env[1] = or(variant->env_too, "HOME=/");
	boot.env = (struct text_list){ env, 2 };
}

static void make_kernel(const struct variant *variant)
{
	static const char usual[] = "CONFIG_MODULES=y\nCONFIG_PCI=y\nCONFIG_PCI_MSI=y\n"
		"CONFIG_FW_LOADER=y\nCONFIG_PROC_FS=y\nCONFIG_SYSFS=y\nCONFIG_DEVTMPFS=y\n"
		"CONFIG_TMPFS=y\nCONFIG_EXT4_FS=y\nCONFIG_VIRTIO_BLK=y\nCONFIG_VIRTIO_PCI=y\n"
		"CONFIG_MMU_NOTIFIER=y\nCONFIG_DEVICE_PRIVATE=y\nCONFIG_MEMORY_FAILURE=y\n"
		"CONFIG_DMA_SHARED_BUFFER=y\nCONFIG_CRYPTO_ECDH=y\nCONFIG_CRYPTO_ECDSA=y\n"
		"CONFIG_X86_PAT=y\nCONFIG_MTRR=y\nCONFIG_PCI_MMCONFIG=y\nCONFIG_X86_MCE=y\n";

	kernel = KERNEL_NONE;
	snprintf(kernel.release, sizeof(kernel.release), RELEASE);
	kernel.vermagic = view_of(VERMAGIC);
	kernel.machine = EM_X86_64;
	export = (struct export){ .name = { "printk", 6 }, .crc = GOOD_CRC, .has_crc = true };
	kernel.exports.items = &export;
	kernel.exports.count = 1;
	ck_assert(bytes_print(&kernel.config, &err, "%s%s", usual, or(variant->config, "")));
}

static void begin(void)
{
	driver = (struct bundle){ 0 };
	boot = (struct boot_config){ 0 };
	findings = (struct finding_list){ 0 };
	found = bytes_capped(1 << 16);
	made_root_begin(&root);
}

static void end(void)
{
	bytes_freep(&kernel.config);
	bytes_freep(&found);
	finding_list_freep(&findings);
	made_root_freep(&root);
}

/* The whole image of a variant, verified; what was found, in order: "severity rule; …". */
static void verify(const struct variant *variant)
{
	struct gpu_chip chip = gpu_chip_of(variant->gpu);
	struct verify_subject subject = { .data_fds = &root.data_fd,
					  .boot = &boot,
					  .driver = &driver,
					  .kernel = variant->has_no_kernel ? NULL : &kernel,
					  .release = variant->release,
					  .chip = variant->gpu ? &chip : NULL,
					  .gpu_class = variant->gpu_class,
					  .jobs = 2 };

	add_libraries(variant);
	add_other_files(variant);
	add_compat(variant);
	add_modules(variant);
	add_records(variant);
	make_kernel(variant);
	if (variant->leftover)
		made_root_file(&root, variant->leftover, view_of(or(variant->leftover_body, "")));
	made_root_finish(&root);
	subject.tree = root.tree;
	ck_assert_msg(verify_image(&findings, &subject, &err), "%s", err.msg);
	ck_assert(bytes_append(&found, "", 0, &err));
	for (size_t i = 0; i < findings.count; i++) {
		ck_assert(bytes_print(&found, &err, "%s%s %s", i > 0 ? "; " : "",
				      severity_name(findings.items[i].severity),
				      rule_id(findings.items[i].rule)));
	}
}

static const struct {
	struct variant variant;
	const char *found, *words; /* words: in the first sentence, or NULL */
} cases[] = {
	{ { .gpu = 0 }, "", NULL },
	/* kernel and modules */
	{ { .vermagic = "6.1.0-other SMP mod_unload modversions " },
	  "warning kernel-release; warning kernel-release", "6.1.0-other" },
	{ { .vermagic = RELEASE " SMP preempt mod_unload modversions " },
	  "error vermagic; error vermagic", "preempt" },
	{ { .crc = 7 }, "error modversions-crc; error modversions-crc", "printk" },
	{ { .symbol = "drm_open" }, "error undefined-symbol", "drm_open" },
	{ { .is_unsigned = true }, "", NULL },
	{ { .is_unsigned = true, .config = "CONFIG_MODULE_SIG_FORCE=y\n" },
	  "error module-signature", "not signed" },
	{ { .config = "CONFIG_DRM_NOUVEAU=y\n" }, "warning kernel-config", "NOUVEAU" },
	{ { .compressed = "\x28\xb5\x2f\xfd and so on" }, "error module-compression", "nvidia" },
	{ { .compressed = "\x1f\x8b and so on" }, "error module-compression", "nvidia" },
	{ { .depends = "drm" }, "error module-depends", "nvidia depends on drm" },
	{ { .is_out_of_order = true }, "error module-depends", "nvidia_uvm depends on nvidia" },
	{ { .has_no_kernel = true, .release = RELEASE },
	  "unknown vermagic; unknown modversions-crc; unknown undefined-symbol;"
	  " unknown module-signature; unknown kernel-config", "--kernel" },
	{ { .has_no_kernel = true },
	  "unknown kernel-release; unknown vermagic; unknown modversions-crc;"
	  " unknown undefined-symbol; unknown module-signature; unknown kernel-config",
	  "--kernel-release" },
	{ { .has_no_kernel = true, .release = "6.2" },
	  "error kernel-release; error kernel-release; unknown vermagic; unknown modversions-crc;"
	  " unknown undefined-symbol; unknown module-signature; unknown kernel-config", "6.2" },
	/* one version throughout */
	{ { .has_no_firmware = true }, "error firmware-missing", "gsp_ga10x" },
	{ { .has_no_firmware = true, .gpu = 0x1b38 }, "", NULL }, /* a Pascal has no GSP */
	{ { .firmware_asked = "nvidia/535.1.1/gsp_ga10x.bin" },
	  "error firmware-missing; error firmware-version", "535.1.1" },
	{ { .firmware_folder = "535.1.1" }, "error firmware-version; error firmware-missing",
	  "535.1.1" },
	{ { .firmware_version = "535.171.04" }, "error firmware-version", "says that it is of" },
	{ { .module_version = "535.171.04" }, "error userspace-version", "535.171.04" },
	{ { .library_name = "libcuda.so.535.171.04" }, "error userspace-version", "535.171.04" },
	{ { .library_name = "libnvidia-egl-gbm.so.1.1.0" }, "", NULL },
	{ { .library_name = "libnvidia-nscq.so.550.1.2" }, "error fabricmanager-version", "nscq" },
	{ { .fabric_content = "#!/bin/sh\n# version 550.1.2\n" }, "unknown fabricmanager-version",
	  "nv-fabricmanager" },
	{ { .has_no_licence = true }, "warning licence-missing", VERSION },
	{ { .is_changed = true }, "error digest-mismatch", "SHA-256" },
	{ { .is_shorter = true }, "error digest-mismatch", "bytes" },
	{ { .is_gone = true }, "error digest-mismatch", "libgone.so" },
	/* the GPU */
	{ { .gpu = 0x2330 }, "", NULL },
	{ { .gpu = 0x2330, .has_gpu_list = true }, "", NULL },
	{ { .gpu = 0x2331, .has_gpu_list = true }, "error gpu-unsupported", "10de:2331" },
	{ { .gpu = 0x11c6, .has_gpu_list = true }, "error gpu-legacy-branch", "470.xx" },
	{ { .gpu = 0x11c6 }, "error gpu-legacy-branch", "470" },
	{ { .gpu = 0x2b85 }, "error gpu-unsupported; error gpu-flavor", "570" },
	{ { .gpu = 0x1b38, .has_open_modules = true }, "error gpu-flavor", "open" },
	{ { .gpu = 0x2342 }, "error gpu-flavor", "proprietary" },
	{ { .gpu = 0x2342, .has_open_modules = true }, "", NULL },
	{ { .gpu = 0x0020 }, "unknown gpu-unsupported", "10de:0020" },
	/* the image */
	{ { .env = "NVIDIA_REQUIRE_CUDA=cuda>=12.0" }, "", NULL },
	{ { .env = "NVIDIA_REQUIRE_CUDA=cuda>=12.8" }, "error require-cuda", "cuda>=12.8" },
	{ { .env = "NVIDIA_REQUIRE_CUDA=cuda>twelve" }, "error require-cuda", "twelve" },
	{ { .env = "NVIDIA_REQUIRE_ARCH=arch>=8.0" }, "warning require-unknown", "arch>=8.0" },
	{ { .env = "NVIDIA_REQUIRE_ARCH=arch>=8.0", .gpu = 0x2330 }, "", NULL },
	{ { .env = "NVIDIA_REQUIRE_ARCH=arch>=9.1", .gpu = 0x2330 }, "error require-cuda", "9.1" },
	{ { .leftover = "usr/lib/x86_64-linux-gnu/libnvidia-cfg.so.1" },
	  "error leftover-zero-byte", "libnvidia-cfg.so.1" },
	{ { .leftover = "usr/lib/x86_64-linux-gnu/libcuda.so.470.1.2", .leftover_body = "x" },
	  "error leftover-foreign", "libcuda.so.470.1.2" },
	{ { .leftover = "opt/old/libnvidia-ml.so.470.1.2", .leftover_body = "x" }, "", NULL },
	{ { .leftover = "opt/old/libnvidia-ml.so.470.1.2",
	    .leftover_body = "x",
	    .env = "LD_LIBRARY_PATH=lib:/nowhere:/opt/old" },
	  "error leftover-foreign", "/opt/old/libnvidia-ml.so.470.1.2" },
	{ { .leftover = "usr/local/cuda/lib64/stubs/libcuda.so",
	    .leftover_body = "x",
	    .env = "LD_LIBRARY_PATH=/usr/local/cuda/lib64/stubs" },
	  "warning stub-in-path", "stubs" },
	{ { .leftover = "usr/local/cuda/lib64/stubs/libcuda.so", .leftover_body = "x" }, "", NULL },
	{ { .compat_note = COMPAT_NOTE, .env = "CUDA_VERSION=12.2.2" }, "", NULL },
	{ { .compat_note = COMPAT_NOTE,
	    .env = "CUDA_VERSION=12.2.2",
	    .env_too = "LD_LIBRARY_PATH=/usr/local/cuda/compat" },
	  "warning compat-shadow", "/usr/local/cuda/compat" },
	/* The package itself says what the image is made for. */
	{ { .compat_note = COMPAT_NOTE }, "error compat-needed", "--gpu-class datacenter" },
	{ { .compat_note = COMPAT_NOTE, .gpu_class = GPU_CLASS_CONSUMER },
	  "error compat-needed", "data-center GPUs only" },
	{ { .compat_note = COMPAT_NOTE,
	    .env = "LD_LIBRARY_PATH=/usr/local/cuda/compat",
	    .gpu_class = GPU_CLASS_DATACENTER }, "", NULL },
	{ { .compat_note = "{\"CUDA Version\":\"13.0\",\"Driver\":[550,570]}",
	    .gpu_class = GPU_CLASS_DATACENTER },
	  "error compat-needed", "does not run on that driver" },
	{ { .compat_note = COMPAT_NOTE,
	    .env = "CUDA_VERSION=13.0.1",
	    .gpu_class = GPU_CLASS_DATACENTER }, "error require-cuda", "cuda>=13.0" },
	{ { .has_no_libc = true }, "error libc-mismatch", NULL },
	{ { .glibc = "GLIBC_2.99" }, "error glibc-too-old", "GLIBC_2.99" },
	{ { .needed = "libnowhere.so.1" }, "error needed-missing", "libnowhere.so.1" },
	{ { .needed = "libnowhere.so.1", .library_name = "libcudadebugger.so." VERSION },
	  "warning needed-missing", "libnowhere.so.1" },
};

START_TEST(each_rule_is_kept_or_named)
{
	verify(&cases[_i].variant);
	ck_assert_str_eq(found.data, cases[_i].found);
	if (cases[_i].words)
		ck_assert_msg(strstr(findings.items[0].sentence, cases[_i].words) != NULL, "%s",
			      findings.items[0].sentence);
}
END_TEST

static void verify_without_driver(const char *variable)
{
	struct verify_subject subject = { .data_fds = &root.data_fd, .boot = &boot, .jobs = 1 };

	env[0] = variable;
	boot.env = (struct text_list){ env, 1 };
	made_root_finish(&root);
	subject.tree = root.tree;
	ck_assert(verify_image(&findings, &subject, &err));
}

START_TEST(an_image_without_a_driver_is_good)
{
	verify_without_driver("PATH=/bin");
	ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(an_image_that_asks_for_a_gpu_and_has_no_driver_is_warned_of)
{
	verify_without_driver("NVIDIA_VISIBLE_DEVICES=all");
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_int_eq(findings.items[0].severity, SEVERITY_WARNING);
	ck_assert_int_eq(findings.items[0].rule, RULE_DRIVER_MISSING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verify");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, each_rule_is_kept_or_named, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(all, an_image_without_a_driver_is_good);
	tcase_add_test(all, an_image_that_asks_for_a_gpu_and_has_no_driver_is_warned_of);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
