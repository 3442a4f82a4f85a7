#include "image_files.h"

#include <stdlib.h>

#include "layers/content.h"
#include "layers/walk.h"

enum {
	MISSING_MAX = 64,      /* folders that a dest may have below what is there */
	PATH_BYTES_MAX = 4096, /* PATH_MAX: longer ones nobody can open */
};

uint32_t image_find(const struct image_files *files, uint32_t dir, struct view path)
{
	struct err err = { 0 };
	struct walk walk;

	walk_start(&walk, files->tree, dir, path);
	for (;;) {
		switch (walk_next(&walk)) {
		case WALK_END:
			return walk.dir;
		case WALK_MISSING:
			return TREE_NONE;
		case WALK_FILE:
			return walk_is_last(&walk) ? tree_name(files->tree, walk.name)->inode
						   : TREE_NONE;
		case WALK_SYMLINK:
			if (!walk_follow(&walk, &err))
				return TREE_NONE;
		}
	}
}

bool image_is_dir(const struct image_files *files, uint32_t inode)
{
	return inode != TREE_NONE && tree_inode(files->tree, inode)->is_dir;
}

bool image_is_file(const struct image_files *files, uint32_t inode)
{
	if (inode == TREE_NONE)
		return false;
	const struct tree_inode *node = tree_inode(files->tree, inode);

	return !node->is_dir && node->entry && node->entry->kind == ENTRY_FILE;
}

uint64_t image_file_bytes(const struct image_files *files, uint32_t inode)
{
	return image_is_file(files, inode) ? tree_inode(files->tree, inode)->entry->size : 0;
}

const char *image_dir_path(const struct image_files *files, uint32_t dir, struct arena *arena)
{
	char path[PATH_BYTES_MAX];
	size_t at = sizeof(path);

	if (dir == TREE_ROOT)
		return arena_copy(arena, "/", 1);
	while (dir != TREE_ROOT) {
		const struct tree_name *name =
			tree_name(files->tree, tree_inode(files->tree, dir)->name);

		if (name->len + 1 > at)
			return arena_copy(arena, "/", 1); /* nobody could open it either */
		at -= name->len;
		memcpy(path + at, name->ptr, name->len);
		path[--at] = '/';
		dir = name->parent;
	}
	return arena_copy(arena, path + at, sizeof(path) - at);
}

const char *image_join(struct arena *arena, const char *folder, struct view name)
{
	size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
	char *out = arena_take(arena, len + 1 + name.len + 1);

	if (!out)
		return NULL;
	memcpy(out, folder, len);
	out[len] = '/';
	if (name.len > 0)
		memcpy(out + len + 1, name.ptr, name.len);
	return out;
}

MUST_CHECK static bool append_missing(const struct image_files *files, struct walk *walk,
				      struct arena *arena, const char **out, struct err *err)
{
	struct view missing[MISSING_MAX];
	size_t count = walk_pass_missing(walk, missing, MISSING_MAX);

	if (count > MISSING_MAX)
		return err_set(err, ERR_FORMAT, "a path of over %d folders", MISSING_MAX);
	*out = image_dir_path(files, walk->dir, arena);
	for (size_t i = 0; *out && i < count; i++)
		*out = image_join(arena, *out, missing[i]);
	return *out ? true : err_memory(err, "a path");
}

bool image_real_folder(const struct image_files *files, const char *path, struct arena *arena,
		       const char **out, struct err *err)
{
	struct walk walk;

	walk_start(&walk, files->tree, TREE_ROOT, view_of(path));
	for (;;) {
		switch (walk_next(&walk)) {
		case WALK_END:
			*out = image_dir_path(files, walk.dir, arena);
			return *out ? true : err_memory(err, "a path");
		case WALK_MISSING:
			return append_missing(files, &walk, arena, out, err);
		case WALK_FILE:
			return err_set(err, ERR_MISMATCH, "%s of the image: %.*s is no folder",
				       path, VIEW_ARGS(walk.component));
		case WALK_SYMLINK:
			if (!walk_follow(&walk, err))
				return err_wrap(err, "%s of the image", path);
		}
	}
}

static int compare_names(const void *left, const void *right)
{
	const struct image_name *a = left, *b = right;

	return view_compare(a->name, b->name);
}

bool image_list(const struct image_files *files, uint32_t dir, struct arena *arena,
		struct image_names *out, struct err *err)
{
	uint32_t first = tree_inode(files->tree, dir)->first_child;
	struct image_names names = { 0 };
	size_t count = 0;

	for (uint32_t name = first; name != TREE_NONE; name = tree_name(files->tree, name)->next)
		count++;
	names.items = arena_take(arena, (count + 1) * sizeof(*names.items));
	if (!names.items)
		return err_memory(err, "a folder's names");
	for (uint32_t at = first; at != TREE_NONE; at = tree_name(files->tree, at)->next) {
		const struct tree_name *name = tree_name(files->tree, at);
		const struct tree_inode *node = tree_inode(files->tree, name->inode);

		names.items[names.count++] = (struct image_name){
			.name = { name->ptr, name->len },
			.inode = name->inode,
			.is_symlink = !node->is_dir && node->entry->kind == ENTRY_SYMLINK,
		};
	}
	qsort(names.items, names.count, sizeof(*names.items), compare_names);
	*out = names;
	return true;
}

uint32_t image_follow(const struct image_files *files, uint32_t dir, const struct image_name *name)
{
	return name->is_symlink ? image_find(files, dir, name->name) : name->inode;
}

bool image_slurp(const struct image_files *files, uint32_t inode, struct bytes *out,
		 struct err *err)
{
	uint64_t len = image_file_bytes(files, inode);
	char *room = NULL;

	return len == 0 || (bytes_grow(out, len, &room, err) &&
			    content_read(files->tree, files->data_fds, inode, 0, room, len, err));
}
