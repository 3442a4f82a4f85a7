#include "tar_xattr.h"

#include <stdlib.h>

static const char plain[] = "SCHILY.xattr.", encoded[] = "LIBARCHIVE.xattr.";

struct tar_found_xattr {
	struct xattr xattr;
	bool is_plain; /* what containerd reads, so it wins over the other spelling */
};

void tar_xattr_freep(struct tar_xattrs *xattrs)
{
	free(xattrs->sorted);
	free(xattrs->found);
	*xattrs = (struct tar_xattrs){ 0 };
}

void tar_xattr_clear(struct tar_xattrs *xattrs)
{
	xattrs->count = 0;
	xattrs->found_count = 0;
	xattrs->bytes = 0;
}

bool tar_xattr_is_key(struct view key)
{
	return view_starts(key, plain) || view_starts(key, encoded);
}

static int hex_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

/* "%41" becomes "A"; a lone "%" stays, as in libarchive. */
static size_t decode_name(char *name, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len; from++) {
		bool is_code = name[from] == '%' && len - from > 2 &&
			       hex_of(name[from + 1]) >= 0 && hex_of(name[from + 2]) >= 0;

		if (is_code) {
			name[to++] = (char)(hex_of(name[from + 1]) << 4 | hex_of(name[from + 2]));
			from += 2;
		} else {
			name[to++] = name[from];
		}
	}
	return to;
}

static int base64_of(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	if (digit == '+')
		return 62;
	return digit == '/' ? 63 : -1;
}

/* With or without "=" at the end; *len becomes that of the bytes. */
MUST_CHECK static bool decode_value(char *value, size_t *len)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;
	size_t to = 0;
	size_t digit_count = *len;

	while (digit_count > 0 && value[digit_count - 1] == '=')
		digit_count--;
	for (size_t from = 0; from < digit_count; from++) {
		int digit = base64_of(value[from]);

		if (digit < 0)
			return false;
		bits = (bits << 6 | (uint32_t)digit) & 0xffff;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			value[to++] = (char)(bits >> bit_count & 0xff);
		}
	}
	*len = to;
	return digit_count % 4 != 1; /* six bits are no byte */
}

MUST_CHECK static bool grow(struct tar_xattrs *xattrs, struct err *err)
{
	size_t wanted = xattrs->capacity ? xattrs->capacity * 2 : 16;
	struct tar_found_xattr *found = realloc(xattrs->found, wanted * sizeof(*found));

	if (!found)
		return err_memory(err, "growing a list of xattrs");
	xattrs->found = found;
	struct xattr *sorted = realloc(xattrs->sorted, wanted * sizeof(*sorted));

	if (!sorted)
		return err_memory(err, "growing a list of xattrs");
	xattrs->sorted = sorted;
	xattrs->capacity = wanted;
	return true;
}

MUST_CHECK static bool keep(struct tar_xattrs *xattrs, struct xattr xattr, bool is_plain,
			    size_t cap, struct err *err)
{
	if (xattr.name.len == 0 || memchr(xattr.name.ptr, '\0', xattr.name.len))
		return err_set(err, ERR_FORMAT, "an xattr without a proper name");
	xattrs->bytes += xattr.name.len + xattr.value.len; /* of a text far below 2^64 */
	if (xattrs->bytes > cap)
		return err_set(err, ERR_UNSUPPORTED,
			       "xattrs of more than %zu bytes (--max-xattrs allows more)", cap);
	if (xattrs->found_count == xattrs->capacity && !grow(xattrs, err))
		return false;
	xattrs->found[xattrs->found_count++] = (struct tar_found_xattr){ xattr, is_plain };
	return true;
}

bool tar_xattr_take(struct tar_xattrs *xattrs, char *key, size_t len, struct view value, size_t cap,
		    struct err *err)
{
	const struct view name = { key, len };
	struct xattr xattr = { .value = value };

	if (view_starts(name, plain)) {
		xattr.name = view_from(name, strlen(plain));
		return keep(xattrs, xattr, true, cap, err);
	}
	if (!view_starts(name, encoded))
		return true;
	char *bare_name = key + strlen(encoded);
	char *bare_value = key + (value.ptr - key);

	xattr.name = (struct view){ bare_name, decode_name(bare_name, len - strlen(encoded)) };
	if (view_starts(xattr.name, "system.posix_acl_"))
		return true; /* ACLs count from SCHILY only: the kernel's form */
	if (!decode_value(bare_value, &xattr.value.len))
		return err_set(err, ERR_FORMAT, "the value of an xattr is no base64");
	return keep(xattrs, xattr, false, cap, err);
}

/* By name; of one name the best last: the plain spelling, and of one spelling the later. */
static int compare(const void *a_slot, const void *b_slot)
{
	const struct tar_found_xattr *a = a_slot, *b = b_slot;
	struct view x = a->xattr.name, y = b->xattr.name;
	int order = view_compare(x, y);

	if (order != 0)
		return order;
	if (a->is_plain != b->is_plain)
		return a->is_plain ? 1 : -1;
	return (x.ptr > y.ptr) - (x.ptr < y.ptr); /* both stand in one text */
}

void tar_xattr_finish(struct tar_xattrs *xattrs)
{
	size_t count = 0;

	if (xattrs->found_count > 1)
		qsort(xattrs->found, xattrs->found_count, sizeof(*xattrs->found), compare);
	for (size_t i = 0; i < xattrs->found_count; i++) {
		const struct xattr *xattr = &xattrs->found[i].xattr;

		if (count > 0 && view_same(xattrs->sorted[count - 1].name, xattr->name))
			count--;
		xattrs->sorted[count++] = *xattr;
	}
	xattrs->count = count;
}
