#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "path.h"
#include "replaced.h"
#include "walk.h"
#include "whiteout.h"

enum {
	NAMES_MAX = 65000, /* of one inode: EXT4_LINK_MAX */
	MISSING_MAX = PATH_BYTES_MAX / 2, /* components that one path can lack */
	STEPS_SPARE = 16 << 20, /* see spend */
	STEPS_AN_ENTRY = 64,
};

struct merge {
	struct tree *tree;
	const struct index *index;
	uint32_t number;
	struct replaced replaced; /* owned */
	/* Where the parent of the entry before led; archives come folder by folder. Valid until a
	 * directory or a symlink loses its name. */
	struct view parent_path;
	uint32_t parent;
	uint64_t steps; /* of all walks */
};

/* What an entry's path says: the directory's part, and the name in it. */
struct place {
	struct view parent, name;
};

static struct place place_of(struct view path)
{
	ptrdiff_t slash = view_find_last(path, '/');

	if (slash < 0)
		return (struct place){ .name = path };
	return (struct place){ { path.ptr, (size_t)slash }, view_from(path, (size_t)slash + 1) };
}

static bool is_usable_name(struct view name)
{
	return name.len > 0 && name.len <= NAME_BYTES_MAX && !view_equal(name, ".") &&
	       !view_equal(name, "..");
}

/* A path over 255 symlinks of 4 KiB each costs half a million steps. No image needs more than a few
 * an entry, so a layer whose every path is like that is stopped before it takes hours. */
MUST_CHECK static bool spend(struct merge *merge, const struct walk *walk, struct err *err)
{
	merge->steps += walk->step_count;
	if (merge->steps + merge->replaced.step_count >
	    STEPS_SPARE + merge->index->entry_count * STEPS_AN_ENTRY)
		return err_set(err, ERR_UNSUPPORTED, "paths that lead through too many symlinks");
	return true;
}

/* The directory at a path, or TREE_NONE. A removal finds none either when a symlink on the way
 * becomes something else in this layer: what it then means is the new directory, which has nothing
 * of the lower layers in it. */
MUST_CHECK static bool find_dir(struct merge *merge, struct view path, bool is_removal,
				uint32_t *out, struct err *err)
{
	struct walk walk;
	bool is_replaced = false;

	walk_start(&walk, merge->tree, TREE_ROOT, path);
	*out = TREE_NONE;
	for (;;) {
		switch (walk_next(&walk)) {
		case WALK_END:
			*out = walk.dir;
			return spend(merge, &walk, err);
		case WALK_MISSING:
			if (walk_pass_missing(&walk, NULL, MISSING_MAX) > 0)
				return spend(merge, &walk, err);
			break;
		case WALK_FILE:
			return spend(merge, &walk, err);
		case WALK_SYMLINK:
			if (is_removal && !replaced_has(&merge->replaced, merge->tree, merge->index,
							walk.name, &is_replaced, err))
				return false;
			if (is_replaced)
				return spend(merge, &walk, err);
			if (!walk_follow(&walk, err))
				return false;
		}
	}
}

/* What a removal asks for: a name to unlink or a directory to empty, or nothing. */
struct removal {
	uint32_t name, dir;
};

MUST_CHECK static bool find_removal(struct merge *merge, const struct index_entry *entry,
				    struct removal *out, struct err *err)
{
	struct view path = index_path(merge->index, entry);
	struct place place = place_of(path);
	uint32_t dir = TREE_NONE;

	if (entry->kind == ENTRY_OPAQUE)
		return find_dir(merge, path, true, &out->dir, err);
	if (!is_usable_name(place.name))
		return err_set(err, ERR_FORMAT, "a whiteout without a name");
	if (!find_dir(merge, place.parent, true, &dir, err))
		return false;
	if (dir != TREE_NONE)
		out->name = tree_find(merge->tree, dir, place.name);
	return true;
}

static bool is_removal(const struct index_entry *entry)
{
	return entry->kind == ENTRY_WHITEOUT || entry->kind == ENTRY_OPAQUE;
}

static bool err_entry(struct err *err, const struct merge *merge, const struct index_entry *entry)
{
	return err_wrap(err, "entry '%.*s'", VIEW_ARGS(index_path(merge->index, entry)));
}

MUST_CHECK static bool find_removals(struct merge *merge, struct removal *removals,
				     struct err *err)
{
	for (uint64_t i = 0; i < merge->index->entry_count; i++) {
		const struct index_entry *entry = &merge->index->entries[i];

		if (is_removal(entry) && !find_removal(merge, entry, removals++, err))
			return err_entry(err, merge, entry);
	}
	return true;
}

/* All are found before any is done: each speaks of the lower layers as they are, so their order
 * does not matter, even where one removes the symlink that leads to another. */
MUST_CHECK static bool remove_all(struct merge *merge, struct err *err)
{
	CLEANUP(freep) struct removal *removals = NULL;
	size_t count = 0;

	for (uint64_t i = 0; i < merge->index->entry_count; i++)
		count += is_removal(&merge->index->entries[i]);
	if (count == 0)
		return true;
	removals = calloc(count, sizeof(*removals));
	if (!removals)
		return err_memory(err, "the removals of a layer");
	if (!find_removals(merge, removals, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (removals[i].dir != TREE_NONE)
			tree_empty(merge->tree, removals[i].dir);
		/* It may have gone with what was above it. */
		if (removals[i].name != TREE_NONE &&
		    tree_name(merge->tree, removals[i].name)->inode != TREE_NONE)
			tree_unlink(merge->tree, removals[i].name);
	}
	return true;
}

/* Make the directories that were missing, one in the other. */
MUST_CHECK static bool make_dirs(struct merge *merge, uint32_t *dir, const struct view *names,
				 size_t name_count, struct err *err)
{
	for (size_t i = 0; i < name_count; i++) {
		uint32_t made = TREE_NONE;

		if (!is_usable_name(names[i]))
			return err_set(err, ERR_UNSUPPORTED, "a parent of %zu bytes, ext4 holds %d",
				       names[i].len, NAME_BYTES_MAX);
		if (!tree_add_inode(merge->tree, NULL, NULL, merge->number, &made, err) ||
		    !tree_link(merge->tree, *dir, names[i], made, err))
			return false;
		*dir = made;
	}
	return true;
}

MUST_CHECK static bool make_missing(struct merge *merge, struct walk *walk, struct err *err)
{
	struct view missing[MISSING_MAX];
	size_t count = walk_pass_missing(walk, missing, MISSING_MAX);

	if (count > MISSING_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a parent over %d bytes", PATH_BYTES_MAX);
	return make_dirs(merge, &walk->dir, missing, count, err);
}

/* The directory to put a name into, made where it is missing. */
MUST_CHECK static bool make_parent(struct merge *merge, struct view path, uint32_t from,
				   uint32_t *out, struct err *err)
{
	struct walk walk;

	walk_start(&walk, merge->tree, from, path);
	for (;;) {
		switch (walk_next(&walk)) {
		case WALK_END:
			*out = walk.dir;
			return spend(merge, &walk, err);
		case WALK_MISSING:
			if (!make_missing(merge, &walk, err))
				return false;
			break;
		case WALK_FILE:
			return err_set(err, ERR_FORMAT, "its parent '%.*s' is not a directory",
				       VIEW_ARGS(walk.component));
		case WALK_SYMLINK:
			if (!walk_follow(&walk, err))
				return false;
		}
	}
}

static bool view_begins(struct view view, struct view start)
{
	return view.len >= start.len &&
	       (start.len == 0 || memcmp(view.ptr, start.ptr, start.len) == 0);
}

MUST_CHECK static bool find_parent(struct merge *merge, struct view path, uint32_t *out,
				   struct err *err)
{
	struct view known = merge->parent_path;
	uint32_t from = TREE_ROOT;
	struct view rest = path;

	if (known.len > 0 && view_begins(path, known) &&
	    (path.len == known.len || path.ptr[known.len] == '/')) {
		from = merge->parent;
		rest = view_from(path, known.len);
	}
	if (!make_parent(merge, rest, from, out, err))
		return false;
	merge->parent_path = path;
	merge->parent = *out;
	return true;
}

/* Free a name for what replaces it. */
static void drop_name(struct merge *merge, uint32_t name)
{
	uint32_t number = tree_name(merge->tree, name)->inode;
	const struct tree_inode *inode = tree_inode(merge->tree, number);

	if (inode->is_dir || inode->entry->kind == ENTRY_SYMLINK)
		merge->parent_path = (struct view){ 0 };
	tree_unlink(merge->tree, name);
}

/* The last component is not followed: a symlink can have several names. */
MUST_CHECK static bool find_link_target(struct merge *merge, struct view link, uint32_t *out,
					struct err *err)
{
	struct place place = place_of(link);
	uint32_t dir = TREE_NONE, name = TREE_NONE;

	if (place.name.len == 0)
		return err_set(err, ERR_FORMAT, "hard link to the root directory");
	if (!find_dir(merge, place.parent, false, &dir, err))
		return err_wrap(err, "hard link to '%.*s'", VIEW_ARGS(link));
	if (dir != TREE_NONE)
		name = tree_find(merge->tree, dir, place.name);
	if (name == TREE_NONE)
		return err_set(err, ERR_FORMAT, "hard link to '%.*s', which is not there",
			       VIEW_ARGS(link));
	uint32_t target = tree_name(merge->tree, name)->inode;

	if (tree_inode(merge->tree, target)->is_dir)
		return err_set(err, ERR_FORMAT, "hard link to '%.*s', which is a directory",
			       VIEW_ARGS(link));
	*out = target;
	return true;
}

MUST_CHECK static bool add_hardlink(struct merge *merge, const struct index_entry *entry,
				    uint32_t parent, struct view name, struct err *err)
{
	struct view link = index_link(merge->index, entry);
	uint32_t existing = tree_find(merge->tree, parent, name);
	uint32_t target = TREE_NONE;

	if (!find_link_target(merge, link, &target, err))
		return false;
	if (existing != TREE_NONE) {
		if (tree_name(merge->tree, existing)->inode == target)
			return true;
		drop_name(merge, existing);
		/* What went may have been a directory above the target, or a symlink to one. */
		if (!find_link_target(merge, link, &target, err))
			return false;
	}
	if (tree_inode(merge->tree, target)->name_count >= NAMES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "hard link to '%.*s', which has %d names",
			       VIEW_ARGS(link), NAMES_MAX);
	return tree_link(merge->tree, parent, name, target, err);
}

MUST_CHECK static bool add_named(struct merge *merge, const struct index_entry *entry,
				 uint32_t parent, struct view name, struct err *err)
{
	uint32_t existing = tree_find(merge->tree, parent, name);
	uint32_t made = TREE_NONE;

	if (existing != TREE_NONE) {
		uint32_t number = tree_name(merge->tree, existing)->inode;

		if (entry->kind == ENTRY_DIR && tree_inode(merge->tree, number)->is_dir) {
			tree_set_entry(merge->tree, number, merge->index, entry, merge->number);
			return true;
		}
		drop_name(merge, existing);
	}
	return tree_add_inode(merge->tree, merge->index, entry, merge->number, &made, err) &&
	       tree_link(merge->tree, parent, name, made, err);
}

MUST_CHECK static bool add_one(struct merge *merge, const struct index_entry *entry,
			       struct err *err)
{
	struct view path = index_path(merge->index, entry);
	struct place place = place_of(path);
	uint32_t parent = TREE_NONE;

	if (path.len == 0) {
		if (entry->kind != ENTRY_DIR)
			return err_set(err, ERR_FORMAT, "the root is not a directory");
		tree_set_entry(merge->tree, TREE_ROOT, merge->index, entry, merge->number);
		return true;
	}
	if (!is_usable_name(place.name))
		return err_set(err, ERR_FORMAT, "not a name");
	if (!find_parent(merge, place.parent, &parent, err))
		return false;
	if (entry->kind == ENTRY_HARDLINK)
		return add_hardlink(merge, entry, parent, place.name, err);
	return add_named(merge, entry, parent, place.name, err);
}

MUST_CHECK static bool add_all(struct merge *merge, struct err *err)
{
	for (uint64_t i = 0; i < merge->index->entry_count; i++) {
		const struct index_entry *entry = &merge->index->entries[i];

		if (!is_removal(entry) && !add_one(merge, entry, err))
			return err_entry(err, merge, entry);
	}
	return true;
}

/* What other names of this layer lead to lives on. */
static void drop_aufs_links(struct merge *merge)
{
	uint32_t name = tree_find(merge->tree, TREE_ROOT, view_of(WHITEOUT_AUFS_LINKS));

	if (name != TREE_NONE)
		tree_unlink(merge->tree, name);
}

bool merge_layer(struct tree *tree, const struct index *index, uint32_t number, struct err *err)
{
	struct merge merge = { .tree = tree, .index = index, .number = number };
	bool is_merged = remove_all(&merge, err) && add_all(&merge, err);

	drop_aufs_links(&merge);
	replaced_freep(&merge.replaced);
	return is_merged;
}
