#include "source.h"

#include <dirent.h>
#include <errno.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "layers/content.h"
#include "layers/path.h"
#include "layers/tree_walk.h"

enum {
	NAMES_MAX = 1000 * 1000, /* of one folder */
	VISITED_MAX = 10000, /* folders */
};

/* A driver root: a folder of the host, or the tree of an image. */
struct root {
	const char *name; /* for sentences */
	int fd; /* of the folder; -1 for a tree */
	const struct tree *tree; /* NULL for a folder */
	const int *data_fds;
	struct intake *intake;
	struct visit { /* a folder that was seen, under whatever name: usr-merged roots have two */
		uint64_t device, inode;
	} visited[VISITED_MAX];
	size_t visited_count;
};

struct names {
	struct arena arena;
	const char **items; /* items[count]; owned */
	size_t count, capacity;
};

static void names_freep(struct names *names)
{
	free(names->items);
	arena_freep(&names->arena);
}

MUST_CHECK static bool names_add(struct names *names, const char *name, size_t len, struct err *err)
{
	if (names->count == NAMES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d files in one folder", NAMES_MAX);
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? names->capacity * 2 : 256;
		const char **items = realloc(names->items, capacity * sizeof(*items));

		if (!items)
			return err_memory(err, "a folder's names");
		names->items = items;
		names->capacity = capacity;
	}
	names->items[names->count] = arena_copy(&names->arena, name, len);
	return names->items[names->count++] || err_memory(err, "a folder's names");
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Is it the first time here? */
MUST_CHECK static bool visit(struct root *root, uint64_t device, uint64_t inode, bool *is_first,
			     struct err *err)
{
	*is_first = false;
	for (size_t i = 0; i < root->visited_count; i++)
		if (root->visited[i].device == device && root->visited[i].inode == inode)
			return true;
	if (root->visited_count == VISITED_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d folders", VISITED_MAX);
	root->visited[root->visited_count++] = (struct visit){ device, inode };
	*is_first = true;
	return true;
}

/* Symlinks on the way lead where they would inside the root; *out is -1 when there is nothing. */
MUST_CHECK static bool open_inside(const struct root *root, const char *path, int flags, int *out,
				   struct err *err)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, root->fd, path[0] ? path : ".", &how, sizeof(how));

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_os(err, "open %s/%s", root->name, path);
	*out = fd < 0 ? -1 : (int)fd;
	return true;
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

MUST_CHECK static bool list_folder(struct root *root, const char *path, struct names *names,
				   struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	CLEANUP(dir_closep) DIR *dir = NULL;
	const struct dirent *entry;
	struct stat status;
	bool is_first = false;

	if (!open_inside(root, path, O_RDONLY | O_DIRECTORY, &fd, err))
		return false;
	if (fd < 0)
		return true;
	if (fstat(fd, &status) < 0)
		return err_os(err, "stat %s/%s", root->name, path);
	if (!visit(root, status.st_dev, status.st_ino, &is_first, err))
		return false;
	if (!is_first)
		return true;
	dir = fdopendir(fd);
	if (!dir)
		return err_os(err, "read folder %s/%s", root->name, path);
	fd_take(&fd);
	while (errno = 0, (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !names_add(names, entry->d_name, strlen(entry->d_name), err))
			return false;
	return errno == 0 || err_os(err, "read folder %s/%s", root->name, path);
}

MUST_CHECK static bool list_tree(struct root *root, const char *path, struct names *names,
				 struct err *err)
{
	uint32_t inode = TREE_NONE;
	bool is_first = false;

	if (!tree_walk(root->tree, view_of(path), true, &inode, err))
		return false;
	if (inode == TREE_NONE || !tree_inode(root->tree, inode)->is_dir)
		return true;
	if (!visit(root, 0, inode, &is_first, err))
		return false;
	if (!is_first)
		return true;
	for (uint32_t i = tree_inode(root->tree, inode)->first_child; i != TREE_NONE;) {
		const struct tree_name *name = tree_name(root->tree, i);

		if (!names_add(names, name->ptr, name->len, err))
			return false;
		i = name->next;
	}
	return true;
}

/* Names in a folder, sorted; none when there is no such folder, or it was seen before. */
MUST_CHECK static bool list(struct root *root, const char *path, struct names *names,
			    struct err *err)
{
	if (!(root->tree ? list_tree : list_folder)(root, path, names, err))
		return false;
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return true;
}

/* A file of the host as a stream. */
struct fd_stream {
	struct stream stream; /* first */
	int fd;
	const char *name;
};

MUST_CHECK static bool read_fd(struct stream *self, void *buffer, size_t capacity, size_t *len,
			       struct err *err)
{
	struct fd_stream *file = (struct fd_stream *)self;

	return file_read_some(file->fd, buffer, capacity, len, file->name, err);
}

/* A symlink is a name for something else, unless it leads to the same name in another folder: then
 * it stands for the file itself. */
static bool is_alias(struct view target, const char *name)
{
	return !view_equal(view_behind_last(target, '/'), name);
}

MUST_CHECK static bool take_host_file(struct root *root, struct part *part, const char *name,
				      struct err *err)
{
	CLEANUP(fd_closep) int link_fd = -1, fd = -1;
	char target[PATH_BYTES_MAX];
	struct stat status;

	if (!open_inside(root, part->path, O_PATH | O_NOFOLLOW, &link_fd, err))
		return false;
	ssize_t len = link_fd < 0 ? -1 : readlinkat(link_fd, "", target, sizeof(target));

	if (len > 0 && is_alias((struct view){ target, (size_t)len }, name))
		return intake_add_link(root->intake, view_of(name),
				       (struct view){ target, (size_t)len }, err);
	if (!open_inside(root, part->path, O_RDONLY | O_NONBLOCK, &fd, err))
		return false;
	if (fd < 0)
		return true; /* a link that leads nowhere */
	if (fstat(fd, &status) < 0)
		return err_os(err, "stat %s/%s", root->name, part->path);
	struct fd_stream content = { { .read = read_fd }, fd, part->path };

	part->mode = status.st_mode & 07777;
	return !S_ISREG(status.st_mode) ||
	       intake_add(root->intake, part, &content.stream, err);
}

/* A file of a tree as a stream. */
struct tree_stream {
	struct stream stream; /* first */
	const struct root *root;
	uint32_t inode;
	uint64_t offset;
};

MUST_CHECK static bool read_tree(struct stream *self, void *buffer, size_t capacity, size_t *len,
				 struct err *err)
{
	struct tree_stream *file = (struct tree_stream *)self;
	uint64_t left = tree_inode(file->root->tree, file->inode)->entry->size - file->offset;

	*len = left < capacity ? (size_t)left : capacity;
	if (!content_read(file->root->tree, file->root->data_fds, file->inode, file->offset, buffer,
			  *len, err))
		return false;
	file->offset += *len;
	return true;
}

MUST_CHECK static bool take_tree_file(struct root *root, struct part *part, const char *name,
				      struct err *err)
{
	struct tree_stream content = { { .read = read_tree }, .root = root };
	uint32_t inode = TREE_NONE;

	if (!tree_walk(root->tree, view_of(part->path), false, &inode, err))
		return false;
	const struct tree_inode *node = inode == TREE_NONE ? NULL : tree_inode(root->tree, inode);

	if (!node || !node->entry)
		return true;
	if (node->entry->kind == ENTRY_SYMLINK) {
		struct view target = index_link(node->index, node->entry);

		if (is_alias(target, name))
			return intake_add_link(root->intake, view_of(name), target, err);
		if (!tree_walk(root->tree, view_of(part->path), true, &inode, err))
			return false;
		node = inode == TREE_NONE ? NULL : tree_inode(root->tree, inode);
	}
	if (!node || !node->entry || node->entry->kind != ENTRY_FILE)
		return true;
	content.inode = inode;
	part->mode = node->entry->mode;
	return intake_add(root->intake, part, &content.stream, err);
}

MUST_CHECK static bool join(char out[PATH_BYTES_MAX], const char *folder, const char *name,
			    struct err *err)
{
	int len = snprintf(out, PATH_BYTES_MAX, "%s%s%s", folder, folder[0] ? "/" : "", name);

	return len < PATH_BYTES_MAX ||
	       err_set(err, ERR_UNSUPPORTED, "a path over %d bytes", PATH_BYTES_MAX - 1);
}

MUST_CHECK static bool take_folder(struct root *root, const char *folder, struct err *err)
{
	CLEANUP(names_freep) struct names names = { 0 };
	char path[PATH_BYTES_MAX];

	if (!list(root, folder, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		struct part part = { .path = path };

		if (!join(path, folder, names.items[i], err))
			return false;
		if (place_lets_in(view_of(path), &part.kind) &&
		    !(root->tree ? take_tree_file : take_host_file)(root, &part, names.items[i],
								    err))
			return false;
	}
	return true;
}

/* Folders in a folder; it counts as seen only for this, since its own files are not wanted. */
MUST_CHECK static bool take_each_in(struct root *root, const char *folder, bool only_vendors,
				    struct err *err)
{
	CLEANUP(names_freep) struct names names = { 0 };
	char path[PATH_BYTES_MAX];

	if (!list(root, folder, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (only_vendors && !place_is_vendors(view_of(names.items[i])))
			continue;
		if (!join(path, folder, names.items[i], err) || !take_folder(root, path, err))
			return false;
	}
	return true;
}

/* "usr/lib", "usr/lib/nvidia/@", "usr/share/doc/%" */
MUST_CHECK static bool take_place(struct root *root, const char *place, struct err *err)
{
	char folder[PATH_BYTES_MAX];
	size_t len = strlen(place);
	char last = len > 1 && place[len - 2] == '/' ? place[len - 1] : '\0';

	if (last != '@' && last != '%')
		return take_folder(root, place, err);
	snprintf(folder, sizeof(folder), "%.*s", (int)(len - 2), place);
	return take_each_in(root, folder, last == '%', err);
}

MUST_CHECK static bool take_places(struct root *root, struct err *err)
{
	for (size_t i = 0; place_folders[i]; i++)
		if (!take_place(root, place_folders[i], err))
			return err_wrap(err, "%s", root->name);
	return true;
}

bool source_take_folder(struct intake *intake, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	CLEANUP(freep) struct root *root = calloc(1, sizeof(*root));

	if (!root)
		return err_memory(err, path);
	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, err))
		return false;
	root->name = path;
	root->fd = fd;
	root->intake = intake;
	return take_places(root, err);
}

bool source_take_tree(struct intake *intake, const struct tree *tree, const int *data_fds,
		      const char *name, struct err *err)
{
	CLEANUP(freep) struct root *root = calloc(1, sizeof(*root));

	if (!root)
		return err_memory(err, name);
	root->name = name;
	root->fd = -1;
	root->tree = tree;
	root->data_fds = data_fds;
	root->intake = intake;
	return take_places(root, err);
}
