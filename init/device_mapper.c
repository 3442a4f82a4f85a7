#include "device_mapper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/dm-ioctl.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"

MUST_CHECK static bool parse_table(struct mapped_table *out, struct view text, struct err *err)
{
	struct view rest = view_trim(text);
	struct view start = view_cut(&rest, ' '), len = view_cut(&rest, ' ');
	struct mapped_table table = { .target = view_cut(&rest, ' '), .arguments = rest };

	if (!view_number(start, 10, UINT64_MAX / 512, &table.start) ||
	    !view_number(len, 10, UINT64_MAX / 512, &table.len) || table.target.len == 0 ||
	    table.target.len >= DM_MAX_TYPE_NAME)
		return err_set(err, ERR_FORMAT, "dm-mod.create: \"%.*s\" is no table",
			       VIEW_ARGS(text));
	*out = table;
	return true;
}

bool mapped_device_parse(struct mapped_device *out, struct view *rest, struct err *err)
{
	struct view text = view_cut(rest, ';');
	struct mapped_device device = { .name = view_trim(view_cut(&text, ',')) };

	device.uuid = view_cut(&text, ',');
	view_cut(&text, ','); /* minor */
	device.is_read_only = view_equal(view_cut(&text, ','), "ro");
	if (device.name.len == 0 || device.name.len >= DM_NAME_LEN ||
	    device.uuid.len >= DM_UUID_LEN || text.len == 0)
		return err_set(err, ERR_FORMAT,
			       "dm-mod.create: not NAME,UUID,MINOR,FLAGS,TABLE but \"%.*s\"",
			       VIEW_ARGS(device.name));
	while (text.len > 0) {
		if (device.table_count == MAPPED_TABLE_COUNT_MAX)
			return err_set(err, ERR_UNSUPPORTED, "dm-mod.create: over %d tables",
				       MAPPED_TABLE_COUNT_MAX);
		if (!parse_table(&device.tables[device.table_count++], view_cut(&text, ','), err))
			return false;
	}
	*out = device;
	return true;
}

/* The head that every request starts with. */
static struct dm_ioctl head_of(const struct mapped_device *device)
{
	struct dm_ioctl head = {
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(head),
		.data_start = sizeof(head),
		.flags = device->is_read_only ? DM_READONLY_FLAG : 0,
	};

	memcpy(head.name, device->name.ptr, device->name.len);
	return head;
}

MUST_CHECK static bool append_target(struct bytes *request, const struct mapped_table *table,
				     struct err *err)
{
	static const char zeros[8] = { 0 };
	struct dm_target_spec spec = { .sector_start = table->start, .length = table->len };
	size_t text_len = (table->arguments.len + 1 + 7) / 8 * 8;

	memcpy(spec.target_type, table->target.ptr, table->target.len);
	spec.next = (uint32_t)(sizeof(spec) + text_len);
	return bytes_append(request, &spec, sizeof(spec), err) &&
	       bytes_append(request, table->arguments.ptr, table->arguments.len, err) &&
	       bytes_append(request, zeros, text_len - table->arguments.len, err);
}

MUST_CHECK static bool load_tables(int fd, const struct mapped_device *device, struct err *err)
{
	enum { REQUEST_BYTES_MAX = 128 << 10 };
	CLEANUP(bytes_freep) struct bytes request = bytes_capped(REQUEST_BYTES_MAX);
	struct dm_ioctl head = head_of(device);

	if (!bytes_append(&request, &head, sizeof(head), err))
		return false;
	for (size_t i = 0; i < device->table_count; i++)
		if (!append_target(&request, &device->tables[i], err))
			return false;
	head.data_size = (uint32_t)request.len;
	head.target_count = (uint32_t)device->table_count;
	memcpy(request.data, &head, sizeof(head));
	return ioctl(fd, DM_TABLE_LOAD, request.data) == 0 ||
	       err_os(err, "load its table (the kernel's log says why)");
}

MUST_CHECK static bool make(int fd, const struct mapped_device *device, struct err *err)
{
	struct dm_ioctl head = head_of(device);

	if (device->uuid.len > 0)
		memcpy(head.uuid, device->uuid.ptr, device->uuid.len);
	if (ioctl(fd, DM_DEV_CREATE, &head) < 0)
		return err_os(err, "create it");
	if (!load_tables(fd, device, err))
		return false;
	head = head_of(device); /* without the suspend flag it means: resume */
	return ioctl(fd, DM_DEV_SUSPEND, &head) == 0 || err_os(err, "start it");
}

bool mapped_device_make(const struct mapped_device *device, struct err *err)
{
	CLEANUP(fd_closep) int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "dm-mod.create: this kernel has no device-mapper, nor the initrd");
	return make(fd, device, err) ||
	       err_wrap(err, "mapped device %.*s", VIEW_ARGS(device->name));
}
