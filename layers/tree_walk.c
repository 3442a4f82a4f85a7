#include "tree_walk.h"

#include "walk.h"

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
			*inode = walk_is_last(&walk) ? tree_name(tree, walk.name)->inode
						     : TREE_NONE;
			return true;
		case WALK_SYMLINK:
			if (!follow_last && walk_is_last(&walk)) {
				*inode = tree_name(tree, walk.name)->inode;
				return true;
			}
			if (!walk_follow(&walk, err))
				return false;
		}
	}
}
