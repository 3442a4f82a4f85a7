#include "capability.h"

#include <stdint.h>
#include <stdio.h>

#include "init/contract/require.h"

static const struct {
	const char *word;
	unsigned bits; /* with what it implies */
} words[] = {
	{ "utility", CAPABILITY_UTILITY },
	{ "compute", CAPABILITY_COMPUTE },
	{ "video", CAPABILITY_VIDEO | CAPABILITY_COMPUTE },
	{ "graphics", CAPABILITY_GRAPHICS },
	{ "display", CAPABILITY_DISPLAY | CAPABILITY_GRAPHICS },
	{ "ngx", CAPABILITY_NGX },
	{ "compat32", CAPABILITY_COMPAT32 },
	{ "all", CAPABILITY_ALL },
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

MUST_CHECK static bool parse_word(unsigned *out, struct view word, struct err *err)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		if (view_equal(word, words[i].word)) {
			*out |= words[i].bits;
			return true;
		}
	}
	return err_set(err, ERR_FORMAT, "unknown driver capability \"%.*s\"", VIEW_ARGS(word));
}

bool capability_parse(unsigned *out, struct view list, struct err *err)
{
	unsigned bits = 0;

	while (list.ptr) {
		struct view word = view_trim(view_cut(&list, ','));

		if (word.len > 0 && !parse_word(&bits, word, err))
			return false;
	}
	*out = bits ? bits : CAPABILITY_UTILITY | CAPABILITY_COMPUTE;
	return true;
}

unsigned capability_of_word(struct view word)
{
	for (unsigned bit = 0; 1u << bit < CAPABILITY_ALL; bit++)
		if (view_equal(word, words[bit].word))
			return 1u << bit;
	return 0;
}

void capability_text(unsigned capabilities, char out[CAPABILITY_TEXT_BYTES])
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned bit = 0; 1u << bit < CAPABILITY_ALL; bit++)
		if (capabilities & 1u << bit)
			len += (size_t)snprintf(out + len, CAPABILITY_TEXT_BYTES - len, "%s%s",
						len > 0 ? "," : "", words[bit].word);
}

/* The form of a UUID, 8-4-4-4-12 hex digits: how a mediated device is named. */
static bool is_uuid(struct view text)
{
	static const size_t group_lens[] = { 8, 4, 4, 4, 12 };
	uint64_t ignored = 0;

	for (size_t i = 0; i < sizeof(group_lens) / sizeof(group_lens[0]); i++) {
		struct view group = view_cut(&text, '-');

		if (group.len != group_lens[i] || !view_number(group, 16, UINT64_MAX, &ignored))
			return false;
	}
	return !text.ptr;
}

/* "01:00.0" or "00000000:01:00.0" */
static bool is_pci_address(struct view text)
{
	return view_find(text, ':') > 0 && view_find(text, '.') > 0;
}

MUST_CHECK static bool check_device(struct gpu_request *out, struct view device, struct err *err)
{
	uint64_t index = 0;

	if (view_equal(device, "all"))
		return true;
	if (view_number(device, 10, UINT32_MAX, &index) || is_pci_address(device)) {
		out->is_by_index = true;
		return true;
	}
	if (view_starts(device, "MIG-") || view_find(device, ':') > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "NVIDIA_VISIBLE_DEVICES names MIG device %.*s, but a microVM gets a"
			       " whole GPU by its PCI address", VIEW_ARGS(device));
	if (view_starts(device, "GPU-") || is_uuid(device))
		return err_set(err, ERR_UNSUPPORTED,
			       "NVIDIA_VISIBLE_DEVICES names %s %.*s, but a microVM gets a whole"
			       " GPU by its PCI address",
			       is_uuid(device) ? "mediated device" : "GPU", VIEW_ARGS(device));
	return err_set(err, ERR_FORMAT, "NVIDIA_VISIBLE_DEVICES has \"%.*s\", which is no device",
		       VIEW_ARGS(device));
}

MUST_CHECK static bool read_devices(struct gpu_request *out, struct view devices, bool is_legacy,
				    struct err *err)
{
	if (!devices.ptr) {
		out->wish = is_legacy ? GPU_ASKED : GPU_NOT_ASKED;
		return true;
	}
	if (devices.len == 0 || view_equal(devices, "void"))
		return true;
	if (view_equal(devices, "none")) {
		out->wish = GPU_DRIVER_ONLY;
		return true;
	}
	out->wish = GPU_ASKED;
	while (devices.ptr) {
		struct view device = view_trim(view_cut(&devices, ','));

		if (device.len > 0 && !check_device(out, device, err))
			return false;
	}
	return true;
}

bool gpu_request_read(struct gpu_request *out, const char *const *env, size_t env_count,
		      struct err *err)
{
	struct gpu_request request = { .wish = GPU_NOT_ASKED };
	bool is_legacy = require_is_legacy(env, env_count);
	struct view list = require_env(env, env_count, "NVIDIA_DRIVER_CAPABILITIES");

	if (!read_devices(&request, require_env(env, env_count, "NVIDIA_VISIBLE_DEVICES"),
			  is_legacy, err))
		return false;
	if (request.wish != GPU_NOT_ASKED && !list.ptr && is_legacy)
		request.capabilities = CAPABILITY_ALL;
	else if (request.wish != GPU_NOT_ASKED &&
		 !capability_parse(&request.capabilities, list, err))
		return err_wrap(err, "NVIDIA_DRIVER_CAPABILITIES");
	*out = request;
	return true;
}

struct file_row {
	const char *name; /* of a library: what stands before ".so" */
	unsigned bits;
	const char *reason;
};

enum {
	U = CAPABILITY_UTILITY,
	C = CAPABILITY_COMPUTE,
	V = CAPABILITY_VIDEO,
	G = CAPABILITY_GRAPHICS,
	D = CAPABILITY_DISPLAY,
	N = CAPABILITY_NGX,
};

/* libnvidia-container src/nvc_info.c and the container toolkit's discovery, joined. */
static const struct file_row libraries[] = {
	{ "libnvidia-ml", U, "NVML: what nvidia-smi and every monitor speak" },
	{ "libnvidia-cfg", U, "GPU configuration, for persistenced and smi" },
	{ "libnvidia-nscq", U, "NVSwitch queries" },
	{ "libnvidia-sandboxutils", U, "container tools' own queries" },
	{ "libnvsdm", U, "NVSwitch device monitoring" },
	{ "libcuda", C, "the CUDA driver API" },
	{ "libcudadebugger", C, "cuda-gdb in the guest" },
	{ "libnvidia-ptxjitcompiler", C, "PTX to machine code when a program starts" },
	{ "libnvidia-nvvm", C, "NVVM for OpenCL and run-time linking" },
	{ "libnvidia-nvvm70", C, "its form of before 565" },
	{ "libnvidia-gpucomp", C | G, "the compiler shared by CUDA and graphics" },
	{ "libnvidia-tileiras", C, "the tile compiler of CUDA 13" },
	{ "libnvidia-opencl", C, "OpenCL" },
	{ "libnvidia-compiler", C, "OpenCL's compiler of before 530" },
	{ "libnvidia-allocator", C | G, "buffers shared with GBM" },
	{ "libnvidia-pkcs11", C, "confidential computing, OpenSSL 1.1" },
	{ "libnvidia-pkcs11-openssl3", C, "the same for OpenSSL 3; libcuda loads it" },
	{ "libnvidia-fatbinaryloader", C, "fat binaries before 450" },
	{ "libnvcuvid", V, "decoding" },
	{ "libnvidia-encode", V, "encoding" },
	{ "libnvidia-opticalflow", V, "optical flow" },
	{ "libvdpau_nvidia", V, "VDPAU's back end" },
	{ "libnvidia-eglcore", G, "core of EGL, also without a display" },
	{ "libnvidia-glcore", G, "core of OpenGL" },
	{ "libnvidia-tls", G, "thread-local storage of the GL cores" },
	{ "libnvidia-glsi", G, "system interface of the GL cores" },
	{ "libnvidia-rtcore", G, "ray tracing" },
	{ "libnvidia-glvkspirv", G, "SPIR-V for Vulkan" },
	{ "libnvidia-cbl", G, "ray tracing's compiler before 470" },
	{ "libnvidia-fbc", G, "frame buffer capture" },
	{ "libnvidia-ifr", G, "in-band readback before 470" },
	{ "libnvoptix", G, "OptiX" },
	{ "libGLX_nvidia", G, "the GLX vendor, Vulkan's ICD too" },
	{ "libEGL_nvidia", G, "the EGL vendor" },
	{ "libGLESv1_CM_nvidia", G, "GLES 1 vendor" },
	{ "libGLESv2_nvidia", G, "GLES 2 vendor" },
	{ "libnvidia-vulkan-producer", G, "Vulkan into EGL streams" },
	{ "libnvidia-egl-gbm", G, "EGL on GBM" },
	{ "libnvidia-egl-wayland", G, "EGL on Wayland" },
	{ "libnvidia-egl-wayland2", G, "its second form, since 580" },
	{ "libnvidia-egl-xcb", G, "EGL on XCB" },
	{ "libnvidia-egl-xlib", G, "EGL on Xlib" },
	{ "libnvidia-api", G, "NVAPI for Wine" },
	{ "nvidia-drm_gbm", G, "GBM's back end, a link to the allocator" },
	{ "libglxserver_nvidia", D, "GLX inside the X server" },
	{ "nvidia_drv", D, "the X server's driver" },
	{ "libnvidia-ngx", N, "NGX, DLSS" },
};

static const struct file_row programs[] = {
	{ "nvidia-smi", U, "what people look with" },
	{ "nvidia-debugdump", U, "post-mortem dumps" },
	{ "nvidia-persistenced", U, "keeps a GPU initialised" },
	{ "nv-fabricmanager", U, "NVSwitch machines" },
	{ "nvidia-imex", U, "memory shared between nodes" },
	{ "nvidia-imex-ctl", U, "its control" },
	{ "nvidia-cuda-mps-control", C, "MPS" },
	{ "nvidia-cuda-mps-server", C, "MPS" },
	{ "nvidia-xconfig", D, "X's configuration" },
	{ "nvidia-ngx-updater", N, "NGX models" },
};

/* Keys of sandboxutils-filelist.json; the common ones that no capability owns ride with all. */
static const struct file_row categories[] = {
	{ "nvml", U, "" },	  { "nvpd", U, "" },	    { "utils", U, "" },
	{ "nvsandboxutils", U, "" }, { "cuda", C, "" },	    { "opencl", C, "" },
	{ "video", V, "" },	  { "vulkan", G, "" },	    { "egl", G, "" },
	{ "egl_headless", G, "" }, { "egl_wayland", G, "" }, { "egl_gbm", G, "" },
	{ "egl_x11", G, "" },	  { "glx", G, "" },	    { "gbm", G, "" },
	{ "optix", G, "" },	  { "firmware", CAPABILITY_ALL, "the kernel module asks for it" },
};

static unsigned row_bits(const struct file_row *rows, size_t row_count, struct view name)
{
	for (size_t i = 0; i < row_count; i++)
		if (view_equal(name, rows[i].name))
			return rows[i].bits;
	return 0;
}

unsigned capability_of_library(struct view name)
{
	const char *suffix = name.len > 0 ? memmem(name.ptr, name.len, ".so", 3) : NULL;

	if (!suffix)
		return 0;
	name.len = (size_t)(suffix - name.ptr);
	return row_bits(libraries, sizeof(libraries) / sizeof(libraries[0]), name);
}

unsigned capability_of_program(struct view name)
{
	return row_bits(programs, sizeof(programs) / sizeof(programs[0]), name);
}

unsigned capability_of_category(struct view category)
{
	return row_bits(categories, sizeof(categories) / sizeof(categories[0]), category);
}
