/* A walk along a path through the tree, component by component, as a kernel does it in a root of
 * its own: ".." at the root stays there, absolute symlink targets start at the root.
 *
 * The walk enters directories by itself and stops at everything else, because its callers differ
 * in what they make of it: a reader gives up at a missing component, merge makes it a directory.
 * Iterative, and bounded by WALK_SYMLINKS_MAX, whatever the symlinks say.
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "tree.h"

enum {
	WALK_SYMLINKS_MAX = 255, /* as containerd's fs.RootPath, which is looser than Linux */
};

enum walk_stop {
	WALK_END, /* nothing is left of the path: dir is where it leads */
	WALK_MISSING, /* dir has no such component */
	WALK_FILE, /* name is neither a directory nor a symlink */
	WALK_SYMLINK, /* name is a symlink; walk_follow goes on behind it */
};

struct walk {
	const struct tree *tree;
	uint32_t dir; /* the directory the walk stands in */
	struct view component; /* the last one looked at; borrowed from the path or a target */
	uint32_t name; /* of component in dir, where it exists */
	uint32_t symlink_count;
	uint32_t step_count; /* components taken: what the walk costs */
	uint32_t depth; /* rests in use */
	struct view rests[WALK_SYMLINKS_MAX + 1]; /* what is left: of the path, then of targets */
};

/* Begin in directory dir; path is borrowed until the walk is over. */
void walk_start(struct walk *walk, const struct tree *tree, uint32_t dir, struct view path);

/* On to the next stop. */
enum walk_stop walk_next(struct walk *walk);

/* Behind WALK_SYMLINK: the target comes next.  Errors: ERR_FORMAT  one symlink too many */
MUST_CHECK bool walk_follow(struct walk *walk, struct err *err);

/* Is nothing left behind the last component? */
bool walk_is_last(struct walk *walk);

/* Behind WALK_MISSING. What follows a missing component cannot be there either, so ".." takes back
 * the last missing one; when all are taken back the walk can go on.
 * missing:  missing[max], the names that are left, or NULL: nobody wants them
 * Returns how many are left; max + 1: more than that */
size_t walk_pass_missing(struct walk *walk, struct view *missing, size_t max);
