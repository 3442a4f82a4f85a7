#include "settings_source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/le.h"
#include "block.h"
#include "cmdline.h"
#include "say.h"

enum key_kind { KEY_TEXT, KEY_NUMBER, KEY_FLAG, KEY_LIST, KEY_PAIRS, KEY_OBJECTS };

/* All there are; settings.schema.json says the same to people and editors. */
static const struct key {
	const char *name;
	enum key_kind kind;
} keys[] = {
	{ "entrypoint", KEY_LIST },
	{ "cmd", KEY_LIST },
	{ "env", KEY_PAIRS },
	{ "user", KEY_TEXT },
	{ "workdir", KEY_TEXT },
	{ "terminal", KEY_FLAG },
	{ "hostname", KEY_TEXT },
	{ "network", KEY_OBJECTS },
	{ "dns", KEY_LIST },
	{ "dns-search", KEY_LIST },
	{ "dns-options", KEY_LIST },
	{ "hosts", KEY_LIST },
	{ "mounts", KEY_OBJECTS },
	{ "shm-size", KEY_TEXT },
	{ "rlimits", KEY_PAIRS },
	{ "sysctls", KEY_PAIRS },
	{ "capabilities", KEY_LIST },
	{ "no-new-privs", KEY_FLAG },
	{ "report-port", KEY_TEXT },
	{ "report-vsock-port", KEY_NUMBER },
	{ "grace-seconds", KEY_NUMBER },
	{ "shutdown", KEY_TEXT },
	{ "gpu", KEY_TEXT },
	{ "gpu-scan", KEY_FLAG },
	{ "gpu-timeout-seconds", KEY_NUMBER },
	{ "lock-modules", KEY_FLAG },
	{ "grow", KEY_FLAG },
	{ "overlay", KEY_TEXT },
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

size_t settings_key_count(void)
{
	return KEY_COUNT;
}

static const struct key *find_key(struct view name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (view_equal(name, keys[i].name))
			return &keys[i];
	return NULL;
}

const char *settings_unknown_key(const struct json_t *document, void **position)
{
	const struct json_t *value;
	const char *name;

	while (json_next_member(document, position, &name, &value))
		if (!find_key(view_of(name)))
			return name;
	return NULL;
}

static struct json_t *split(struct view text)
{
	struct json_t *array = json_new_array();

	while (text.len > 0) {
		CLEANUP(freep) char *item = view_copy(view_cut(&text, ','));

		json_add_text(array, item);
	}
	return array;
}

MUST_CHECK static bool put_flag(struct json_t *object, const char *key, struct view value,
				struct err *err)
{
	bool is_on = value.len == 0 || view_equal(value, "on") || view_equal(value, "true") ||
		     view_equal(value, "1");
	bool is_off = view_equal(value, "off") || view_equal(value, "false") ||
		      view_equal(value, "0");

	if (!is_on && !is_off)
		return err_set(err, ERR_FORMAT, "\"%s\" is neither on nor off: %.*s", key,
			       VIEW_ARGS(value));
	json_put_bool(object, key, is_on);
	return true;
}

MUST_CHECK static bool put_value(struct json_t *object, const struct key *key, struct view value,
				 struct err *err)
{
	struct json_t *json = NULL;
	uint64_t number = 0;

	if (view_starts(value, "[") || view_starts(value, "{")) {
		if (!json_parse(&json, value, err))
			return err_wrap(err, "\"%s\"", key->name);
		json_put(object, key->name, json);
		return true;
	}
	switch (key->kind) {
	case KEY_TEXT:
		json_put_view(object, key->name, value);
		return true;
	case KEY_NUMBER:
		if (!view_number(value, 10, UINT32_MAX, &number))
			return err_set(err, ERR_FORMAT, "\"%s\" is no number: %.*s", key->name,
				       VIEW_ARGS(value));
		json_put_size(object, key->name, number);
		return true;
	case KEY_FLAG:
		return put_flag(object, key->name, value, err);
	case KEY_LIST:
		json_put(object, key->name, split(value));
		return true;
	case KEY_PAIRS:
	case KEY_OBJECTS:
		break;
	}
	return err_set(err, ERR_FORMAT, "\"%s\" has to be JSON", key->name);
}

/* vmbake.env.NAME=VALUE and the like, all of one key into one object. */
MUST_CHECK static bool put_pairs(struct json_t *document, struct view cmdline,
				 const struct key *key, struct err *err)
{
	CLEANUP(json_freep) struct json_t *object = json_new_object();
	struct cmdline_option option;
	bool is_any = false;

	while (cmdline_next(&cmdline, &option)) {
		struct view name = view_from(option.name, strlen("vmbake."));

		if (!view_starts(option.name, "vmbake.") ||
		    !view_equal(view_cut(&name, '.'), key->name) || name.len == 0)
			continue;
		CLEANUP(freep) char *copy = view_copy(name);

		if (!copy)
			return err_memory(err, "a setting");
		json_put_view(object, copy, option.value);
		is_any = true;
	}
	if (is_any)
		json_put(document, key->name, ptr_take(&object));
	return true;
}

/* One option of ours; what is no setting is kept by its name, to be told. */
MUST_CHECK static bool put_option(struct json_t *document, const struct cmdline_option *option,
				  struct err *err)
{
	struct view part = view_from(option->name, strlen("vmbake.")), name = view_cut(&part, '.');
	const struct key *key = find_key(name);

	if (!key) {
		CLEANUP(freep) char *copy = view_copy(name);

		if (!copy)
			return err_memory(err, "a setting");
		json_put_view(document, copy, option->value);
		return true;
	}
	if (!part.ptr)
		return put_value(document, key, option->value, err);
	return key->kind == KEY_PAIRS || err_set(err, ERR_FORMAT, "\"%s\" has no parts", key->name);
}

bool settings_from_cmdline(struct json_t **out, struct view cmdline, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = json_new_object();
	struct view rest = cmdline;
	struct cmdline_option option;

	while (cmdline_next(&rest, &option))
		if (view_starts(option.name, "vmbake.") && !put_option(document, &option, err))
			return false;
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].kind == KEY_PAIRS && !put_pairs(document, cmdline, &keys[i], err))
			return false;
	*out = ptr_take(&document);
	return true;
}

static const char magic[SETTINGS_MAGIC_BYTES] = "vmbake-run/1";

bool settings_disk_is(struct view start)
{
	return start.len >= sizeof(magic) && memcmp(start.ptr, magic, sizeof(magic)) == 0;
}

bool settings_disk_header(struct view header, uint32_t *len, struct err *err)
{
	if (header.len < SETTINGS_HEADER_BYTES || !settings_disk_is(header))
		return err_set(err, ERR_FORMAT, "it does not start with %s", magic);
	uint32_t json_len = le32_get(header.ptr + SETTINGS_MAGIC_BYTES);

	if (json_len == 0 || json_len > SETTINGS_BYTES_MAX)
		return err_set(err, ERR_FORMAT, "its length of %u bytes is not 1 to %d", json_len,
			       SETTINGS_BYTES_MAX);
	*len = json_len;
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

	if (cmdline_find(cmdline, "vmbake.report-port", &port) && port.len > 0)
		settings->report_port = arena_copy(&settings->arena, port.ptr, port.len);
	if (cmdline_find(cmdline, "vmbake.report-vsock-port", &vsock_port) &&
	    view_number(vsock_port, 10, UINT32_MAX - 1, &number))
		settings->report_vsock_port = (uint32_t)number;
}
