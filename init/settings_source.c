#include "settings_source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "block.h"
#include "cmdline.h"
#include "init/contract/settings_disk.h"
#include "init/contract/settings_keys.h"
#include "say.h"

bool settings_from_cmdline(struct json_t **out, struct view cmdline, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = json_new_object();
	struct cmdline_option option;

	while (cmdline_next(&cmdline, &option)) {
		struct view name = view_from(option.name, strlen(SETTINGS_PREFIX));

		if (view_starts(option.name, SETTINGS_PREFIX) &&
		    !settings_put(document, name, option.value, err))
			return false;
	}
	*out = ptr_take(&document);
	return true;
}

MUST_CHECK static bool read_disk(struct bytes *out, int root_fd, const char *name, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	char header[SETTINGS_HEADER_BYTES], path[300], *room = NULL;
	uint32_t len = 0;

	snprintf(path, sizeof(path), "dev/%s", name);
	return file_open(&fd, root_fd, path, O_RDONLY, err) &&
	       file_pread(fd, header, sizeof(header), 0, path, err) &&
	       settings_disk_header((struct view){ header, sizeof(header) }, &len, err) &&
	       bytes_grow(out, len, &room, err) &&
	       file_pread(fd, room, len, sizeof(header), path, err);
}

/* Is it one? By serial it is meant to be one even when its content is broken. */
static bool is_settings_disk(int root_fd, const char *name)
{
	char serial[BLOCK_SERIAL_BYTES], start[SETTINGS_MAGIC_BYTES];

	block_serial(root_fd, name, serial);
	if (strcmp(serial, SETTINGS_DISK_SERIAL) == 0)
		return true;
	return block_read_start(root_fd, name, start, sizeof(start)) &&
	       settings_disk_is((struct view){ start, sizeof(start) });
}

static void tell_unknown(const struct json_t *document, const char *where)
{
	void *position = NULL;
	const char *unknown;

	while ((unknown = settings_unknown_key(document, &position)))
		say("%s: \"%.100s\" is no setting", where, unknown);
}

MUST_CHECK static bool apply_disk(struct settings *settings, int root_fd, const char *name,
				  bool tells_unknown, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(SETTINGS_BYTES_MAX);
	CLEANUP(json_freep) struct json_t *document = NULL;

	if (!read_disk(&text, root_fd, name, err) ||
	    !json_parse(&document, bytes_view(&text), err) ||
	    !settings_apply(settings, document, err))
		return err_wrap(err, "settings disk %s", name);
	if (tells_unknown)
		tell_unknown(document, "settings disk");
	return true;
}

/* The one settings disk's name; "" when there is none. */
MUST_CHECK static bool find_disk(char out[BLOCK_NAME_BYTES], int root_fd, struct err *err)
{
	CLEANUP(block_names_freep) struct block_names names = { 0 };
	const char *found = NULL;

	out[0] = '\0';
	if (!block_list(&names, root_fd, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!is_settings_disk(root_fd, names.items[i]))
			continue;
		if (found)
			return err_set(err, ERR_FORMAT, "two settings disks: %s and %s", found,
				       names.items[i]);
		found = names.items[i];
	}
	if (found)
		memcpy(out, found, BLOCK_NAME_BYTES);
	return true;
}

bool settings_gather(struct settings *out, int root_fd, struct view cmdline, bool tells_unknown,
		     struct err *err)
{
	CLEANUP(settings_freep) struct settings settings = settings_default();
	CLEANUP(json_freep) struct json_t *document = NULL;
	char disk[BLOCK_NAME_BYTES];

	if (!find_disk(disk, root_fd, err) ||
	    (disk[0] != '\0' && !apply_disk(&settings, root_fd, disk, tells_unknown, err)))
		return false;
	if (!settings_from_cmdline(&document, cmdline, err) ||
	    !settings_apply(&settings, document, err))
		return err_wrap(err, "kernel command line");
	if (tells_unknown)
		tell_unknown(document, "kernel command line");
	*out = settings;
	settings.arena = (struct arena){ 0 };
	return true;
}

void settings_take_report(struct settings *settings, struct view cmdline)
{
	struct view port = { 0 }, vsock_port = { 0 };
	uint64_t number = 0;

	if (cmdline_find(cmdline, SETTINGS_PREFIX SETTING_REPORT_PORT, &port) && port.len > 0)
		settings->report_port = arena_copy(&settings->arena, port.ptr, port.len);
	if (cmdline_find(cmdline, SETTINGS_PREFIX SETTING_REPORT_VSOCK_PORT, &vsock_port) &&
	    view_number(vsock_port, 10, UINT32_MAX - 1, &number))
		settings->report_vsock_port = (uint32_t)number;
}
