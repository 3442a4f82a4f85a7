#include "tar_entry.h"

#include "tar_reader.h"

enum {
	SHOWN_NAME_BYTES_MAX = 200, /* in error sentences */
	MAJOR_MAX = (1 << 12) - 1, /* Linux: MINORBITS of include/linux/kdev_t.h */
	MINOR_MAX = (1 << 20) - 1,
};

/* The records that count for this entry. */
MUST_CHECK static bool read_pax(struct tar_reader *reader, struct err *err)
{
	struct bytes *text = &reader->pax_text;

	tar_pax_clear(&reader->pax);
	tar_map_clear(&reader->map);
	if (text->len == 0 && !tar_reader_begin_pax(reader, err))
		return false;
	return text->len == 0 || tar_pax_parse(&reader->pax, text->data, text->len, &reader->map,
					       reader->caps.xattr_bytes, err);
}

bool tar_entry_check_global(struct tar_reader *reader, struct err *err)
{
	if (reader->pax_text.len > 0)
		return true; /* between an entry and its records: told with the next entry */
	bool is_right = read_pax(reader, err);

	bytes_clear(&reader->pax_text);
	return is_right || err_wrap(err, "a global header");
}

/* What came in front of the header block wins over the name in it, which out has already. */
static void read_names(struct tar_reader *reader, struct tar_entry *out)
{
	const struct view *values = reader->pax.values;

	if (reader->long_name.len > 0)
		out->path = bytes_view(&reader->long_name);
	else if (values[TAR_SPARSE_NAME].len > 0)
		out->path = values[TAR_SPARSE_NAME];
	else if (values[TAR_PATH].len > 0)
		out->path = values[TAR_PATH];
	if (reader->long_link.len > 0)
		out->link = bytes_view(&reader->long_link);
	else if (values[TAR_LINK].len > 0)
		out->link = values[TAR_LINK];
	else
		out->link = tar_text(reader->block.link, sizeof(reader->block.link));
}

static enum entry_kind kind_of(char type, struct view path)
{
	switch (type) {
	case '1':
		return ENTRY_HARDLINK;
	case '2':
		return ENTRY_SYMLINK;
	case '3':
		return ENTRY_CHAR;
	case '4':
		return ENTRY_BLOCK;
	case '5':
	case 'D': /* GNU incremental: its body lists what the folder held */
		return ENTRY_DIR;
	case '6':
		return ENTRY_FIFO;
	case '\0': /* V7 had no type for folders */
		return view_ends(path, "/") ? ENTRY_DIR : ENTRY_FILE;
	default: /* POSIX: what is not known is a file */
		return ENTRY_FILE;
	}
}

/* A number from its PAX record, else from its field. */
MUST_CHECK static bool read_number(struct view record, const char field[8], const char *what,
				   uint32_t max, uint32_t *out, struct err *err)
{
	uint64_t value = 0;
	int64_t number = 0;
	bool is_number = false;

	if (record.len > 0) {
		is_number = view_number(record, 10, UINT64_MAX, &value);
	} else {
		is_number = tar_number(field, 8, &number) && number >= 0;
		value = (uint64_t)number;
	}
	if (!is_number)
		return err_set(err, ERR_FORMAT, "a broken %s", what);
	if (value > max)
		return err_set(err, ERR_UNSUPPORTED, "%s %llu, the most is %u", what,
			       (unsigned long long)value, max);
	*out = (uint32_t)value;
	return true;
}

MUST_CHECK static bool read_time(const struct tar_reader *reader, struct tar_entry *out,
				 struct err *err)
{
	struct view record = reader->pax.values[TAR_MTIME];
	bool is_time = record.len > 0 ? tar_pax_time(record, &out->mtime_seconds, &out->mtime_ns)
				      : tar_number(reader->block.mtime, sizeof(reader->block.mtime),
						   &out->mtime_seconds);

	return is_time || err_set(err, ERR_FORMAT, "a broken mtime");
}

MUST_CHECK static bool read_device(const struct tar_reader *reader, struct tar_entry *out,
				   struct err *err)
{
	const struct tar_block *block = &reader->block;
	const struct view *values = reader->pax.values;
	bool is_device = out->kind == ENTRY_CHAR || out->kind == ENTRY_BLOCK;

	if (!is_device || tar_format_of(block) == TAR_V7)
		return true;
	return read_number(values[TAR_RDEV_MAJOR], block->rdev_major, "device major", MAJOR_MAX,
			   &out->rdev_major, err) &&
	       read_number(values[TAR_RDEV_MINOR], block->rdev_minor, "device minor", MINOR_MAX,
			   &out->rdev_minor, err);
}

MUST_CHECK static bool read_attributes(const struct tar_reader *reader, struct tar_entry *out,
				       struct err *err)
{
	const struct tar_block *block = &reader->block;
	const struct view *values = reader->pax.values;
	int64_t mode = 0;

	if (!tar_number(block->mode, sizeof(block->mode), &mode))
		return err_set(err, ERR_FORMAT, "a broken mode");
	out->mode = (uint32_t)mode & 07777;
	out->xattrs = reader->pax.xattrs.sorted;
	out->xattr_count = reader->pax.xattrs.count;
	return read_number(values[TAR_UID], block->uid, "uid", UINT32_MAX, &out->uid, err) &&
	       read_number(values[TAR_GID], block->gid, "gid", UINT32_MAX, &out->gid, err) &&
	       read_time(reader, out, err) && read_device(reader, out, err);
}

/* The blocks of an old GNU map that did not fit into the header. */
MUST_CHECK static bool take_map_blocks(struct tar_reader *reader, struct err *err)
{
	struct {
		struct tar_sparse_field fields[21];
		char is_extended;
		char rest[7];
	} extension;
	_Static_assert(sizeof(extension) == TAR_BLOCK_BYTES, "an extension is one block");
	bool is_extended = reader->block.gnu.is_extended != 0;

	while (is_extended) {
		if (!tar_reader_take(reader, &extension, sizeof(extension), err) ||
		    !tar_map_add_fields(&reader->map, extension.fields, 21, err))
			return false;
		is_extended = extension.is_extended != 0;
	}
	return true;
}

MUST_CHECK static bool read_old_sparse(struct tar_reader *reader, struct tar_entry *out,
				       struct err *err)
{
	const struct tar_block *block = &reader->block;
	int64_t size = 0;

	if (tar_format_of(block) != TAR_GNU)
		return err_set(err, ERR_UNSUPPORTED, "a sparse file that is not in GNU's form");
	if (!tar_number(block->gnu.real_size, sizeof(block->gnu.real_size), &size) || size < 0)
		return err_set(err, ERR_FORMAT, "a broken size");
	out->size = (uint64_t)size;
	out->is_sparse = true;
	return tar_map_add_fields(&reader->map, block->gnu.sparse, 4, err) &&
	       take_map_blocks(reader, err);
}

/* PAX 1.0: the map is the first blocks of the body. */
MUST_CHECK static bool take_map_text(struct tar_reader *reader, struct tar_entry *out,
				     struct err *err)
{
	struct tar_map_text text = { 0 };
	char block[TAR_BLOCK_BYTES];
	bool is_whole = false;

	while (!is_whole) {
		if (out->stored_bytes < sizeof(block))
			return err_set(err, ERR_FORMAT, "its sparse map is longer than its body");
		if (!tar_reader_take(reader, block, sizeof(block), err) ||
		    !tar_map_add_text(&reader->map, &text, block, &is_whole, err))
			return false;
		out->stored_bytes -= sizeof(block);
	}
	return true;
}

MUST_CHECK static bool read_map_list(struct tar_reader *reader, struct err *err)
{
	struct view list = reader->pax.values[TAR_SPARSE_MAP];
	uint64_t count = 0;

	if (!view_number(reader->pax.values[TAR_SPARSE_COUNT], 10, UINT32_MAX, &count))
		return err_set(err, ERR_FORMAT, "a broken count of sparse segments");
	if (list.len > 0 && !tar_map_add_list(&reader->map, list, err))
		return false;
	if (reader->map.count != count)
		return err_set(err, ERR_FORMAT, "its sparse map has %zu segments, it says %llu",
			       reader->map.count, (unsigned long long)count);
	return true;
}

MUST_CHECK static bool read_pax_sparse(struct tar_reader *reader, struct tar_entry *out,
				       struct err *err)
{
	const struct view *values = reader->pax.values;
	struct view major = values[TAR_SPARSE_MAJOR], minor = values[TAR_SPARSE_MINOR];
	struct view size = values[TAR_SPARSE_SIZE];
	bool is_in_body = view_equal(major, "1") && view_equal(minor, "0");
	bool is_in_records = (view_equal(major, "0") &&
			      (view_equal(minor, "0") || view_equal(minor, "1"))) ||
			     (major.len == 0 && minor.len == 0);

	if (!is_in_body && !is_in_records)
		return err_set(err, ERR_UNSUPPORTED, "a sparse file in form %.*s.%.*s",
			       VIEW_ARGS(major), VIEW_ARGS(minor));
	if (size.len == 0)
		size = values[TAR_SPARSE_REALSIZE];
	if (size.len > 0 && !view_number(size, 10, INT64_MAX, &out->size))
		return err_set(err, ERR_FORMAT, "a broken size");
	out->is_sparse = true;
	return is_in_body ? take_map_text(reader, out, err) : read_map_list(reader, err);
}

MUST_CHECK static bool read_sparse(struct tar_reader *reader, struct tar_entry *out,
				   struct err *err)
{
	const struct view *values = reader->pax.values;
	bool is_pax = values[TAR_SPARSE_MAJOR].len > 0 || values[TAR_SPARSE_MINOR].len > 0 ||
		      values[TAR_SPARSE_MAP].len > 0 || reader->map.count > 0;

	if (reader->block.type == 'S') {
		if (!read_old_sparse(reader, out, err))
			return false;
	} else if (is_pax) {
		if (!read_pax_sparse(reader, out, err))
			return false;
	} else {
		return true;
	}
	if (!tar_map_check(&reader->map, out->size, out->stored_bytes, err))
		return false;
	out->segments = reader->map.segments;
	out->segment_count = reader->map.count;
	return true;
}

/* Only files have bodies: a size on anything else is history or a mistake, and nothing follows. */
MUST_CHECK static bool read_sizes(struct tar_reader *reader, struct tar_entry *out,
				  struct err *err)
{
	struct view record = reader->pax.values[TAR_SIZE];
	uint64_t size = 0;

	if (record.len > 0 && !view_number(record, 10, INT64_MAX, &size))
		return err_set(err, ERR_FORMAT, "a broken size");
	if (record.len == 0 && !tar_reader_take_size(reader, &size, err))
		return false;
	if (reader->block.type == 'D')
		tar_reader_set_body(reader, size);
	if (out->kind != ENTRY_FILE)
		return true;
	out->size = size;
	out->stored_bytes = size;
	if (!read_sparse(reader, out, err))
		return false;
	if (out->size > reader->caps.file_bytes)
		return err_set(err, ERR_UNSUPPORTED, "a file of %llu bytes, the most is %llu",
			       (unsigned long long)out->size,
			       (unsigned long long)reader->caps.file_bytes);
	tar_reader_set_body(reader, out->stored_bytes);
	return true;
}

bool tar_entry_read(struct tar_reader *reader, struct tar_entry *out, struct err *err)
{
	size_t name_len = tar_header_name(&reader->block, reader->name);
	struct tar_entry entry = { .path = { reader->name, name_len } };
	bool is_read = read_pax(reader, err);

	if (is_read) {
		read_names(reader, &entry);
		entry.kind = kind_of(reader->block.type, entry.path);
		is_read = read_attributes(reader, &entry, err) && read_sizes(reader, &entry, err);
	}
	if (!is_read) {
		if (entry.path.len > SHOWN_NAME_BYTES_MAX)
			entry.path.len = SHOWN_NAME_BYTES_MAX;
		return err_wrap(err, "entry '%.*s'", VIEW_ARGS(entry.path));
	}
	*out = entry;
	return true;
}
