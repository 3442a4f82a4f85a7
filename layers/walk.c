#include "walk.h"

void walk_start(struct walk *walk, const struct tree *tree, uint32_t dir, struct view path)
{
	walk->tree = tree;
	walk->dir = dir;
	walk->component = (struct view){ 0 };
	walk->name = TREE_NONE;
	walk->symlink_count = 0;
	walk->step_count = 0;
	walk->depth = 1;
	walk->rests[0] = path;
}

/* Drop "/" and "./" from the front and used-up targets from the end. */
static bool has_more(struct walk *walk)
{
	while (walk->depth > 0) {
		struct view *rest = &walk->rests[walk->depth - 1];

		while (rest->len > 0) {
			bool ends = rest->len == 1 || rest->ptr[1] == '/';

			if (rest->ptr[0] != '/' && !(rest->ptr[0] == '.' && ends))
				return true;
			rest->ptr++;
			rest->len--;
		}
		walk->depth--;
	}
	return false;
}

bool walk_is_last(struct walk *walk)
{
	return !has_more(walk);
}

static bool take(struct walk *walk, struct view *component)
{
	if (!has_more(walk))
		return false;
	*component = view_cut(&walk->rests[walk->depth - 1], '/');
	walk->step_count++;
	return true;
}

size_t walk_pass_missing(struct walk *walk, struct view *missing, size_t max)
{
	struct view component = walk->component;
	size_t count = 0;

	do {
		bool is_back = view_equal(component, "..");

		if (!is_back && count == max)
			return max + 1;
		if (!is_back && missing)
			missing[count] = component;
		count = is_back ? count - 1 : count + 1;
	} while (count > 0 && take(walk, &component));
	return count;
}

static uint32_t parent_of(const struct tree *tree, uint32_t dir)
{
	return tree_name(tree, tree_inode(tree, dir)->name)->parent;
}

enum walk_stop walk_next(struct walk *walk)
{
	while (take(walk, &walk->component)) {
		if (view_equal(walk->component, "..")) {
			walk->dir = parent_of(walk->tree, walk->dir);
			continue;
		}
		walk->name = tree_find(walk->tree, walk->dir, walk->component);
		if (walk->name == TREE_NONE)
			return WALK_MISSING;
		uint32_t number = tree_name(walk->tree, walk->name)->inode;
		const struct tree_inode *inode = tree_inode(walk->tree, number);

		if (!inode->is_dir)
			return inode->entry->kind == ENTRY_SYMLINK ? WALK_SYMLINK : WALK_FILE;
		walk->dir = number;
	}
	return WALK_END;
}

bool walk_follow(struct walk *walk, struct err *err)
{
	uint32_t number = tree_name(walk->tree, walk->name)->inode;
	const struct tree_inode *inode = tree_inode(walk->tree, number);
	struct view target = index_link(inode->index, inode->entry);

	if (walk->symlink_count == WALK_SYMLINKS_MAX)
		return err_set(err, ERR_FORMAT, "more than %d symlinks on the way, a loop perhaps",
			       WALK_SYMLINKS_MAX);
	walk->symlink_count++;
	if (target.len > 0 && target.ptr[0] == '/')
		walk->dir = TREE_ROOT;
	walk->rests[walk->depth++] = target;
	return true;
}
