#include "index.h"

#include <stdlib.h>

#include "base/le.h"
#include "crc.h"

static const char magic[8] = "vmbakeL";

enum {
	INDEX_VERSION = 1,
	CHECKSUM_BYTES = 4, /* CRC-32C of all before it, at the end */
	XATTR_HEAD_BYTES = 6, /* u16 length of the name, u32 length of the value */
};

/* At the start of the file; entries, extents, strings and the checksum follow without a gap. */
struct index_header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes;
	uint64_t entry_count, extent_count, string_bytes;
	uint64_t data_bytes, body_bytes;
	uint8_t diff_id[32];
};
_Static_assert(sizeof(struct index_header) == 88, "no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "an index is used in place");

struct xattr_cursor index_xattrs(const struct index *index, const struct index_entry *entry)
{
	return (struct xattr_cursor){
		{ index->strings.ptr + entry->xattrs_offset, entry->xattrs_len }
	};
}

bool xattr_next(struct xattr_cursor *cursor, struct xattr *out)
{
	struct view rest = cursor->rest;

	if (rest.len < XATTR_HEAD_BYTES)
		return false;
	size_t name_len = le16_get(rest.ptr), value_len = le32_get(rest.ptr + 2);

	if (rest.len - XATTR_HEAD_BYTES < name_len + value_len)
		return false;
	out->name = (struct view){ rest.ptr + XATTR_HEAD_BYTES, name_len };
	out->value = (struct view){ out->name.ptr + name_len, value_len };
	cursor->rest = view_from(rest, XATTR_HEAD_BYTES + name_len + value_len);
	return true;
}

static bool is_inside(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

static bool xattrs_are_whole(const struct index *index, const struct index_entry *entry)
{
	struct xattr_cursor cursor = index_xattrs(index, entry);
	struct xattr xattr;

	while (xattr_next(&cursor, &xattr))
		;
	return cursor.rest.len == 0;
}

static bool extents_are_right(const struct index *index, const struct index_entry *entry)
{
	uint64_t next = 0, data_blocks = index->data_bytes / INDEX_BLOCK_BYTES;
	uint64_t body_blocks = entry->size / INDEX_BLOCK_BYTES +
			       (entry->size % INDEX_BLOCK_BYTES != 0);

	if (!is_inside(entry->extent_first, entry->extent_count, index->extent_count))
		return false;
	for (uint32_t i = 0; i < entry->extent_count; i++) {
		const struct extent *extent = &index->extents[entry->extent_first + i];

		if (extent->block < next || extent->block_count == 0 ||
		    !is_inside(extent->block, extent->block_count, body_blocks) ||
		    !is_inside(extent->data_block, extent->block_count, data_blocks))
			return false;
		next = extent->block + extent->block_count;
	}
	return true;
}

static bool entry_is_right(const struct index *index, const struct index_entry *entry)
{
	size_t strings = index->strings.len;

	return entry->kind > 0 && entry->kind < ENTRY_KIND_END &&
	       entry->mtime_ns < 1000000000 && (entry->mode & ~07777u) == 0 &&
	       is_inside(entry->path_offset, entry->path_len, strings) &&
	       is_inside(entry->link_offset, entry->link_len, strings) &&
	       is_inside(entry->xattrs_offset, entry->xattrs_len, strings) &&
	       (entry->kind == ENTRY_FILE || entry->size == 0) &&
	       xattrs_are_whole(index, entry) && extents_are_right(index, entry);
}

/* Do the counts add up to exactly these bytes? */
static bool lengths_fit(const struct index_header *header, size_t len)
{
	uint64_t entries, extents, sum;

	return !__builtin_mul_overflow(header->entry_count, sizeof(struct index_entry), &entries) &&
	       !__builtin_mul_overflow(header->extent_count, sizeof(struct extent), &extents) &&
	       !__builtin_add_overflow(entries, extents, &sum) &&
	       !__builtin_add_overflow(sum, header->string_bytes, &sum) &&
	       !__builtin_add_overflow(sum, sizeof(*header) + CHECKSUM_BYTES, &sum) && sum == len &&
	       header->header_bytes == sizeof(*header) &&
	       header->data_bytes % INDEX_BLOCK_BYTES == 0;
}

bool index_parse(struct index *out, struct view bytes, struct err *err)
{
	struct index_header header;

	if (bytes.len < sizeof(header) + CHECKSUM_BYTES ||
	    memcmp(bytes.ptr, magic, sizeof(magic)) != 0)
		return err_set(err, ERR_INTEGRITY, "not a layer index");
	memcpy(&header, bytes.ptr, sizeof(header));
	if (header.version != INDEX_VERSION)
		return err_set(err, ERR_INTEGRITY, "a layer index of version %u, not %d",
			       header.version, INDEX_VERSION);
	size_t summed = bytes.len - CHECKSUM_BYTES;

	if (!lengths_fit(&header, bytes.len) ||
	    le32_get(bytes.ptr + summed) != crc32c_add(0, bytes.ptr, summed))
		return err_set(err, ERR_INTEGRITY, "a layer index that is damaged");
	const void *entries = bytes.ptr + sizeof(header);
	struct index index = { .entries = entries,
			       .entry_count = header.entry_count,
			       .extent_count = header.extent_count,
			       .data_bytes = header.data_bytes,
			       .body_bytes = header.body_bytes };
	const void *extents = index.entries + index.entry_count;

	index.extents = extents;
	index.strings.ptr = (const char *)(index.extents + index.extent_count);
	index.strings.len = header.string_bytes;
	memcpy(index.diff_id.sha256, header.diff_id, sizeof(header.diff_id));
	for (uint64_t i = 0; i < index.entry_count; i++)
		if (!entry_is_right(&index, &index.entries[i]))
			return err_set(err, ERR_INTEGRITY, "a layer index whose entry %llu is off",
				       (unsigned long long)i);
	*out = index;
	return true;
}

bool index_open(struct index *out, int dir_fd, const char *path, struct err *err)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };

	if (!file_map_open(&map, dir_fd, path, err))
		return false;
	if (!index_parse(out, (struct view){ (const char *)map.data, map.len }, err))
		return err_wrap(err, "%s", path);
	out->map = map;
	map = (struct file_map){ 0 };
	return true;
}

bool index_peek(uint64_t *entry_count, int dir_fd, const char *path)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct index_header header;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.magic, magic, sizeof(magic)) != 0 || header.version != INDEX_VERSION)
		return false;
	*entry_count = header.entry_count;
	return true;
}

void index_closep(struct index *index)
{
	file_map_closep(&index->map);
	*index = (struct index){ 0 };
}

struct index_builder {
	struct bytes entries, extents, strings;
	uint64_t body_bytes;
};

bool index_builder_new(struct index_builder **out, struct err *err)
{
	struct index_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return err_memory(err, "a layer index");
	builder->entries = bytes_capped((size_t)UINT32_MAX * sizeof(struct index_entry));
	builder->extents = bytes_capped((size_t)UINT32_MAX * sizeof(struct extent));
	builder->strings = bytes_capped(UINT32_MAX);
	*out = builder;
	return true;
}

void index_builder_freep(struct index_builder **builder)
{
	if (!*builder)
		return;
	bytes_freep(&(*builder)->entries);
	bytes_freep(&(*builder)->extents);
	bytes_freep(&(*builder)->strings);
	free(*builder);
	*builder = NULL;
}

uint64_t index_builder_string_bytes(const struct index_builder *builder)
{
	return builder->strings.len;
}

uint64_t index_builder_extents(const struct index_builder *builder)
{
	return builder->extents.len / sizeof(struct extent);
}

MUST_CHECK static bool add_string(struct index_builder *builder, struct view text,
				  uint32_t *offset, uint32_t *len, struct err *err)
{
	*offset = (uint32_t)builder->strings.len;
	*len = (uint32_t)text.len;
	return bytes_append(&builder->strings, text.ptr, text.len, err);
}

static int compare_names(const void *a, const void *b)
{
	const struct xattr *left = a, *right = b;

	return view_compare(left->name, right->name);
}

MUST_CHECK static bool add_xattr(struct index_builder *builder, const struct xattr *xattr,
				 struct err *err)
{
	char head[XATTR_HEAD_BYTES];

	if (xattr->name.len > UINT16_MAX || xattr->value.len > UINT32_MAX)
		return err_set(err, ERR_UNSUPPORTED, "an xattr of %zu bytes", xattr->value.len);
	le16_put(head, (uint16_t)xattr->name.len);
	le32_put(head + 2, (uint32_t)xattr->value.len);
	return bytes_append(&builder->strings, head, sizeof(head), err) &&
	       bytes_append(&builder->strings, xattr->name.ptr, xattr->name.len, err) &&
	       bytes_append(&builder->strings, xattr->value.ptr, xattr->value.len, err);
}

MUST_CHECK static bool add_xattrs(struct index_builder *builder, const struct entry *entry,
				  struct index_entry *stored, struct err *err)
{
	CLEANUP(freep) struct xattr *sorted = NULL;
	size_t start = builder->strings.len;

	if (entry->xattr_count == 0)
		return true;
	sorted = calloc(entry->xattr_count, sizeof(*sorted));
	if (!sorted)
		return err_memory(err, "xattrs");
	memcpy(sorted, entry->xattrs, entry->xattr_count * sizeof(*sorted));
	qsort(sorted, entry->xattr_count, sizeof(*sorted), compare_names);
	for (size_t i = 0; i < entry->xattr_count; i++)
		if (!add_xattr(builder, &sorted[i], err))
			return false;
	stored->xattrs_offset = (uint32_t)start;
	stored->xattrs_len = (uint32_t)(builder->strings.len - start);
	return true;
}

bool index_builder_add(struct index_builder *builder, const struct entry *entry, struct err *err)
{
	struct index_entry stored = {
		.size = entry->size,
		.mtime_seconds = entry->mtime_seconds,
		.mtime_ns = entry->mtime_ns,
		.extent_first = index_builder_extents(builder),
		.extent_count = (uint32_t)entry->extent_count,
		.uid = entry->uid,
		.gid = entry->gid,
		.mode = entry->mode,
		.rdev_major = entry->rdev_major,
		.rdev_minor = entry->rdev_minor,
		.body_crc32c = entry->body_crc32c,
		.kind = (uint8_t)entry->kind,
	};

	if (entry->extent_count > UINT32_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a file of %zu extents", entry->extent_count);
	if (!add_string(builder, entry->path, &stored.path_offset, &stored.path_len, err) ||
	    !add_string(builder, entry->link, &stored.link_offset, &stored.link_len, err) ||
	    !add_xattrs(builder, entry, &stored, err) ||
	    !bytes_append(&builder->extents, entry->extents,
			  entry->extent_count * sizeof(*entry->extents), err) ||
	    !bytes_append(&builder->entries, &stored, sizeof(stored), err))
		return err_wrap(err, "the layer's index");
	builder->body_bytes += entry->size;
	return true;
}

/* The file in its parts, header to checksum; header and checksum are the caller's memory. */
enum { PART_COUNT = 5 };

static void assemble(struct index_builder *builder, uint64_t data_bytes,
		     const struct digest *diff_id, struct index_header *header,
		     char checksum[CHECKSUM_BYTES], struct iovec parts[PART_COUNT])
{
	uint32_t crc = 0;

	*header = (struct index_header){
		.version = INDEX_VERSION,
		.header_bytes = sizeof(*header),
		.entry_count = builder->entries.len / sizeof(struct index_entry),
		.extent_count = index_builder_extents(builder),
		.string_bytes = builder->strings.len,
		.data_bytes = data_bytes,
		.body_bytes = builder->body_bytes,
	};
	memcpy(header->magic, magic, sizeof(magic));
	if (diff_id)
		memcpy(header->diff_id, diff_id->sha256, sizeof(header->diff_id));
	parts[0] = (struct iovec){ header, sizeof(*header) };
	parts[1] = (struct iovec){ builder->entries.data, builder->entries.len };
	parts[2] = (struct iovec){ builder->extents.data, builder->extents.len };
	parts[3] = (struct iovec){ builder->strings.data, builder->strings.len };
	for (size_t i = 0; i < PART_COUNT - 1; i++)
		crc = crc32c_add(crc, parts[i].iov_base, parts[i].iov_len);
	le32_put(checksum, crc);
	parts[4] = (struct iovec){ checksum, CHECKSUM_BYTES };
}

bool index_builder_finish(struct index_builder *builder, uint64_t data_bytes,
			  const struct digest *diff_id, struct bytes *out, struct err *err)
{
	struct index_header header;
	char checksum[CHECKSUM_BYTES];
	struct iovec parts[PART_COUNT];

	assemble(builder, data_bytes, diff_id, &header, checksum, parts);
	for (size_t i = 0; i < PART_COUNT; i++)
		if (!bytes_append(out, parts[i].iov_base, parts[i].iov_len, err))
			return err_wrap(err, "the layer's index");
	return true;
}

bool index_builder_write(struct index_builder *builder, uint64_t data_bytes,
			 const struct digest *diff_id, int fd, struct err *err)
{
	struct index_header header;
	char checksum[CHECKSUM_BYTES];
	struct iovec parts[PART_COUNT];

	assemble(builder, data_bytes, diff_id, &header, checksum, parts);
	return file_pwritev(fd, parts, PART_COUNT, 0, "a layer's index", err);
}
