#include "tar_pax.h"

static const struct {
	const char *text;
	size_t len;
} keys[TAR_KEY_COUNT] = {
#define KEY(text) { text, sizeof(text) - 1 }
	[TAR_PATH] = KEY("path"),
	[TAR_LINK] = KEY("linkpath"),
	[TAR_SIZE] = KEY("size"),
	[TAR_UID] = KEY("uid"),
	[TAR_GID] = KEY("gid"),
	[TAR_MTIME] = KEY("mtime"),
	[TAR_RDEV_MAJOR] = KEY("SCHILY.devmajor"),
	[TAR_RDEV_MINOR] = KEY("SCHILY.devminor"),
	[TAR_SPARSE_MAJOR] = KEY("GNU.sparse.major"),
	[TAR_SPARSE_MINOR] = KEY("GNU.sparse.minor"),
	[TAR_SPARSE_NAME] = KEY("GNU.sparse.name"),
	[TAR_SPARSE_SIZE] = KEY("GNU.sparse.size"),
	[TAR_SPARSE_REALSIZE] = KEY("GNU.sparse.realsize"),
	[TAR_SPARSE_COUNT] = KEY("GNU.sparse.numblocks"),
	[TAR_SPARSE_MAP] = KEY("GNU.sparse.map"),
#undef KEY
};

/* PAX sparse 0.0 repeats these two in turn. */
static const char segment_offset[] = "GNU.sparse.offset", segment_len[] = "GNU.sparse.numbytes";

static enum tar_key key_of(struct view name)
{
	enum tar_key key = 0;

	while (key < TAR_KEY_COUNT && (keys[key].len != name.len ||
				       memcmp(keys[key].text, name.ptr, name.len) != 0))
		key++;
	return key;
}

static bool is_needed(struct view key)
{
	return key_of(key) < TAR_KEY_COUNT || view_equal(key, segment_offset) ||
	       view_equal(key, segment_len) || tar_xattr_is_key(key);
}

struct record {
	struct view key, value;
};

/* Cut "LEN KEY=VALUE\n" off the front; LEN counts all of it. */
MUST_CHECK static bool take_record(struct view *rest, struct record *out, struct err *err)
{
	struct view record = *rest;
	struct view body = record;
	struct view digits = view_cut(&body, ' ');
	uint64_t len = 0;

	if (!view_number(digits, 10, record.len, &len) || len <= digits.len + 1 ||
	    record.ptr[len - 1] != '\n')
		return err_set(err, ERR_FORMAT, "a broken length in its PAX header");
	body.len = len - digits.len - 1 - 1; /* without the space and the newline */
	out->value = body;
	out->key = view_cut(&out->value, '=');
	if (out->key.len == 0 || !out->value.ptr || memchr(out->key.ptr, '\0', out->key.len))
		return err_set(err, ERR_FORMAT, "a broken record in its PAX header");
	*rest = view_from(record, len);
	return true;
}

MUST_CHECK static bool take_known(struct tar_pax *pax, enum tar_key key, struct view value,
				  struct err *err)
{
	bool is_name = key == TAR_PATH || key == TAR_LINK || key == TAR_SPARSE_NAME;

	if (is_name && value.len > 0 && memchr(value.ptr, '\0', value.len))
		return err_set(err, ERR_FORMAT, "a NUL inside a name in its PAX header");
	pax->values[key] = value;
	return true;
}

MUST_CHECK static bool take_segment(struct tar_map *map, const struct record *record, bool is_len,
				    struct err *err)
{
	uint64_t number = 0;

	if (is_len != map->is_half || !view_number(record->value, 10, INT64_MAX, &number))
		return err_set(err, ERR_FORMAT, "its sparse map is broken");
	return tar_map_add(map, number, err);
}

bool tar_pax_parse(struct tar_pax *pax, char *text, size_t len, struct tar_map *map, size_t cap,
		   struct err *err)
{
	struct view rest = { text, len };
	struct record record = { 0 };

	while (rest.len > 0) {
		if (!take_record(&rest, &record, err))
			return false;
		char *key = text + (record.key.ptr - text); /* where xattrs are decoded */
		enum tar_key known = key_of(record.key);
		bool is_taken = true;

		if (known < TAR_KEY_COUNT)
			is_taken = take_known(pax, known, record.value, err);
		else if (view_equal(record.key, segment_offset))
			is_taken = take_segment(map, &record, false, err);
		else if (view_equal(record.key, segment_len))
			is_taken = take_segment(map, &record, true, err);
		else
			is_taken = tar_xattr_take(&pax->xattrs, key, record.key.len, record.value,
						  cap, err);
		if (!is_taken)
			return false;
	}
	tar_xattr_finish(&pax->xattrs);
	return true;
}

size_t tar_pax_drop_unneeded(char *text, size_t len)
{
	struct view rest = { text, len };
	struct record record = { 0 };
	struct err broken;
	size_t kept = 0;

	while (rest.len > 0) {
		struct view whole = rest;
		bool is_right = take_record(&rest, &record, &broken);

		if (is_right)
			whole.len -= rest.len;
		else
			rest.len = 0;
		if (!is_right || is_needed(record.key)) {
			memmove(text + kept, whole.ptr, whole.len);
			kept += whole.len;
		}
	}
	return kept;
}

void tar_pax_clear(struct tar_pax *pax)
{
	memset(pax->values, 0, sizeof(pax->values));
	tar_xattr_clear(&pax->xattrs);
}

void tar_pax_freep(struct tar_pax *pax)
{
	tar_xattr_freep(&pax->xattrs);
	*pax = (struct tar_pax){ 0 };
}

bool tar_pax_time(struct view text, int64_t *seconds, uint32_t *ns)
{
	bool is_negative = view_starts(text, "-");
	struct view fraction = is_negative ? view_from(text, 1) : text;
	struct view whole = view_cut(&fraction, '.');
	uint64_t value = 0;
	uint32_t parts = 0;

	if (!view_number(whole, 10, INT64_MAX, &value))
		return false;
	for (size_t i = 0; i < fraction.len; i++) {
		if (fraction.ptr[i] < '0' || fraction.ptr[i] > '9')
			return false;
	}
	for (size_t i = 0; i < 9; i++)
		parts = parts * 10 + (i < fraction.len ? (uint32_t)(fraction.ptr[i] - '0') : 0);
	*seconds = is_negative ? -(int64_t)value : (int64_t)value;
	*ns = parts;
	if (is_negative && parts > 0) {
		*seconds -= 1;
		*ns = 1000000000 - parts;
	}
	return true;
}
