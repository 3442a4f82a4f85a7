#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "walk.h"

enum {
	ARRAY_START = 1024, /* names and inodes to begin with */
	NUMBER_MAX = 1 << 30, /* keeps every index and doubling inside 32 bits */
};

struct tree {
	struct tree_inode *inodes; /* owned; inodes[0] is unused */
	struct tree_name *names; /* owned; names[0] is unused */
	uint32_t *slots; /* owned; slots[slot_count]: first name of each chain, by hash */
	uint32_t inode_count, inode_capacity; /* counts include the unused first */
	uint32_t name_count, name_capacity;
	uint32_t slot_count; /* a power of two, never below name_count */
	uint64_t seed; /* nobody outside can aim at one chain; the tree does not depend on it */
};

/* Double an array; NUMBER_MAX keeps the size inside 64 bits. NULL: out of memory. */
static void *grown(void *array, uint32_t *capacity, size_t item_bytes)
{
	uint32_t wanted = *capacity ? *capacity * 2 : ARRAY_START;
	void *bigger = realloc(array, wanted * item_bytes);

	if (bigger)
		*capacity = wanted;
	return bigger;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint32_t *slot_of(const struct tree *tree, uint32_t dir_inode, const char *ptr, size_t len)
{
	uint64_t hash = mix(tree->seed, (uint64_t)dir_inode << 32 | len);
	uint64_t word = 0;

	for (; len > sizeof(word); len -= sizeof(word), ptr += sizeof(word)) {
		memcpy(&word, ptr, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, ptr, len);
	hash = mix(mix(hash, word), tree->seed);
	return &tree->slots[hash >> 32 & (tree->slot_count - 1)];
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
	if (tree->name_count == NUMBER_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than %d names", NUMBER_MAX);
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
	if (tree->inode_count == NUMBER_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than %d files", NUMBER_MAX);
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

	if (!tree)
		return err_memory(err, "making a tree");
	if (getrandom(&tree->seed, sizeof(tree->seed), 0) != sizeof(tree->seed))
		return err_os(err, "getrandom");
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

bool tree_walk(const struct tree *tree, struct view path, bool follow_last, uint32_t *inode,
	       struct err *err)
{
	struct walk walk;

	walk_start(&walk, tree, TREE_ROOT, path);
	for (;;) {
		switch (walk_next(&walk)) {
		case WALK_END:
			*inode = walk.dir;
			return true;
		case WALK_MISSING:
			*inode = TREE_NONE;
			return true;
		case WALK_FILE:
			*inode = walk_is_last(&walk) ? tree->names[walk.name].inode : TREE_NONE;
			return true;
		case WALK_SYMLINK:
			if (!follow_last && walk_is_last(&walk)) {
				*inode = tree->names[walk.name].inode;
				return true;
			}
			if (!walk_follow(&walk, err))
				return false;
		}
	}
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
