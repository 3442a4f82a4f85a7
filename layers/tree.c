#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"

enum {
	ARRAY_START = 1024, /* names and inodes to begin with */
};

struct tree {
	struct tree_inode *inodes; /* owned; inodes[0] is unused */
	struct tree_name *names; /* owned; names[0] is unused */
	uint32_t *slots; /* owned; slots[slot_count]: first name of each chain, by hash */
	uint32_t inode_count, inode_capacity; /* counts include the unused first */
	uint32_t name_count, name_capacity;
	uint32_t slot_count; /* a power of two, never below name_count */
	uint64_t name_max;
	uint64_t point, spread; /* secrets: see slot_of; the tree does not depend on them */
};

/* Double an array; TREE_NUMBER_MAX keeps the size inside 64 bits, and every number inside 32. NULL:
 * out of memory. */
static void *grown(void *array, uint32_t *capacity, size_t item_bytes)
{
	uint32_t wanted = *capacity ? *capacity * 2 : ARRAY_START;
	void *bigger = realloc(array, wanted * item_bytes);

	if (bigger)
		*capacity = wanted;
	return bigger;
}

/* (hash + word) × point modulo 2^61 - 1, as a number below 2^63: word is below 2^57, point below
 * 2^60, so half of what comes in goes out again. */
static uint64_t mix(uint64_t hash, uint64_t word, uint64_t point)
{
	__extension__ unsigned __int128 product = (unsigned __int128)(hash + word) * point;

	return ((uint64_t)product & ((UINT64_C(1) << 61) - 1)) + (uint64_t)(product >> 61);
}

/* Nobody outside can aim names at one chain: their words are the coefficients of a polynomial, at a
 * secret point of a prime field, and two polynomials are equal in as many points as they have words
 * at most. A second secret, odd, spreads what comes out over the slots.
 * Source: Carter and Wegman, "Universal Classes of Hash Functions"; Dietzfelbinger and others, "A
 * Reliable Randomized Algorithm for the Closest-Pair Problem" (multiply-shift) */
static uint32_t *slot_of(const struct tree *tree, uint32_t dir_inode, const char *ptr, size_t len)
{
	enum { WORD_BYTES = 7 };
	const uint64_t mask = (UINT64_C(1) << WORD_BYTES * 8) - 1;
	uint64_t hash = mix(0, ((uint64_t)dir_inode << 24) + len, tree->point);
	uint64_t word = 0;

	for (; len > WORD_BYTES; len -= WORD_BYTES, ptr += WORD_BYTES) {
		memcpy(&word, ptr, sizeof(word));
		hash = mix(hash, word & mask, tree->point);
	}
	word = 0;
	memcpy(&word, ptr, len);
	hash = mix(hash, word, tree->point) * tree->spread;
	return &tree->slots[(hash >> 32) * tree->slot_count >> 32];
}

static void chain(struct tree *tree, uint32_t number)
{
	struct tree_name *name = &tree->names[number];
	uint32_t *slot = slot_of(tree, name->parent, name->ptr, name->len);

	name->hash_next = *slot;
	*slot = number;
}

static void unchain(struct tree *tree, uint32_t number)
{
	const struct tree_name *name = &tree->names[number];
	uint32_t *link = slot_of(tree, name->parent, name->ptr, name->len);

	while (*link != number)
		link = &tree->names[*link].hash_next;
	*link = name->hash_next;
}

MUST_CHECK static bool grow_slots(struct tree *tree, struct err *err)
{
	uint32_t wanted = tree->slot_count ? tree->slot_count * 2 : ARRAY_START;
	uint32_t *slots = calloc(wanted, sizeof(*slots));

	if (!slots)
		return err_memory(err, "growing the tree");
	free(tree->slots);
	tree->slots = slots;
	tree->slot_count = wanted;
	for (uint32_t number = TREE_ROOT + 1; number < tree->name_count; number++) {
		if (tree->names[number].inode != TREE_NONE)
			chain(tree, number);
	}
	return true;
}

MUST_CHECK static bool reserve_name(struct tree *tree, struct err *err)
{
	if (tree->name_count > tree->name_max + 1) /* the unused first and the root's are none */
		return err_set(err, ERR_UNSUPPORTED,
			       "over %llu names, with folders that no entry describes "
			       "(--max-entries allows more)",
			       (unsigned long long)tree->name_max);
	if (tree->name_count >= tree->name_capacity) {
		void *names = grown(tree->names, &tree->name_capacity, sizeof(*tree->names));

		if (!names)
			return err_memory(err, "growing the tree");
		tree->names = names;
	}
	return tree->name_count < tree->slot_count || grow_slots(tree, err);
}

MUST_CHECK static bool reserve_inode(struct tree *tree, struct err *err)
{
	if (tree->inode_count == TREE_NUMBER_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than %d files", TREE_NUMBER_MAX);
	if (tree->inode_count >= tree->inode_capacity) {
		void *inodes = grown(tree->inodes, &tree->inode_capacity, sizeof(*tree->inodes));

		if (!inodes)
			return err_memory(err, "growing the tree");
		tree->inodes = inodes;
	}
	return true;
}

/* The root's name is the only one that stands in no directory. */
MUST_CHECK static bool add_root(struct tree *tree, struct err *err)
{
	tree->inode_count = TREE_ROOT;
	tree->name_count = TREE_ROOT;
	if (!reserve_inode(tree, err) || !reserve_name(tree, err))
		return false;
	tree->inodes[tree->inode_count++] =
		(struct tree_inode){ .is_dir = true, .name_count = 1, .name = TREE_ROOT };
	tree->names[tree->name_count++] =
		(struct tree_name){ .ptr = "", .parent = TREE_ROOT, .inode = TREE_ROOT };
	return true;
}

bool tree_new(struct tree **out, struct err *err)
{
	CLEANUP(tree_freep) struct tree *tree = calloc(1, sizeof(*tree));
	uint64_t secrets[2];

	if (!tree)
		return err_memory(err, "making a tree");
	if (getrandom(secrets, sizeof(secrets), 0) != sizeof(secrets))
		return err_os(err, "getrandom");
	tree->point = secrets[0] >> 4;
	tree->spread = secrets[1] | 1;
	tree_cap(tree, TREE_NUMBER_MAX);
	if (!add_root(tree, err))
		return false;
	*out = ptr_take(&tree);
	return true;
}

void tree_freep(struct tree **tree)
{
	if (!*tree)
		return;
	free((*tree)->inodes);
	free((*tree)->names);
	free((*tree)->slots);
	freep(tree);
}

void tree_cap(struct tree *tree, uint64_t name_max)
{
	const uint64_t most = TREE_NUMBER_MAX - 2; /* the unused first, the root's */

	tree->name_max = name_max < most ? name_max : most;
}

uint32_t tree_inode_max(const struct tree *tree)
{
	return tree->inode_count - 1;
}

uint32_t tree_name_max(const struct tree *tree)
{
	return tree->name_count - 1;
}

const struct tree_inode *tree_inode(const struct tree *tree, uint32_t inode)
{
	return &tree->inodes[inode];
}

const struct tree_name *tree_name(const struct tree *tree, uint32_t name)
{
	return &tree->names[name];
}

uint32_t tree_find(const struct tree *tree, uint32_t dir_inode, struct view name)
{
	uint32_t number = *slot_of(tree, dir_inode, name.ptr, name.len);

	while (number != TREE_NONE) {
		const struct tree_name *at = &tree->names[number];

		if (at->parent == dir_inode && at->len == name.len &&
		    memcmp(at->ptr, name.ptr, name.len) == 0)
			break;
		number = at->hash_next;
	}
	return number;
}

bool tree_add_inode(struct tree *tree, const struct index *index, const struct index_entry *entry,
		    uint32_t layer, uint32_t *out, struct err *err)
{
	if (!reserve_inode(tree, err))
		return false;
	*out = tree->inode_count++;
	tree->inodes[*out] = (struct tree_inode){
		.index = index,
		.entry = entry,
		.layer = layer,
		.is_dir = !entry || entry->kind == ENTRY_DIR,
	};
	return true;
}

bool tree_link(struct tree *tree, uint32_t dir_inode, struct view name, uint32_t inode,
	       struct err *err)
{
	if (!reserve_name(tree, err))
		return false;
	uint32_t number = tree->name_count++;
	struct tree_inode *dir = &tree->inodes[dir_inode];

	tree->names[number] = (struct tree_name){
		.ptr = name.ptr,
		.len = (uint32_t)name.len,
		.parent = dir_inode,
		.inode = inode,
		.next = dir->first_child,
	};
	if (dir->first_child != TREE_NONE)
		tree->names[dir->first_child].previous = number;
	dir->first_child = number;
	tree->inodes[inode].name_count++;
	if (tree->inodes[inode].is_dir)
		tree->inodes[inode].name = number;
	chain(tree, number);
	return true;
}

/* Take one name out of its directory, whatever is below it. */
static void detach(struct tree *tree, uint32_t number)
{
	struct tree_name *name = &tree->names[number];

	unchain(tree, number);
	if (name->previous != TREE_NONE)
		tree->names[name->previous].next = name->next;
	else
		tree->inodes[name->parent].first_child = name->next;
	if (name->next != TREE_NONE)
		tree->names[name->next].previous = name->previous;
	tree->inodes[name->inode].name_count--;
	name->inode = TREE_NONE;
}

/* Leaves first. No recursion: hostile trees are as deep as they like. */
void tree_empty(struct tree *tree, uint32_t dir_inode)
{
	uint32_t at = dir_inode;

	for (;;) {
		uint32_t child = tree->inodes[at].first_child;

		if (child != TREE_NONE) {
			uint32_t inode = tree->names[child].inode;

			if (tree->inodes[inode].first_child != TREE_NONE)
				at = inode;
			else
				detach(tree, child);
			continue;
		}
		if (at == dir_inode)
			return;
		uint32_t own = tree->inodes[at].name;

		at = tree->names[own].parent;
		detach(tree, own);
	}
}

void tree_unlink(struct tree *tree, uint32_t name)
{
	uint32_t inode = tree->names[name].inode;

	if (tree->inodes[inode].is_dir)
		tree_empty(tree, inode);
	detach(tree, name);
}

void tree_set_entry(struct tree *tree, uint32_t inode, const struct index *index,
		    const struct index_entry *entry, uint32_t layer)
{
	tree->inodes[inode].index = index;
	tree->inodes[inode].entry = entry;
	tree->inodes[inode].layer = layer;
}
