#include "xattrs.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/le.h"

enum {
	MAGIC_BYTES = 4, /* in the inode, before the first entry */
	BLOCK_HEADER_BYTES = 32,
	ENTRY_BYTES = 16, /* of an entry, without its name */
	END_BYTES = 4, /* four zero bytes end the entries */
	XATTRS_MAX = 4096,
	ACL_VERSION_XATTR = 2, /* as the system call and tar have it */
	ACL_VERSION_EXT4 = 1,
	ACL_USER = 0x02, /* the two tags whose entries have an id */
	ACL_GROUP = 0x08,
};
static const uint32_t xattr_magic = 0xea020000;

static const struct {
	const char *prefix;
	uint8_t number;
	bool is_whole; /* the prefix is the whole name */
} prefixes[] = {
	{ "user.", 1, false },
	{ "system.posix_acl_access", 2, true },
	{ "system.posix_acl_default", 3, true },
	{ "trusted.", 4, false },
	{ "security.", 6, false },
};

struct item {
	uint8_t number; /* of the prefix */
	struct view name; /* behind the prefix */
	struct view value;
	char *owned; /* a value that had to be made */
};

struct item_list {
	struct item *items;
	size_t count;
};

static void item_list_freep(struct item_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].owned);
	free(list->items);
}

/* u32 version, then {u16 tag, u16 permissions, u32 id}; ext4 leaves out ids that mean nothing. */
MUST_CHECK static bool convert_acl(struct item *item, struct err *err)
{
	enum { HEAD = 4, ENTRY = 8, SHORT_ENTRY = 4 };
	struct view from = item->value;
	size_t len = HEAD;

	if (from.len < HEAD || (from.len - HEAD) % ENTRY != 0 ||
	    le32_get(from.ptr) != ACL_VERSION_XATTR)
		return err_set(err, ERR_FORMAT, "a POSIX ACL that is none");
	char *to = malloc(from.len);

	if (!to)
		return err_memory(err, "an ACL");
	le32_put(to, ACL_VERSION_EXT4);
	for (from = view_from(from, HEAD); from.len > 0; from = view_from(from, ENTRY)) {
		uint16_t tag = le16_get(from.ptr);
		size_t size = tag == ACL_USER || tag == ACL_GROUP ? ENTRY : SHORT_ENTRY;

		memcpy(to + len, from.ptr, size);
		len += size;
	}
	item->owned = to;
	item->value = (struct view){ to, len };
	return true;
}

MUST_CHECK static bool make_item(struct item *out, const struct xattr *xattr, struct err *err)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct view rest = view_from(xattr->name, strlen(prefixes[i].prefix));

		if (!view_starts(xattr->name, prefixes[i].prefix) ||
		    prefixes[i].is_whole != (rest.len == 0))
			continue;
		*out = (struct item){ prefixes[i].number, rest, xattr->value, NULL };
		return !prefixes[i].is_whole || convert_acl(out, err);
	}
	return err_set(err, ERR_UNSUPPORTED, "ext4 has no place for an xattr %.*s",
		       VIEW_ARGS(xattr->name));
}

/* The order that the kernel searches a block in: prefix, length, bytes. */
static int compare_items(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	if (left->name.len != right->name.len)
		return left->name.len < right->name.len ? -1 : 1;
	return left->name.len ? memcmp(left->name.ptr, right->name.ptr, left->name.len) : 0;
}

MUST_CHECK static bool collect(struct item_list *list, const struct index *index,
			       const struct index_entry *entry, struct err *err)
{
	struct xattr_cursor cursor = index_xattrs(index, entry);
	struct xattr xattr;
	size_t count = 0;

	while (xattr_next(&cursor, &xattr))
		count++;
	if (count > XATTRS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%zu xattrs", count);
	list->items = calloc(count + 1, sizeof(*list->items));
	if (!list->items)
		return err_memory(err, "xattrs");
	cursor = index_xattrs(index, entry);
	while (xattr_next(&cursor, &xattr)) {
		if (!make_item(&list->items[list->count], &xattr, err))
			return false;
		list->count++;
	}
	qsort(list->items, list->count, sizeof(*list->items), compare_items);
	return true;
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* Over the name's bytes, then over the value's words, as the kernel's ext4_xattr_hash_entry. */
static uint32_t hash_item(const struct item *item)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < item->name.len; i++)
		hash = hash << 5 ^ hash >> 27 ^ (uint8_t)item->name.ptr[i];
	for (size_t i = 0; i < item->value.len; i += 4) {
		uint8_t word[4] = { 0 };
		size_t left = item->value.len - i;

		memcpy(word, item->value.ptr + i, left < 4 ? left : 4);
		hash = hash << 16 ^ hash >> 16 ^ le32_get(word);
	}
	return hash;
}

/* Room for entries that grow up and values that grow down. */
struct region {
	uint8_t *base; /* value offsets count from here */
	size_t head; /* end of the entries */
	size_t tail; /* start of the values */
	uint32_t hash; /* of the entries so far, as the block's header has it */
};

static bool put_item(struct region *region, const struct item *item)
{
	size_t entry_len = ENTRY_BYTES + padded(item->name.len);
	size_t value_len = padded(item->value.len);

	if (region->head + entry_len + END_BYTES + value_len > region->tail)
		return false;
	uint8_t *entry = region->base + region->head;
	uint32_t hash = hash_item(item);

	region->tail -= value_len;
	entry[0] = (uint8_t)item->name.len;
	entry[1] = item->number;
	le16_put(entry + 2, item->value.len ? (uint16_t)region->tail : 0);
	le32_put(entry + 4, 0);
	le32_put(entry + 8, (uint32_t)item->value.len);
	le32_put(entry + 12, hash);
	if (item->name.len > 0)
		memcpy(entry + ENTRY_BYTES, item->name.ptr, item->name.len);
	if (item->value.len > 0)
		memcpy(region->base + region->tail, item->value.ptr, item->value.len);
	region->head += entry_len;
	region->hash = region->hash << 16 ^ region->hash >> 16 ^ hash;
	return true;
}

static void put_block_header(struct encoded_xattrs *out, const struct region *region)
{
	le32_put(out->block, xattr_magic);
	le32_put(out->block + 4, 1); /* references */
	le32_put(out->block + 8, 1); /* blocks */
	le32_put(out->block + 12, region->hash);
}

bool xattrs_encode(struct encoded_xattrs *out, const struct index *index,
		   const struct index_entry *entry, struct err *err)
{
	CLEANUP(item_list_freep) struct item_list list = { 0 };
	struct region inode = { .base = out->inode + MAGIC_BYTES,
				.tail = XATTR_INODE_BYTES - MAGIC_BYTES };
	struct region block = { .base = out->block,
				.head = BLOCK_HEADER_BYTES,
				.tail = INDEX_BLOCK_BYTES };

	if (!collect(&list, index, entry, err))
		return false;
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].name.len > 255)
			return err_set(err, ERR_UNSUPPORTED, "an xattr's name of %zu bytes",
				       list.items[i].name.len);
		if (!put_item(&inode, &list.items[i]) && !put_item(&block, &list.items[i]))
			return err_set(err, ERR_UNSUPPORTED,
				       "its xattrs are more than an inode and a block hold");
	}
	out->in_inode = inode.head > 0;
	out->in_block = block.head > BLOCK_HEADER_BYTES;
	if (out->in_inode)
		le32_put(out->inode, xattr_magic);
	if (out->in_block)
		put_block_header(out, &block);
	return true;
}
