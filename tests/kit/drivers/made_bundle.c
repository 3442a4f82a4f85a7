#include "made_bundle.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "drivers/bundle/capability.h"
#include "layers/body.h"
#include "layers/index.h"

enum { FILE_CUDA, FILE_UVM, FILE_NVIDIA, FILE_SMI };

/* By path. */
const struct made_file made_files[] = {
	[FILE_CUDA] = { "lib/libcuda.so.535.309.01", "made libcuda" },
	[FILE_UVM] = { "modules/6.1.0-made/nvidia-uvm.ko", "made module nvidia_uvm" },
	[FILE_NVIDIA] = { "modules/6.1.0-made/nvidia.ko", "made module nvidia" },
	[FILE_SMI] = { "sbin/nvidia-smi", "made smi" },
};
const size_t made_file_count = sizeof(made_files) / sizeof(made_files[0]);

static struct digest digest_of_file(size_t index)
{
	return digest_of(made_files[index].content, strlen(made_files[index].content));
}

/* Sizes and digests of what was made. */
static void measure_file(struct bundle_file *file, size_t index)
{
	file->path = made_files[index].path;
	file->size_bytes = strlen(made_files[index].content);
	file->digest = digest_of_file(index);
}

static void measure_module(struct bundle_module *module, size_t index)
{
	module->path = made_files[index].path;
	module->size_bytes = strlen(made_files[index].content);
	module->digest = digest_of_file(index);
}

static const struct bundle_kernel *made_kernel(void)
{
	static const char *const needs[] = { "nvidia", NULL };
	static const char *const firmware[] = { "nvidia/535.309.01/gsp_ga10x.bin", NULL };
	static struct bundle_module modules[2];
	static struct bundle_kernel kernel;

	modules[0] = (struct bundle_module){ .name = "nvidia",
					     .version = "535.309.01",
					     .licence = "NVIDIA",
					     .params = "NVreg_EnableGpuFirmware=1",
					     .firmware = { firmware, 1 },
					     .capabilities = CAPABILITY_ALL,
					     .is_vendor = true };
	modules[1] = (struct bundle_module){ .name = "nvidia_uvm",
					     .version = "535.309.01",
					     .licence = "Dual MIT/GPL",
					     .params = "",
					     .needs = { needs, 1 },
					     .capabilities = CAPABILITY_ALL,
					     .is_vendor = true };
	measure_module(&modules[0], FILE_NVIDIA);
	measure_module(&modules[1], FILE_UVM);
	kernel = (struct bundle_kernel){ .release = "6.1.0-made",
					 .vermagic = "6.1.0-made SMP mod_unload modversions ",
					 .has_modversions = true,
					 .modules = modules,
					 .module_count = 2 };
	return &kernel;
}

static const struct bundle_file *made_bundle_files(void)
{
	static const char *const links[] = { "libcuda.so", "libcuda.so.1", NULL };
	static const char *const needed[] = { "libc.so.6", "libm.so.6", NULL };
	static struct bundle_file files[2];

	files[0] = (struct bundle_file){ .dest = "@libdir@/libcuda.so.535.309.01",
					 .kind = BUNDLE_LIB,
					 .capabilities = CAPABILITY_COMPUTE | CAPABILITY_VIDEO,
					 .soname = "libcuda.so.1",
					 .links = { links, 2 },
					 .needed = { needed, 2 },
					 .mode = 0644 };
	files[1] = (struct bundle_file){ .dest = "@bindir@/nvidia-smi",
					 .kind = BUNDLE_BIN,
					 .capabilities = CAPABILITY_UTILITY,
					 .mode = 0755 };
	measure_file(&files[0], FILE_CUDA);
	measure_file(&files[1], FILE_SMI);
	return files;
}

struct bundle made_bundle(void)
{
	return (struct bundle){ .version = "535.309.01",
				.flavor = BUNDLE_PROPRIETARY,
				.architecture = "amd64",
				.cuda = "12.2",
				.source_type = "dir",
				.source = "made",
				.kernels = made_kernel(),
				.kernel_count = 1,
				.files = made_bundle_files(),
				.file_count = 2 };
}

static void write_content(int folder_fd, const struct made_file *files, size_t file_count)
{
	CLEANUP(index_builder_freep) struct index_builder *index = NULL;
	CLEANUP(body_writer_freep) struct body_writer *bodies = NULL;
	CLEANUP(fd_closep) int data_fd = -1, index_fd = -1;
	uint64_t data_bytes = 0;
	struct err err;

	ck_assert(file_open(&data_fd, folder_fd, "data", O_RDWR | O_CREAT, &err));
	ck_assert(file_open(&index_fd, folder_fd, "index", O_RDWR | O_CREAT, &err));
	ck_assert(index_builder_new(&index, &err) &&
		  body_writer_new(&bodies, data_fd, BODY_BUFFER_BYTES, &err));
	for (size_t i = 0; i < file_count; i++) {
		struct view content = view_of(files[i].content);
		struct entry entry = { .kind = ENTRY_FILE,
				       .path = view_of(files[i].path),
				       .mode = 0644,
				       .size = content.len };

		body_begin(bodies);
		ck_assert(body_write(bodies, content, &err));
		ck_assert(body_end(bodies, content.len, &entry.extents, &entry.extent_count,
				   &entry.body_crc32c, &err));
		ck_assert(index_builder_add(index, &entry, &err));
	}
	ck_assert(body_writer_finish(bodies, &data_bytes, &err));
	ck_assert(index_builder_write(index, data_bytes, NULL, index_fd, &err));
}

void made_bundle_keep(int dir_fd, struct bundle *bundle, const struct made_file *files,
		      size_t file_count, char name[BUNDLE_NAME_BYTES])
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes index = bytes_capped(1 << 20);
	CLEANUP(fd_closep) int folder_fd = -1;
	struct digest digest;
	struct err err;

	ck_assert(file_make_dirs(dir_fd, "draft", 0755, &err));
	ck_assert(file_open(&folder_fd, dir_fd, "draft", O_RDONLY | O_DIRECTORY, &err));
	write_content(folder_fd, files, file_count);
	ck_assert(file_slurp(&index, folder_fd, "index", &err));
	bundle->index_digest = digest_of(index.data, index.len);
	ck_assert(bundle_print(&text, bundle, &err));
	ck_assert(file_write_whole(folder_fd, "vmbake-driver.json", 0644, bytes_view(&text), &err));
	digest = digest_of(text.data, text.len);
	bundle_name(bundle, &digest, name);
	ck_assert_int_eq(renameat(dir_fd, "draft", dir_fd, name), 0);
}
