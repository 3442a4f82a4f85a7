#include "gpu_nodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	MAJOR_NVIDIA = 195, /* fixed; its name in /proc/devices changes with the version */
	MINOR_CTL = 255,
	MINOR_MODESET = 254,
	MINOR_MAX = (1 << 20) - 1,
	TEXT_BYTES_MAX = 64 << 10,
	DEPTH_MAX = 8, /* of proc/driver/nvidia/capabilities */
};

bool gpu_devices_major(struct view devices, const char *name, uint32_t *out)
{
	bool is_character = false;

	while (devices.len > 0) {
		struct view line = view_trim(view_cut(&devices, '\n'));
		uint64_t major = 0;

		if (view_ends(line, "devices:"))
			is_character = view_equal(line, "Character devices:");
		struct view number = view_cut(&line, ' ');

		if (is_character && view_equal(line, name) &&
		    view_number(number, 10, 4095, &major)) {
			*out = (uint32_t)major;
			return true;
		}
	}
	return false;
}

bool gpu_text_number(struct view text, const char *key, uint32_t *out)
{
	while (text.len > 0) {
		struct view value = view_cut(&text, '\n'), name = view_trim(view_cut(&value, ':'));
		uint64_t number = 0;

		if (view_equal(name, key) &&
		    view_number(view_trim(value), 10, UINT32_MAX, &number)) {
			*out = (uint32_t)number;
			return true;
		}
	}
	return false;
}

/* What is being listed, and what all nodes of the driver have in common. */
struct listing {
	struct gpu_nodes *nodes;
	struct arena *arena;
	struct bytes devices; /* proc/devices */
	uint32_t mode, uid, gid;
	int root_fd;
};

MUST_CHECK static bool slurp(struct bytes *out, int dir_fd, const char *path, struct err *err)
{
	*out = bytes_capped(TEXT_BYTES_MAX);
	return file_slurp(out, dir_fd, path, err);
}

MUST_CHECK static bool add(struct listing *listing, const char *path, uint32_t major,
			   uint32_t minor, struct err *err)
{
	struct gpu_nodes *nodes = listing->nodes;
	const char *copy = arena_copy(listing->arena, path, strlen(path));

	if (nodes->count == GPU_NODE_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d GPU device nodes",
			       GPU_NODE_COUNT_MAX);
	if (!copy)
		return err_memory(err, "GPU device nodes");
	nodes->nodes[nodes->count++] = (struct boot_node){ .path = copy,
							   .mode = S_IFCHR | listing->mode,
							   .major = major,
							   .minor = minor,
							   .uid = listing->uid,
							   .gid = listing->gid };
	return true;
}

MUST_CHECK static bool add_numbered(struct listing *listing, const char *stem, uint32_t number,
				    uint32_t major, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "%s%u", stem, number);
	return add(listing, path, major, number, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder, ascending; a folder that is not there, or is a file, has none. */
MUST_CHECK static bool list_names(const struct listing *listing, const char *path,
				  struct text_list *out, struct err *err)
{
	int dir_fd = openat(listing->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
	const char **items = arena_take(listing->arena, (GPU_NODE_COUNT_MAX + 1) * sizeof(char *));
	const struct dirent *entry;
	size_t count = 0;

	while (items && dir && count < GPU_NODE_COUNT_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			items[count++] =
				arena_copy(listing->arena, entry->d_name, strlen(entry->d_name));
	if (dir)
		closedir(dir);
	if (!items || (count > 0 && !items[count - 1]))
		return err_memory(err, path);
	qsort(items, count, sizeof(char *), compare_names);
	*out = (struct text_list){ items, count };
	return true;
}

/* /dev/nvidiaN: N is the driver's own number, not the place in the list. */
MUST_CHECK static bool add_gpus(struct listing *listing, struct err *err)
{
	static const char folder[] = "proc/driver/nvidia/gpus";
	struct text_list names = { 0 };

	if (!list_names(listing, folder, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(bytes_freep) struct bytes text = { 0 };
		char path[300];
		uint32_t minor = 0;

		snprintf(path, sizeof(path), "%s/%s/information", folder, names.items[i]);
		if (!slurp(&text, listing->root_fd, path, err))
			return false;
		if (!gpu_text_number(bytes_view(&text), "Device Minor", &minor) ||
		    minor >= MINOR_MODESET)
			return err_set(err, ERR_FORMAT, "/%s gives no device minor", path);
		if (!add_numbered(listing, "/dev/nvidia", minor, MAJOR_NVIDIA, err))
			return false;
		listing->nodes->gpu_count++;
	}
	return true;
}

/* MIG and fabric capabilities: files of "DeviceFileMinor: N" and "DeviceFileMode: N". */
MUST_CHECK static bool add_capability(struct listing *listing, const char *path, uint32_t major,
				      struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = { 0 };
	uint32_t minor = 0, mode = 0;
	size_t count = listing->nodes->count;

	if (!slurp(&text, listing->root_fd, path, err))
		return false;
	if (!gpu_text_number(bytes_view(&text), "DeviceFileMinor", &minor) || minor > MINOR_MAX)
		return true; /* a file of something else */
	if (!add_numbered(listing, "/dev/nvidia-caps/nvidia-cap", minor, major, err))
		return false;
	if (gpu_text_number(bytes_view(&text), "DeviceFileMode", &mode))
		listing->nodes->nodes[count].mode = S_IFCHR | (mode & 0777);
	return true;
}

MUST_CHECK static bool add_capabilities(struct listing *listing, const char *folder,
					uint32_t major, unsigned depth, struct err *err)
{
	struct text_list names = { 0 };
	struct stat status;

	if (depth > DEPTH_MAX || !list_names(listing, folder, &names, err))
		return depth > DEPTH_MAX;
	for (size_t i = 0; i < names.count; i++) {
		char path[512];

		if (snprintf(path, sizeof(path), "%s/%s", folder, names.items[i]) >=
			    (int)sizeof(path) ||
		    fstatat(listing->root_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(status.st_mode) ?
			    !add_capabilities(listing, path, major, depth + 1, err) :
			    !add_capability(listing, path, major, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool add_nvswitches(struct listing *listing, uint32_t major, struct err *err)
{
	struct text_list names = { 0 };

	if (!list_names(listing, "proc/driver/nvidia-nvswitch/devices", &names, err) ||
	    !add(listing, "/dev/nvidia-nvswitchctl", major, MINOR_CTL, err))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (!add_numbered(listing, "/dev/nvidia-nvswitch", (uint32_t)i, major, err))
			return false;
	return true;
}

/* The parts of the driver that have a major of their own. */
MUST_CHECK static bool add_others(struct listing *listing, struct err *err)
{
	struct view devices = bytes_view(&listing->devices);
	uint32_t major = 0;

	if (faccessat(listing->root_fd, "sys/module/nvidia_modeset", F_OK, 0) == 0 &&
	    !add(listing, "/dev/nvidia-modeset", MAJOR_NVIDIA, MINOR_MODESET, err))
		return false;
	if (gpu_devices_major(devices, "nvidia-uvm", &major) &&
	    (!add(listing, "/dev/nvidia-uvm", major, 0, err) ||
	     !add(listing, "/dev/nvidia-uvm-tools", major, 1, err)))
		return false;
	if (gpu_devices_major(devices, "nvidia-caps", &major) &&
	    !add_capabilities(listing, "proc/driver/nvidia/capabilities", major, 0, err))
		return false;
	if (gpu_devices_major(devices, "nvidia-nvlink", &major) &&
	    !add(listing, "/dev/nvidia-nvlink", major, 0, err))
		return false;
	if (gpu_devices_major(devices, "nvidia-nvswitch", &major) &&
	    !add_nvswitches(listing, major, err))
		return false;
	return !gpu_devices_major(devices, "nvidia-caps-imex-channels", &major) ||
	       add(listing, "/dev/nvidia-caps-imex-channels/channel0", major, 0, err);
}

/* NVreg_DeviceFileMode and its like, as the module took them; numbers are decimal. */
MUST_CHECK static bool read_params(struct listing *listing, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = { 0 };
	struct err missing = { 0 };

	listing->mode = 0666;
	if (!slurp(&text, listing->root_fd, "proc/driver/nvidia/params", &missing)) {
		if (missing.kind == ERR_NOT_FOUND)
			return true;
		*err = missing;
		return false;
	}
	if (gpu_text_number(bytes_view(&text), "DeviceFileMode", &listing->mode))
		listing->mode &= 0777;
	(void)gpu_text_number(bytes_view(&text), "DeviceFileUID", &listing->uid);
	(void)gpu_text_number(bytes_view(&text), "DeviceFileGID", &listing->gid);
	return true;
}

bool gpu_nodes_list(struct gpu_nodes *out, int root_fd, struct arena *arena, struct err *err)
{
	struct gpu_nodes nodes = {
		.nodes = arena_take(arena, GPU_NODE_COUNT_MAX * sizeof(struct boot_node)),
	};
	struct listing listing = { .nodes = &nodes, .arena = arena, .root_fd = root_fd };
	bool ok = nodes.nodes ? slurp(&listing.devices, root_fd, "proc/devices", err) :
				err_memory(err, "GPU device nodes");

	ok = ok && read_params(&listing, err) && add_gpus(&listing, err) &&
	     add(&listing, "/dev/nvidiactl", MAJOR_NVIDIA, MINOR_CTL, err) &&
	     add_others(&listing, err);
	bytes_freep(&listing.devices);
	if (ok)
		*out = nodes;
	return ok;
}

bool gpu_nodes_link(const struct gpu_nodes *nodes, struct err *err)
{
	if (mkdir("/dev/char", 0755) < 0 && errno != EEXIST)
		return err_os(err, "make folder /dev/char");
	for (size_t i = 0; i < nodes->count; i++) {
		const struct boot_node *node = &nodes->nodes[i];
		char path[64], target[128];

		snprintf(path, sizeof(path), "/dev/char/%u:%u", node->major, node->minor);
		snprintf(target, sizeof(target), "../%s", node->path + strlen("/dev/"));
		if (symlink(target, path) < 0 && errno != EEXIST)
			return err_os(err, "link %s", path);
	}
	return true;
}
