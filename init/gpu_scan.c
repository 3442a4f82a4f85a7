#include "gpu_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	VENDOR_NVIDIA = 0x10de,
	CLASS_VGA = 0x0300,
	CLASS_3D = 0x0302,
	CLASS_BRIDGE_OTHER = 0x0680, /* NVSwitch */
};

static bool read_number(int bus_fd, const char *address, const char *file, uint64_t *out)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(64);
	char path[300];
	struct err ignored;

	snprintf(path, sizeof(path), "%s/%s", address, file);
	if (!file_slurp(&text, bus_fd, path, &ignored) || !view_starts(bytes_view(&text), "0x"))
		return false;
	return view_number(view_trim(view_from(bytes_view(&text), 2)), 16, UINT32_MAX, out);
}

bool gpu_resource_is_unmapped(struct view resource)
{
	for (unsigned bar = 0; bar < 2; bar++) {
		struct view line = view_cut(&resource, '\n');
		struct view start = view_from(view_cut(&line, ' '), 2);
		struct view end = view_from(view_cut(&line, ' '), 2);
		uint64_t first = 0, last = 0;

		if (!view_number(start, 16, UINT64_MAX, &first) ||
		    !view_number(end, 16, UINT64_MAX, &last) || last <= first)
			return true;
	}
	return false;
}

static void read_resource(int bus_fd, struct gpu_device *device)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(4096);
	char path[64];
	struct err ignored;

	snprintf(path, sizeof(path), "%s/resource", device->address);
	device->is_unmapped = file_slurp(&text, bus_fd, path, &ignored) &&
			      gpu_resource_is_unmapped(bytes_view(&text));
}

/* The driver link's last component. */
static void read_driver(int bus_fd, struct gpu_device *device)
{
	char path[64], target[512];

	snprintf(path, sizeof(path), "%s/driver", device->address);
	ssize_t len = readlinkat(bus_fd, path, target, sizeof(target) - 1);

	if (len <= 0)
		return;
	struct view link = { target, (size_t)len };
	struct view name = view_from(link, (size_t)(view_find_last(link, '/') + 1));

	if (name.len < sizeof(device->driver))
		memcpy(device->driver, name.ptr, name.len);
}

static void look_at(struct gpu_scan *scan, int bus_fd, const char *address)
{
	struct gpu_device *device = &scan->devices[scan->count];
	uint64_t vendor = 0, class = 0, id = 0;

	if (scan->count == GPU_COUNT_MAX || strlen(address) >= sizeof(device->address) ||
	    !read_number(bus_fd, address, "vendor", &vendor) || vendor != VENDOR_NVIDIA ||
	    !read_number(bus_fd, address, "class", &class) ||
	    !read_number(bus_fd, address, "device", &id))
		return;
	class >>= 8; /* without the programming interface */
	if (class != CLASS_VGA && class != CLASS_3D && class != CLASS_BRIDGE_OTHER)
		return;
	*device = (struct gpu_device){ .device_id = (uint16_t)id,
				       .is_nvswitch = class == CLASS_BRIDGE_OTHER };
	memcpy(device->address, address, strlen(address) + 1);
	read_driver(bus_fd, device);
	if (!device->is_nvswitch)
		read_resource(bus_fd, device);
	scan->gpu_count += !device->is_nvswitch;
	scan->count++;
}

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(((const struct gpu_device *)a)->address,
		      ((const struct gpu_device *)b)->address);
}

void gpu_scan_bus(struct gpu_scan *out, int root_fd)
{
	int bus_fd = openat(root_fd, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = bus_fd >= 0 ? fdopendir(bus_fd) : NULL;
	const struct dirent *entry;

	*out = (struct gpu_scan){ 0 };
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at(out, bus_fd, entry->d_name);
	if (dir)
		closedir(dir);
	qsort(out->devices, out->count, sizeof(out->devices[0]), compare_addresses);
}
