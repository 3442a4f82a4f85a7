#include "ldcache.h"

#include <stdlib.h>

#include "base/le.h"

static const char old_magic[] = "ld.so-1.7.0";
static const char new_magic[] = "glibc-ld.so.cache1.1";

enum {
	OLD_HEADER_BYTES = 16, /* the magic, a pad byte, u32 count */
	OLD_ENTRY_BYTES = 12,
	NEW_HEADER_BYTES = 48,
	NEW_ENTRY_BYTES = 24,
	AT_COUNT = 20, /* in the new header */
	AT_STRINGS_LEN = 24,
	AT_FLAGS = 28,
	AT_EXTENSION = 32,
	FLAG_LITTLE_ENDIAN = 2,
	FLAG_ENDIAN_MASK = 3,
	EXTENSION_HEAD_BYTES = 8, /* magic, count of sections */
	EXTENSION_SECTION_BYTES = 16, /* tag, flags, offset, size */
	TAG_GENERATOR = 0,
	TAG_HWCAPS = 1,
};

static const uint32_t extension_magic = 0xEAA42174;
static const uint64_t hwcap_extension = UINT64_C(1) << 62; /* the low half is an index then */
static const uint64_t isa_level_mask = UINT64_C(0x3ff) << 32;

void ldcache_freep(struct ldcache *cache)
{
	free(cache->entries);
	*cache = (struct ldcache){ 0 };
}

bool ldcache_add(struct ldcache *cache, const struct ldcache_entry *entry, struct err *err)
{
	if (cache->count == cache->capacity) {
		size_t capacity = cache->capacity ? cache->capacity * 2 : 256;
		struct ldcache_entry *entries =
			reallocarray(cache->entries, capacity, sizeof(*entries));

		if (!entries)
			return err_memory(err, "the loader's cache");
		cache->entries = entries;
		cache->capacity = capacity;
	}
	cache->entries[cache->count++] = *entry;
	return true;
}

static bool is_inside(struct view bytes, uint64_t offset, uint64_t len)
{
	return offset <= bytes.len && len <= bytes.len - offset;
}

/* The string at offset; ptr NULL when it does not end inside. */
static struct view string_at(struct view bytes, uint32_t offset)
{
	struct view rest = view_from(bytes, offset);
	ptrdiff_t len = view_find(rest, '\0');

	return len < 0 ? (struct view){ 0 } : (struct view){ rest.ptr, (size_t)len };
}

/* The new format: offsets of strings count from its start. */
struct table {
	struct view bytes;
	uint32_t entry_count, extension_at;
};

/* It starts at once, or behind the old one's entries, aligned to 8. */
MUST_CHECK static bool find_table(struct table *out, struct view bytes, struct err *err)
{
	struct view rest = bytes;

	if (view_starts(bytes, old_magic)) {
		if (bytes.len < OLD_HEADER_BYTES)
			return err_set(err, ERR_FORMAT, "a loader cache that is cut off");
		uint64_t old_bytes = (uint64_t)le32_get(bytes.ptr + 12) * OLD_ENTRY_BYTES;

		rest = view_from(bytes, (OLD_HEADER_BYTES + old_bytes + 7) / 8 * 8);
		if (!view_starts(rest, new_magic))
			return err_set(err, ERR_UNSUPPORTED,
				       "a loader cache of before glibc 2.2");
	}
	if (!rest.ptr || rest.len < NEW_HEADER_BYTES || !view_starts(rest, new_magic))
		return err_set(err, ERR_FORMAT, "not a loader cache");
	int endian = rest.ptr[AT_FLAGS] & FLAG_ENDIAN_MASK;

	if (endian != 0 && endian != FLAG_LITTLE_ENDIAN) /* 0: of before 2.33, not said */
		return err_set(err, ERR_UNSUPPORTED, "a big-endian loader cache");
	out->bytes = rest;
	out->entry_count = le32_get(rest.ptr + AT_COUNT);
	out->extension_at = le32_get(rest.ptr + AT_EXTENSION);
	if (out->entry_count > (rest.len - NEW_HEADER_BYTES) / NEW_ENTRY_BYTES)
		return err_set(err, ERR_FORMAT, "a loader cache that is cut off");
	return true;
}

/* The names of the glibc-hwcaps folders: u32 string offsets. Empty when there are none. */
MUST_CHECK static bool find_hwcaps(struct view *out, struct view file, uint32_t offset,
				   struct err *err)
{
	struct view block = view_from(file, offset);

	if (offset == 0)
		return true;
	if (block.len < EXTENSION_HEAD_BYTES || le32_get(block.ptr) != extension_magic)
		return err_set(err, ERR_FORMAT, "a loader cache whose extensions are off");
	uint32_t count = le32_get(block.ptr + 4);

	block = view_from(block, EXTENSION_HEAD_BYTES);
	if (count > block.len / EXTENSION_SECTION_BYTES)
		return err_set(err, ERR_FORMAT, "a loader cache whose extensions are cut off");
	for (uint32_t i = 0; i < count; i++) {
		const char *section = block.ptr + (size_t)i * EXTENSION_SECTION_BYTES;
		uint32_t at = le32_get(section + 8), len = le32_get(section + 12);

		if (le32_get(section) != TAG_HWCAPS)
			continue;
		if (!is_inside(file, at, len))
			return err_set(err, ERR_FORMAT, "a loader cache whose hwcaps are cut off");
		*out = (struct view){ file.ptr + at, len };
	}
	return true;
}

MUST_CHECK static bool read_entry(struct ldcache_entry *out, struct view strings,
				  struct view hwcaps, const char *raw, struct err *err)
{
	struct ldcache_entry entry = {
		.flags = le32_get(raw),
		.name = string_at(strings, le32_get(raw + 4)),
		.path = string_at(strings, le32_get(raw + 8)),
		.osversion = le32_get(raw + 12),
		.hwcap = le64_get(raw + 16),
	};

	if (!entry.name.ptr || !entry.path.ptr)
		return err_set(err, ERR_FORMAT, "a loader cache with a name outside of it");
	if ((entry.hwcap & ~isa_level_mask) >> 32 == hwcap_extension >> 32) {
		uint64_t index = entry.hwcap & UINT32_MAX;

		if (index >= hwcaps.len / 4)
			return err_set(err, ERR_FORMAT, "a loader cache with an unknown hwcap");
		entry.hwcaps = string_at(strings, le32_get(hwcaps.ptr + index * 4));
		if (entry.hwcaps.len == 0)
			return err_set(err, ERR_FORMAT, "a loader cache with a hwcap of no name");
		entry.hwcap &= isa_level_mask;
	}
	*out = entry;
	return true;
}

bool ldcache_read(struct ldcache *out, struct view bytes, struct err *err)
{
	struct table table = { 0 };
	struct view hwcaps = { 0 };
	struct ldcache_entry entry = { 0 };
	size_t before = out->count;

	if (bytes.len == 0)
		return true;
	if (!find_table(&table, bytes, err) ||
	    !find_hwcaps(&hwcaps, bytes, table.extension_at, err))
		return false;
	for (uint32_t i = 0; i < table.entry_count; i++) {
		struct view raw = view_from(table.bytes, NEW_HEADER_BYTES +
							 (size_t)i * NEW_ENTRY_BYTES);

		if (!read_entry(&entry, table.bytes, hwcaps, raw.ptr, err) ||
		    !ldcache_add(out, &entry, err)) {
			out->count = before;
			return false;
		}
	}
	return true;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static uint32_t take_number(struct view *rest)
{
	uint32_t value = 0;

	for (; rest->len > 0 && is_digit(rest->ptr[0]); *rest = view_from(*rest, 1))
		value = value * 10 + (uint32_t)(rest->ptr[0] - '0'); /* wraps, as glibc's does */
	return value;
}

int ldcache_compare_names(struct view a, struct view b)
{
	while (a.len > 0 && b.len > 0) {
		if (is_digit(a.ptr[0]) != is_digit(b.ptr[0]))
			return is_digit(a.ptr[0]) ? 1 : -1;
		if (is_digit(a.ptr[0])) {
			uint32_t a_number = take_number(&a), b_number = take_number(&b);

			if (a_number != b_number)
				return a_number < b_number ? -1 : 1;
			continue;
		}
		if (a.ptr[0] != b.ptr[0])
			return (signed char)a.ptr[0] < (signed char)b.ptr[0] ? -1 : 1;
		a = view_from(a, 1);
		b = view_from(b, 1);
	}
	return (a.len > 0) - (b.len > 0);
}

struct sorted {
	struct ldcache_entry entry;
	size_t ordinal; /* qsort does not keep the order of equals */
};

static int compare_hwcap(const struct ldcache_entry *a, const struct ldcache_entry *b)
{
	int a_bits = __builtin_popcountll(a->hwcap), b_bits = __builtin_popcountll(b->hwcap);

	if (a->hwcaps.len > 0 || b->hwcaps.len > 0) {
		/* ld.so stops at the first entry without, so those with come first. */
		if (a->hwcaps.len == 0 || b->hwcaps.len == 0)
			return a->hwcaps.len == 0 ? 1 : -1;
		return view_compare(a->hwcaps, b->hwcaps);
	}
	if (a_bits != b_bits)
		return b_bits - a_bits;
	return (b->hwcap > a->hwcap) - (b->hwcap < a->hwcap);
}

static int compare_entries(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	int order = ldcache_compare_names(b->entry.name, a->entry.name); /* descending */

	if (order == 0)
		order = (b->entry.flags > a->entry.flags) - (b->entry.flags < a->entry.flags);
	if (order == 0)
		order = compare_hwcap(&a->entry, &b->entry);
	if (order == 0)
		order = (b->entry.osversion > a->entry.osversion) -
			(b->entry.osversion < a->entry.osversion);
	return order != 0 ? order : a->ordinal < b->ordinal ? -1 : 1;
}

MUST_CHECK static bool sort_entries(struct ldcache *cache, struct err *err)
{
	CLEANUP(freep) struct sorted *sorted = calloc(cache->count + 1, sizeof(*sorted));

	if (!sorted)
		return err_memory(err, "the loader's cache");
	for (size_t i = 0; i < cache->count; i++)
		sorted[i] = (struct sorted){ cache->entries[i], i };
	qsort(sorted, cache->count, sizeof(*sorted), compare_entries);
	for (size_t i = 0; i < cache->count; i++)
		cache->entries[i] = sorted[i].entry;
	return true;
}

/* The names of all hwcaps folders in use, ascending, each once. */
struct names {
	struct view *items; /* owned */
	size_t count;
};

static void names_freep(struct names *names)
{
	free(names->items);
}

static int compare_name_items(const void *left, const void *right)
{
	const struct view *a = left, *b = right;

	return view_compare(*a, *b);
}

MUST_CHECK static bool collect_names(struct names *out, const struct ldcache *cache,
				     struct err *err)
{
	size_t count = 0, kept = 0;

	out->items = calloc(cache->count + 1, sizeof(*out->items));
	if (!out->items)
		return err_memory(err, "the loader's cache");
	for (size_t i = 0; i < cache->count; i++)
		if (cache->entries[i].hwcaps.len > 0)
			out->items[count++] = cache->entries[i].hwcaps;
	qsort(out->items, count, sizeof(*out->items), compare_name_items);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !view_same(out->items[kept - 1], out->items[i]))
			out->items[kept++] = out->items[i];
	out->count = kept;
	return true;
}

static uint64_t hwcap_of(const struct ldcache_entry *entry, const struct names *names)
{
	if (entry->hwcaps.len == 0)
		return entry->hwcap;
	const struct view *found = bsearch(&entry->hwcaps, names->items, names->count,
					   sizeof(*names->items), compare_name_items);

	return hwcap_extension | (entry->hwcap & isa_level_mask) |
	       (uint64_t)(found - names->items);
}

MUST_CHECK static bool append_u32(struct bytes *out, uint64_t value, struct err *err)
{
	char raw[4];

	if (value > UINT32_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a loader cache over 4 GiB");
	le32_put(raw, (uint32_t)value);
	return bytes_append(out, raw, sizeof(raw), err);
}

MUST_CHECK static bool append_u64(struct bytes *out, uint64_t value, struct err *err)
{
	char raw[8];

	le64_put(raw, value);
	return bytes_append(out, raw, sizeof(raw), err);
}

MUST_CHECK static bool append_string(struct bytes *out, struct view text, struct err *err)
{
	return bytes_append(out, text.ptr, text.len, err) && bytes_append(out, "", 1, err);
}

/* Is the name the path's last component, so that its string can be the path's tail? */
static bool is_tail(const struct ldcache_entry *entry)
{
	return entry->path.len > entry->name.len && entry->name.len > 0 &&
	       memcmp(entry->path.ptr + entry->path.len - entry->name.len, entry->name.ptr,
		      entry->name.len) == 0;
}

/* One entry; its strings go behind what is in strings. base: where strings will start. */
MUST_CHECK static bool append_entry(struct bytes *out, struct bytes *strings, uint64_t base,
				    const struct ldcache_entry *entry, const struct names *names,
				    struct err *err)
{
	uint64_t path_at = base + strings->len;
	uint64_t name_at = path_at + entry->path.len - entry->name.len;

	if (!append_string(strings, entry->path, err))
		return false;
	if (!is_tail(entry)) {
		name_at = base + strings->len;
		if (!append_string(strings, entry->name, err))
			return false;
	}
	return append_u32(out, entry->flags, err) && append_u32(out, name_at, err) &&
	       append_u32(out, path_at, err) && append_u32(out, entry->osversion, err) &&
	       append_u64(out, hwcap_of(entry, names), err);
}

MUST_CHECK static bool append_section(struct bytes *out, uint32_t tag, uint64_t at, uint64_t len,
				      struct err *err)
{
	return append_u32(out, tag, err) && append_u32(out, 0, err) && append_u32(out, at, err) &&
	       append_u32(out, len, err);
}

/* The extension block, at a multiple of 4: who made it, and the hwcaps folders. names_at: where
 * their strings are, one behind the other. */
MUST_CHECK static bool append_extension(struct bytes *out, size_t start, const struct names *names,
					uint64_t names_at, struct err *err)
{
	static const char generator[] = "vmbake"; /* what ldconfig -p shows; without the NUL */
	uint64_t section_count = names->count > 0 ? 2 : 1;
	uint64_t hwcaps_at = out->len - start + EXTENSION_HEAD_BYTES +
			     section_count * EXTENSION_SECTION_BYTES;
	uint64_t hwcaps_len = (uint64_t)names->count * 4;

	if (!append_u32(out, extension_magic, err) || !append_u32(out, section_count, err) ||
	    !append_section(out, TAG_GENERATOR, hwcaps_at + hwcaps_len, sizeof(generator) - 1,
			    err) ||
	    (names->count > 0 && !append_section(out, TAG_HWCAPS, hwcaps_at, hwcaps_len, err)))
		return false;
	for (size_t i = 0; i < names->count; i++) {
		if (!append_u32(out, names_at, err))
			return false;
		names_at += names->items[i].len + 1;
	}
	return bytes_append(out, generator, sizeof(generator) - 1, err);
}

MUST_CHECK static bool append_all(struct bytes *out, const struct ldcache *cache,
				  const struct names *names, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes strings = bytes_capped(out->cap_max);
	uint64_t base = NEW_HEADER_BYTES + (uint64_t)cache->count * NEW_ENTRY_BYTES;
	size_t start = out->len;
	char header[NEW_HEADER_BYTES] = { 0 };

	if (!bytes_append(out, header, sizeof(header), err))
		return false;
	for (size_t i = 0; i < cache->count; i++)
		if (!append_entry(out, &strings, base, &cache->entries[i], names, err))
			return false;
	uint64_t names_at = base + strings.len;

	for (size_t i = 0; i < names->count; i++)
		if (!append_string(&strings, names->items[i], err))
			return false;
	if (!bytes_append(out, strings.data, strings.len, err))
		return false;
	while ((out->len - start) % 4 != 0)
		if (!bytes_append(out, "", 1, err))
			return false;
	memcpy(out->data + start, new_magic, AT_COUNT);
	le32_put(out->data + start + AT_COUNT, (uint32_t)cache->count);
	le32_put(out->data + start + AT_STRINGS_LEN, (uint32_t)strings.len);
	out->data[start + AT_FLAGS] = FLAG_LITTLE_ENDIAN;
	le32_put(out->data + start + AT_EXTENSION, (uint32_t)(out->len - start));
	return append_extension(out, start, names, names_at, err);
}

bool ldcache_write(struct bytes *out, struct ldcache *cache, struct err *err)
{
	CLEANUP(names_freep) struct names names = { 0 };
	size_t before = out->len;

	if (!sort_entries(cache, err) || !collect_names(&names, cache, err))
		return false;
	if (!append_all(out, cache, &names, err)) {
		out->len = before;
		return err_wrap(err, "the loader's cache");
	}
	return true;
}
