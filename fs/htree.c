#include "htree.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/le.h"
#include "block.h"
#include "dir_entry.h"

enum {
	FILLED_BYTES = DIR_ROOM_BYTES / 5 * 4, /* of a leaf, where there is a choice */
	HALF_MD4 = 1, /* the superblock says that it is signed */
	INFO_BYTES = 8,
	INFO_AT = 24, /* behind "." and ".." */
	ENTRY_BYTES = 8,
	DIGIT_BITS = 11,
	DIGITS = 1 << DIGIT_BITS,
};
/* The kernel looks a name of the highest hash up as the one below: the highest means "the end". */
static const uint32_t hash_end = 0xfffffffe;

struct item {
	uint32_t hash;
	uint32_t name;
};

static struct view text_of(const struct tree *tree, uint32_t number)
{
	const struct tree_name *name;

	if (number == TREE_NONE)
		return view_of("lost+found");
	name = tree_name(tree, number);
	return (struct view){ name->ptr, name->len };
}

static uint32_t count_names(const struct tree *tree, uint32_t dir_inode, bool adds_lost_found)
{
	uint32_t count = adds_lost_found;
	uint32_t name = tree_inode(tree, dir_inode)->first_child;

	for (; name != TREE_NONE; name = tree_name(tree, name)->next)
		count++;
	return count;
}

static struct item hashed(const struct tree *tree, const struct hash_seed *seed, uint32_t name)
{
	return (struct item){ name_hash(seed, text_of(tree, name)).major, name };
}

static void hash_names(struct item *items, const struct tree *tree, uint32_t dir_inode,
		       bool adds_lost_found, const struct hash_seed *seed)
{
	uint32_t name = tree_inode(tree, dir_inode)->first_child;

	for (; name != TREE_NONE; name = tree_name(tree, name)->next)
		*items++ = hashed(tree, seed, name);
	if (adds_lost_found)
		*items = hashed(tree, seed, TREE_NONE);
}

/* One pass of a radix sort: by the hash's bits from shift on, otherwise in the order there was. */
static void sort_digit(struct item *to, const struct item *from, uint32_t count, unsigned shift)
{
	uint32_t starts[DIGITS + 1] = { 0 };

	for (uint32_t i = 0; i < count; i++)
		starts[(from[i].hash >> shift) % DIGITS + 1]++;
	for (unsigned digit = 0; digit < DIGITS; digit++)
		starts[digit + 1] += starts[digit];
	for (uint32_t i = 0; i < count; i++)
		to[starts[(from[i].hash >> shift) % DIGITS]++] = from[i];
}

/* What names of one hash are ordered by. */
struct tie {
	const struct tree *tree;
	const struct hash_seed *seed;
};

static int compare_ties(const void *a, const void *b, void *context)
{
	const struct tie *tie = context;
	struct view left = text_of(tie->tree, ((const struct item *)a)->name);
	struct view right = text_of(tie->tree, ((const struct item *)b)->name);
	uint32_t left_minor = name_hash(tie->seed, left).minor;
	uint32_t right_minor = name_hash(tie->seed, right).minor;

	if (left_minor != right_minor)
		return left_minor < right_minor ? -1 : 1;
	return view_compare(left, right);
}

static void sort_ties(struct item *items, uint32_t count, struct tie *tie)
{
	uint32_t end;

	for (uint32_t start = 0; start < count; start = end) {
		for (end = start + 1; end < count && items[end].hash == items[start].hash;)
			end++;
		if (end - start > 1)
			qsort_r(items + start, end - start, sizeof(*items), compare_ties,
				tie);
	}
}

/* items: count of them, then room for as many more. Returns those in order. */
static struct item *sort_items(struct item *items, uint32_t count, struct tie *tie)
{
	struct item *other = items + count;

	sort_digit(other, items, count, 0);
	sort_digit(items, other, count, DIGIT_BITS);
	sort_digit(other, items, count, 2 * DIGIT_BITS);
	sort_ties(other, count, tie);
	return other;
}

static uint32_t hash_in_index(const struct item *items, uint32_t first)
{
	uint32_t hash = items[first].hash < hash_end ? items[first].hash : hash_end - 2;
	bool goes_on = first > 0 && (items[first - 1].hash == items[first].hash ||
				     items[first - 1].hash == hash);

	return hash | goes_on;
}

/* Cut the names into leaves of at most room bytes; leaves may be NULL, to count. */
static uint32_t cut_leaves(const struct htree *htree, const struct tree *tree,
			   const struct item *items, size_t room, struct htree_leaf *leaves)
{
	uint32_t count = 0;
	size_t used = room;

	for (uint32_t i = 0; i < htree->name_count; i++) {
		size_t len = dir_entry_bytes(text_of(tree, items[i].name).len);

		if (used + len > room) {
			if (leaves)
				leaves[count] = (struct htree_leaf){ i, hash_in_index(items, i) };
			count++;
			used = 0;
		}
		used += len;
	}
	return count;
}

MUST_CHECK static bool make_leaves(struct htree *htree, const struct tree *tree,
				   const struct item *items, struct err *err)
{
	size_t room = FILLED_BYTES;

	htree->leaf_count = cut_leaves(htree, tree, items, room, NULL);
	if (htree->leaf_count > HTREE_LEAVES_MAX) {
		room = DIR_ROOM_BYTES;
		htree->leaf_count = cut_leaves(htree, tree, items, room, NULL);
	}
	if (htree->leaf_count > HTREE_LEAVES_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "a directory of %u names is more than two levels of index hold",
			       htree->name_count);
	htree->leaves = malloc(htree->leaf_count * sizeof(*htree->leaves));
	if (!htree->leaves)
		return err_memory(err, "a directory's index");
	cut_leaves(htree, tree, items, room, htree->leaves);
	if (htree->leaf_count > HTREE_ROOT_MAX)
		htree->node_count = (htree->leaf_count + HTREE_NODE_MAX - 1) / HTREE_NODE_MAX;
	return true;
}

bool htree_make(struct htree *out, const struct tree *tree, uint32_t dir_inode,
		bool adds_lost_found, const struct hash_seed *seed, struct err *err)
{
	CLEANUP(htree_freep) struct htree htree = {
		.name_count = count_names(tree, dir_inode, adds_lost_found)
	};
	CLEANUP(freep) struct item *items = calloc((size_t)htree.name_count * 2, sizeof(*items));
	struct tie tie = { tree, seed };
	const struct item *sorted;

	htree.names = malloc(htree.name_count * sizeof(*htree.names));
	if (!items || !htree.names)
		return err_memory(err, "a directory's index");
	hash_names(items, tree, dir_inode, adds_lost_found, seed);
	sorted = sort_items(items, htree.name_count, &tie);
	for (uint32_t i = 0; i < htree.name_count; i++)
		htree.names[i] = sorted[i].name;
	if (!make_leaves(&htree, tree, sorted, err))
		return false;
	*out = htree;
	htree = (struct htree){ 0 };
	return true;
}

void htree_freep(struct htree *htree)
{
	free(htree->names);
	free(htree->leaves);
	*htree = (struct htree){ 0 };
}

uint32_t htree_block_count(const struct htree *htree)
{
	return 1 + htree->node_count + htree->leaf_count;
}

uint32_t htree_leaf_end(const struct htree *htree, uint32_t leaf)
{
	return leaf + 1 < htree->leaf_count ? htree->leaves[leaf + 1].first : htree->name_count;
}

/* An index block's entries: the first one's hash is not needed, limit and count take its place.
 * leaves: of which every stride-th is entered; block: number in the directory of the first */
static void put_entries(uint8_t *to, uint32_t limit, const struct htree_leaf *leaves,
			uint32_t count, uint32_t stride, uint32_t block)
{
	for (uint32_t i = 0; i < count; i++) {
		le32_put(to + i * ENTRY_BYTES, leaves[i * stride].hash);
		le32_put(to + i * ENTRY_BYTES + 4, block + i);
	}
	le16_put(to, (uint16_t)limit);
	le16_put(to + 2, (uint16_t)count);
}

void htree_fill_root(const struct htree *htree, uint8_t *block)
{
	bool has_nodes = htree->node_count > 0;

	block[INFO_AT + 4] = HALF_MD4;
	block[INFO_AT + 5] = INFO_BYTES;
	block[INFO_AT + 6] = has_nodes; /* levels besides the root */
	put_entries(block + INFO_AT + INFO_BYTES, HTREE_ROOT_MAX, htree->leaves,
		    has_nodes ? htree->node_count : htree->leaf_count,
		    has_nodes ? HTREE_NODE_MAX : 1, 1);
}

void htree_fill_node(const struct htree *htree, uint32_t number, uint8_t *block)
{
	uint32_t first = number * HTREE_NODE_MAX, left = htree->leaf_count - first;

	le16_put(block + 4, BLOCK_BYTES); /* to whoever reads names, one without an inode */
	put_entries(block + INFO_BYTES, HTREE_NODE_MAX, htree->leaves + first,
		    left < HTREE_NODE_MAX ? left : HTREE_NODE_MAX, 1,
		    1 + htree->node_count + first);
}
