#include "kernel_facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/le.h"
#include "layers/crc.h"

static const char magic[8] = "vmbakeK";

enum {
	FACTS_VERSION = 1, /* another one is another name, so that old files are just not found */
	HEADER_BYTES = 112,
	RELEASE_BYTES = 72,
	EXPORT_BYTES = 12,
	CHECKSUM_BYTES = 4,
	/* offsets in the header */
	VERSION_AT = 8,
	MACHINE_AT = 12,
	EXPORTS_AT = 16,
	NAMES_AT = 20,
	VERMAGIC_AT = 24,
	CONFIG_AT = 28,
	RELEASE_AT = 32,
	/* of an export: u32 checksum, u32 offset of the name, u16 its length, u16 flags */
	NAME_OFFSET_AT = 4,
	NAME_LEN_AT = 8,
	FLAGS_AT = 10,
	FLAG_CRC = 1,
	FLAG_GPL = 2,
};
_Static_assert((int)RELEASE_BYTES >= (int)KERNEL_RELEASE_BYTES, "a release fits");

/* Names of exports, one behind the other, and the rows that point there. */
MUST_CHECK static bool print_exports(struct bytes *rows, struct bytes *names,
				     const struct export_table *exports, struct err *err)
{
	for (size_t i = 0; i < exports->count; i++) {
		const struct export *item = &exports->items[i];
		char row[EXPORT_BYTES];

		if (item->name.len > UINT16_MAX)
			return err_set(err, ERR_UNSUPPORTED, "a symbol of %zu bytes",
				       item->name.len);
		le32_put(row, item->crc);
		le32_put(row + NAME_OFFSET_AT, (uint32_t)names->len);
		le16_put(row + NAME_LEN_AT, (uint16_t)item->name.len);
		le16_put(row + FLAGS_AT, (uint16_t)((item->has_crc ? FLAG_CRC : 0) |
						    (item->is_gpl ? FLAG_GPL : 0)));
		if (!bytes_append(rows, row, sizeof(row), err) ||
		    !bytes_append(names, item->name.ptr, item->name.len, err))
			return false;
	}
	return true;
}

bool kernel_facts_print(struct bytes *out, const struct kernel *kernel, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes rows = bytes_capped(UINT32_MAX);
	CLEANUP(bytes_freep) struct bytes names = bytes_capped(UINT32_MAX);
	size_t config_len = kernel->has_config_beside ? 0 : kernel->config.len;
	char header[HEADER_BYTES] = { 0 }, checksum[CHECKSUM_BYTES];

	if (!print_exports(&rows, &names, &kernel->exports, err))
		return false;
	memcpy(header, magic, sizeof(magic));
	le32_put(header + VERSION_AT, FACTS_VERSION);
	le32_put(header + MACHINE_AT, kernel->machine);
	le32_put(header + EXPORTS_AT, (uint32_t)kernel->exports.count);
	le32_put(header + NAMES_AT, (uint32_t)names.len);
	le32_put(header + VERMAGIC_AT, (uint32_t)kernel->vermagic.len);
	le32_put(header + CONFIG_AT, (uint32_t)config_len);
	memcpy(header + RELEASE_AT, kernel->release, sizeof(kernel->release));
	bytes_clear(out);
	if (!bytes_append(out, header, sizeof(header), err) ||
	    !bytes_append(out, rows.data, rows.len, err) ||
	    !bytes_append(out, names.data, names.len, err) ||
	    !bytes_append(out, kernel->vermagic.ptr, kernel->vermagic.len, err) ||
	    !bytes_append(out, kernel->config.data, config_len, err))
		return false;
	le32_put(checksum, crc32c_add(0, out->data, out->len));
	return bytes_append(out, checksum, sizeof(checksum), err);
}

/* The parts of a file whose lengths add up. */
struct parts {
	size_t export_count;
	struct view rows, names, vermagic, config;
};

static bool split(struct view bytes, struct parts *out)
{
	uint64_t rows, names, vermagic, config;

	if (bytes.len < HEADER_BYTES + CHECKSUM_BYTES ||
	    memcmp(bytes.ptr, magic, sizeof(magic)) != 0 ||
	    le32_get(bytes.ptr + VERSION_AT) != FACTS_VERSION)
		return false;
	size_t summed = bytes.len - CHECKSUM_BYTES;

	out->export_count = le32_get(bytes.ptr + EXPORTS_AT);
	rows = (uint64_t)out->export_count * EXPORT_BYTES; /* of 32 bits each: no sum overflows */
	names = le32_get(bytes.ptr + NAMES_AT);
	vermagic = le32_get(bytes.ptr + VERMAGIC_AT);
	config = le32_get(bytes.ptr + CONFIG_AT);
	if (HEADER_BYTES + rows + names + vermagic + config != summed ||
	    le32_get(bytes.ptr + summed) != crc32c_add(0, bytes.ptr, summed))
		return false;
	out->rows = (struct view){ bytes.ptr + HEADER_BYTES, rows };
	out->names = (struct view){ out->rows.ptr + rows, names };
	out->vermagic = (struct view){ out->names.ptr + names, vermagic };
	out->config = (struct view){ out->vermagic.ptr + vermagic, config };
	return true;
}

static bool read_export(struct export *out, const char *row, struct view names)
{
	uint32_t offset = le32_get(row + NAME_OFFSET_AT);
	uint16_t len = le16_get(row + NAME_LEN_AT), flags = le16_get(row + FLAGS_AT);

	*out = (struct export){ .name = { names.ptr + offset, len },
				.crc = le32_get(row),
				.has_crc = flags & FLAG_CRC,
				.is_gpl = flags & FLAG_GPL };
	return len > 0 && offset <= names.len && len <= names.len - offset;
}

MUST_CHECK static bool read_exports(struct export_table *out, const struct parts *parts,
				    struct err *err)
{
	out->items = calloc(parts->export_count + 1, sizeof(*out->items));
	if (!out->items)
		return err_memory(err, "a kernel's exports");
	out->capacity = parts->export_count + 1;
	for (; out->count < parts->export_count; out->count++)
		if (!read_export(&out->items[out->count],
				 parts->rows.ptr + out->count * EXPORT_BYTES, parts->names))
			return err_set(err, ERR_INTEGRITY, "a kernel's facts that are damaged");
	export_table_sort(out);
	return true;
}

static bool is_release(const char text[RELEASE_BYTES])
{
	size_t len = strnlen(text, KERNEL_RELEASE_BYTES);

	return len > 0 && len < KERNEL_RELEASE_BYTES;
}

bool kernel_facts_parse(struct kernel *out, struct view bytes, struct err *err)
{
	struct parts parts = { 0 };

	if (!bytes_append(&out->image, bytes.ptr, bytes.len, err))
		return false;
	bytes = bytes_view(&out->image);
	if (!split(bytes, &parts) || !is_release(bytes.ptr + RELEASE_AT))
		return err_set(err, ERR_INTEGRITY, "a kernel's facts that are damaged");
	memcpy(out->release, bytes.ptr + RELEASE_AT, sizeof(out->release));
	out->machine = (uint16_t)le32_get(bytes.ptr + MACHINE_AT);
	out->vermagic = parts.vermagic.len > 0 ? parts.vermagic : (struct view){ 0 };
	return bytes_append(&out->config, parts.config.ptr, parts.config.len, err) &&
	       read_exports(&out->exports, &parts, err);
}

/* "config SHA256" and the like, for each file that decides the facts. */
MUST_CHECK static bool add_digest(struct bytes *text, const char *word, const char *path,
				  struct err *err)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	char hex[DIGEST_HEX_BYTES] = "none";

	if (path) {
		if (!file_map_open(&map, AT_FDCWD, path, err))
			return false;
		struct digest digest = digest_of(map.data, map.len);

		digest_hex(&digest, hex);
	}
	return bytes_print(text, err, "%s %s\n", word, hex);
}

MUST_CHECK static bool name_of(char out[DIGEST_HEX_BYTES], const struct kernel_files *files,
			       struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1024);

	if (!bytes_print(&text, err, "facts %d\n", FACTS_VERSION) ||
	    !add_digest(&text, "kernel", files->kernel, err) ||
	    !add_digest(&text, "config", files->config, err) ||
	    !add_digest(&text, "symvers", files->symvers, err))
		return false;
	struct digest digest = digest_of(text.data, text.len);

	digest_hex(&digest, out);
	return true;
}

/* *is_there is false when there are none, or none that are whole. */
MUST_CHECK static bool find(struct kernel *out, int dir_fd, const char *name,
			    struct report *report, bool *is_there, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(out->image.cap_max);
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct err why = { 0 };

	*is_there = file_slurp(&bytes, dir_fd, name, &why) &&
		    kernel_facts_parse(&kernel, bytes_view(&bytes), &why);
	if (*is_there) {
		file_touch(dir_fd, name);
		kernel_freep(out);
		*out = kernel;
		kernel = KERNEL_NONE;
		return true;
	}
	if (why.kind == ERR_INTEGRITY)
		report_note(report, "%s: they are made again", why.msg);
	else if (why.kind != ERR_NOT_FOUND)
		*err = why;
	return why.kind == ERR_INTEGRITY || why.kind == ERR_NOT_FOUND;
}

MUST_CHECK static bool keep(const struct kernel *kernel, int dir_fd, const char *name,
			    struct report *report, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(kernel->image.cap_max);
	struct err why = { 0 };

	if (!kernel_facts_print(&bytes, kernel, err))
		return false;
	if (!file_write_whole(dir_fd, name, 0644, bytes_view(&bytes), &why))
		report_note(report, "what is known of kernel %s is not kept: %s", kernel->release,
			    why.msg);
	return true;
}

bool kernel_facts_open(struct kernel *out, int dir_fd, const struct kernel_files *files,
		       struct report *report, struct err *err)
{
	char name[DIGEST_HEX_BYTES];
	bool is_there = false;

	if (dir_fd < 0)
		return kernel_open(out, files, err);
	if (!name_of(name, files, err) || !find(out, dir_fd, name, report, &is_there, err))
		return false;
	if (is_there)
		return out->config.len > 0 || kernel_read_config_beside(out, files->kernel, err);
	return kernel_open(out, files, err) && keep(out, dir_fd, name, report, err);
}
