#include "places.h"

#include <fnmatch.h>
#include <stddef.h>
#include <stdio.h>

#include "drivers/bundle/capability.h"

enum {
	U = CAPABILITY_UTILITY,
	C = CAPABILITY_COMPUTE,
	G = CAPABILITY_GRAPHICS,
	D = CAPABILITY_DISPLAY,
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* In the order of the container toolkit's look-up; what comes later and is the same is passed
 * over. Besides it: where Debian's, Ubuntu's and NVIDIA's own packages put things, and the folders
 * of an unpacked .run or archive. */
const char *const place_folders[] = {
	"",
	"usr/lib64",
	"usr/lib/x86_64-linux-gnu",
	"usr/lib/aarch64-linux-gnu",
	"usr/lib/x86_64-linux-gnu/nvidia/@",
	"usr/lib/aarch64-linux-gnu/nvidia/@",
	"lib64",
	"lib/x86_64-linux-gnu",
	"lib/aarch64-linux-gnu",
	"usr/lib",
	"lib",
	"usr/lib32",
	"usr/lib/i386-linux-gnu",
	"usr/lib/i386-linux-gnu/nvidia/@",
	"lib32",
	"32",
	"tls",
	"usr/lib64/tls",
	"usr/lib64/vdpau",
	"usr/lib/x86_64-linux-gnu/vdpau",
	"usr/lib/aarch64-linux-gnu/vdpau",
	"usr/lib/vdpau",
	"lib/vdpau",
	"lib64/gbm",
	"lib/gbm",
	"usr/lib/nvidia/@",
	"usr/lib/xorg/modules/drivers",
	"usr/lib/xorg/modules/extensions",
	"usr/lib64/xorg/modules/drivers",
	"usr/lib64/xorg/modules/extensions",
	"lib/xorg",
	"usr/bin",
	"usr/sbin",
	"bin",
	"sbin",
	"lib/firmware/nvidia/@",
	"usr/lib/firmware/nvidia/@",
	"firmware",
	"firmware/nvidia/@",
	"etc",
	"share",
	"etc/OpenCL/vendors",
	"etc/vulkan/icd.d",
	"etc/vulkan/implicit_layer.d",
	"etc/vulkansc/icd.d",
	"etc/glvnd/egl_vendor.d",
	"usr/share/vulkan/icd.d",
	"usr/share/vulkan/implicit_layer.d",
	"usr/share/vulkansc/icd.d",
	"usr/share/glvnd/egl_vendor.d",
	"usr/share/egl/egl_external_platform.d",
	"usr/share/X11/xorg.conf.d",
	"usr/share/nvidia",
	"usr/share/nvidia/files.d",
	"usr/share/nvidia/nvswitch",
	"etc/nvidia/@",
	"share/vulkan/icd.d",
	"share/vulkan/implicit_layer.d",
	"share/glvnd/egl_vendor.d",
	"share/egl/egl_external_platform.d",
	"share/nvidia",
	"share/nvidia/files.d",
	"share/nvidia/nvswitch",
	"supported-gpus",
	"usr/share/doc/%",
	"usr/share/licenses/%",
	NULL,
};

static const struct place_config configs[] = {
	{ "nvidia.icd", "/etc/OpenCL/vendors/", C, "OpenCL's loader finds the vendor by it" },
	{ "nvidia_icd.json", "/etc/vulkan/icd.d/", G, "Vulkan's loader does" },
	{ "nvidia_icd.*.json", "/etc/vulkan/icd.d/", G, "its name in RPMs: nvidia_icd.x86_64" },
	{ "nvidia_layers.json", "/etc/vulkan/implicit_layer.d/", G, "Optimus for Vulkan" },
	{ "nvidia_icd_vksc.json", "/etc/vulkansc/icd.d/", G, "Vulkan SC's loader" },
	{ "10_nvidia.json", "/usr/share/glvnd/egl_vendor.d/", G, "GLVND's EGL finds the vendor" },
	{ "09_nvidia_wayland2.json", "/usr/share/egl/egl_external_platform.d/", G, "EGL" },
	{ "10_nvidia_wayland.json", "/usr/share/egl/egl_external_platform.d/", G, "EGL" },
	{ "15_nvidia_gbm.json", "/usr/share/egl/egl_external_platform.d/", G, "EGL" },
	{ "20_nvidia_xcb.json", "/usr/share/egl/egl_external_platform.d/", G, "EGL" },
	{ "20_nvidia_xlib.json", "/usr/share/egl/egl_external_platform.d/", G, "EGL" },
	{ "nvoptix.bin", "/usr/share/nvidia/", G, "OptiX reads its denoiser's weights there" },
	{ "nvidia-application-profiles-*-rc", "/usr/share/nvidia/", G, "libGLX_nvidia's settings" },
	{ "nvidia-application-profiles-*-key-documentation", "/usr/share/nvidia/", G,
	  "what they mean" },
	{ "nvidia-drm-outputclass.conf", "/usr/share/X11/xorg.conf.d/", D, "X finds the driver" },
	{ "sandboxutils-filelist.json", "/usr/share/nvidia/files.d/", U,
	  "libnvidia-sandboxutils reads it" },
	{ "fabricmanager.cfg", "/usr/share/nvidia/nvswitch/", U, "NVSwitch machines" },
	{ "*_topology", "/usr/share/nvidia/nvswitch/", U, "which NVSwitches are wired how" },
};

static bool matches(struct view name, const char *pattern)
{
	char text[256];

	return name.len < sizeof(text) &&
	       snprintf(text, sizeof(text), "%.*s", VIEW_ARGS(name)) >= 0 &&
	       fnmatch(pattern, text, 0) == 0;
}

const struct place_config *place_of_config(struct view name)
{
	for (size_t i = 0; i < COUNT(configs); i++)
		if (matches(name, configs[i].name))
			return &configs[i];
	return NULL;
}

static const struct {
	const char *library; /* up to its ".so" */
	const char *link;
	const char *reason;
} links[] = {
	{ "libcuda", "libcuda.so", "programs linked with -lcuda, and those that dlopen it so" },
	{ "libnvidia-opticalflow", "libnvidia-opticalflow.so", "the SDK's samples dlopen it so" },
	{ "libGLX_nvidia", "libGLX_indirect.so.0", "GLVND's vendor for indirect rendering" },
	{ "libnvidia-allocator", "gbm/nvidia-drm_gbm.so", "libgbm's back end by the DRM driver" },
	{ "libnvidia-vulkan-producer", "libnvidia-vulkan-producer.so", "EGL streams dlopen it so" },
	{ "libglxserver_nvidia", "libglxserver_nvidia.so", "the X server's name for a module" },
	{ "libnvidia-nscq", "libnvidia-nscq.so", "DCGM dlopens it so" },
	{ "libnvidia-nscq", "libnvidia-nscq.so.2", "or so" },
	{ "libnvidia-nscq", "libnvidia-nscq.so.2.0", "the middle of its chain of links" },
};

static bool is_library(struct view name, const char *library)
{
	size_t len = strlen(library);

	return view_starts(name, library) && view_starts(view_from(name, len), ".so");
}

const char *place_next_link(struct view name, size_t *cursor)
{
	for (size_t i = *cursor; i < COUNT(links); i++) {
		if (!is_library(name, links[i].library))
			continue;
		*cursor = i + 1;
		return links[i].link;
	}
	return NULL;
}

static const struct {
	const char *library, *folder, *reason;
} folders[] = {
	{ "libvdpau_nvidia", "vdpau/", "libvdpau's compiled-in folder of back ends" },
	{ "nvidia-drm_gbm", "gbm/", "libgbm's" },
	{ "nvidia_drv", "/usr/lib/xorg/modules/drivers/", "the X server's" },
	{ "libglxserver_nvidia", "/usr/lib/xorg/modules/extensions/", "the same" },
};

const char *place_of_library(struct view name)
{
	for (size_t i = 0; i < COUNT(folders); i++)
		if (is_library(name, folders[i].library))
			return folders[i].folder;
	return "";
}

bool place_is_vendors(struct view folder)
{
	static const char *const words[] = { "*nvidia*", "*NVIDIA*", "libcuda*", "libnv*",
					     "xserver*" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (matches(folder, words[i]))
			return true;
	return false;
}

/* A path taken apart: its last component and the folders above, nearest first. */
struct taken_apart {
	struct view name, parent, grandparent, above; /* empty when there is none */
};

static struct view cut_last(struct view *path)
{
	ptrdiff_t slash = view_find_last(*path, '/');
	struct view last = view_from(*path, (size_t)(slash + 1));

	path->len = slash < 0 ? 0 : (size_t)slash;
	return last;
}

static struct taken_apart take_apart(struct view path)
{
	struct taken_apart parts;

	parts.above = path;
	parts.name = cut_last(&parts.above);
	parts.parent = cut_last(&parts.above);
	parts.grandparent = cut_last(&parts.above);
	return parts;
}

/* Stubs to link against, compat packages and sources are no part of the driver that runs. */
static bool is_ruled_out(struct view path)
{
	static const char *const folder_names[] = { "stubs", "compat", "kernel", "kernel-open",
						    "wine",  "src",    "html" };

	while (path.ptr) {
		struct view part = view_cut(&path, '/');

		for (size_t i = 0; i < COUNT(folder_names); i++)
			if (path.ptr && view_equal(part, folder_names[i]))
				return true;
	}
	return false;
}

/* The driver's own, or one that a list of files may yet speak for. GLVND's libGL and so on belong
 * to the image. */
static bool is_library_name(struct view name)
{
	static const char *const patterns[] = { "libnvidia-*.so*", "libcuda*.so.*", "libnv*.so.*",
						"lib*_nvidia.so*" };

	if (capability_of_library(name) != 0)
		return !view_ends(name, ".json");
	for (size_t i = 0; i < COUNT(patterns); i++)
		if (matches(name, patterns[i]))
			return true;
	return false;
}

/* bin/nvidia-smi, Debian's nvidia/current/nvidia-smi, or beside all else in a .run. */
static bool is_program(const struct taken_apart *path)
{
	return capability_of_program(path->name) != 0 &&
	       (path->parent.len == 0 || view_equal(path->parent, "bin") ||
		view_equal(path->parent, "sbin") || view_equal(path->grandparent, "nvidia"));
}

static bool is_firmware(const struct taken_apart *path)
{
	return matches(path->name, "gsp*.bin") &&
	       (view_equal(path->parent, "firmware") || view_equal(path->grandparent, "nvidia"));
}

/* Of the whole source (LICENSE at its top), or of a package of the driver's. */
static bool is_licence(const struct taken_apart *path)
{
	bool is_named = view_equal(path->name, "LICENSE") ||
			view_equal(path->name, "LICENSE.txt") ||
			view_equal(path->name, "copyright");

	return is_named && (path->parent.len == 0 || (place_is_vendors(path->parent) &&
						      (view_equal(path->grandparent, "doc") ||
						       view_equal(path->grandparent, "licenses"))));
}

static bool is_install_list(const struct taken_apart *path)
{
	return path->parent.len == 0 &&
	       (view_equal(path->name, ".manifest") || view_equal(path->name, "MANIFEST"));
}

bool place_lets_in(struct view path, enum part_kind *kind)
{
	struct taken_apart parts = take_apart(path);

	if (is_ruled_out(path) || parts.name.len == 0)
		return false;
	if (is_install_list(&parts))
		*kind = PART_INSTALL_LIST;
	else if (view_equal(parts.name, "supported-gpus.json"))
		*kind = PART_GPU_LIST;
	else if (view_equal(parts.name, "sandboxutils-filelist.json"))
		*kind = PART_FILE_LIST;
	else if (is_licence(&parts))
		*kind = PART_LICENCE;
	else if (is_firmware(&parts))
		*kind = PART_FIRMWARE;
	else if (is_library_name(parts.name))
		*kind = PART_LIBRARY;
	else if (is_program(&parts))
		*kind = PART_PROGRAM;
	else if (place_of_config(parts.name))
		*kind = PART_CONFIG;
	else
		return false;
	return true;
}
