#include "loader_conf.h"

#include <elf.h>
#include <fnmatch.h>
#include <stdlib.h>

enum {
	PATTERN_BYTES_MAX = 4096,
	GLOB_STEPS_MAX = 1000 * 1000, /* names compared for all patterns: far under a second */
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* As isspace in the C locale. */
static bool is_space(char byte)
{
	return is_blank(byte) || (byte >= '\n' && byte <= '\r');
}

static struct view trim_line(struct view line)
{
	while (line.len > 0 && is_space(line.ptr[0]))
		line = view_from(line, 1);
	return line;
}

static struct view trim_folder(struct view line)
{
	while (line.len > 0 && is_space(line.ptr[line.len - 1]))
		line.len--;
	while (line.len > 0 && line.ptr[line.len - 1] == '/')
		line.len--;
	return line;
}

/* "hwcap" in any case, then a blank: what older glibc knew and all pass over. */
static bool is_hwcap(struct view line)
{
	return line.len > 5 && strncasecmp(line.ptr, "hwcap", 5) == 0 && is_blank(line.ptr[5]);
}

bool loader_conf_next(struct view *text, struct loader_conf_line *line)
{
	while (text->len > 0) {
		struct view whole = view_cut(text, '\n');
		struct view said = view_cut(&whole, '#');
		ptrdiff_t nul = view_find(said, '\0');

		if (nul >= 0)
			said.len = (size_t)nul;
		said = trim_line(said);
		if (said.len == 0 || is_hwcap(said))
			continue;
		bool is_include =
			said.len > 7 && view_starts(said, "include") && is_blank(said.ptr[7]);

		line->kind = is_include ? LOADER_CONF_INCLUDE : LOADER_CONF_FOLDER;
		line->text = is_include ? view_from(said, 8) : trim_folder(said);
		if (line->text.len > 0)
			return true;
	}
	return false;
}

void loader_folders_freep(struct loader_folders *folders)
{
	free(folders->items);
	arena_freep(&folders->arena);
	*folders = (struct loader_folders){ 0 };
}

bool loader_folders_have(const struct loader_folders *folders, uint32_t inode)
{
	for (size_t i = 0; i < folders->count; i++)
		if (folders->items[i].inode == inode && !folders->items[i].hwcaps)
			return true;
	return false;
}

struct reader {
	struct loader_folders *out;
	const struct image_files *files;
	size_t depth;
	size_t glob_step_count;
	bool is_configured; /* what is added now */
};

/* False in *added when that directory is there already, under whatever name. */
MUST_CHECK static bool add_folder(struct reader *reader, struct loader_folder folder, bool *added,
				  struct err *err)
{
	struct loader_folders *out = reader->out;

	*added = false;
	for (size_t i = 0; i < out->count; i++)
		if (out->items[i].inode == folder.inode)
			return true;
	if (out->count == LOADER_FOLDERS_MAX)
		return err_set(err, ERR_FORMAT, "over %d folders in ld.so.conf",
			       LOADER_FOLDERS_MAX);
	if (out->count == out->capacity) {
		size_t capacity = out->capacity ? out->capacity * 2 : 32;
		void *items = reallocarray(out->items, capacity, sizeof(*out->items));

		if (!items)
			return err_memory(err, "the loader's folders");
		out->items = items;
		out->capacity = capacity;
	}
	folder.is_configured = reader->is_configured;
	out->items[out->count++] = folder;
	*added = true;
	return true;
}

/* The folders below path/glibc-hwcaps; they come right behind theirs. */
MUST_CHECK static bool add_hwcaps(struct reader *reader, const char *path, uint32_t parent,
				  struct err *err)
{
	struct arena *arena = &reader->out->arena;
	uint32_t dir = image_find(reader->files, parent, view_of("glibc-hwcaps"));
	const char *hwcaps = image_join(arena, path, view_of("glibc-hwcaps"));
	struct image_names names;
	bool added = false;

	if (!hwcaps)
		return err_memory(err, "the loader's folders");
	if (!image_is_dir(reader->files, dir))
		return true;
	if (!image_list(reader->files, dir, arena, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		struct image_name *name = &names.items[i];
		struct loader_folder folder = { .inode = image_follow(reader->files, dir, name),
						.path = image_join(arena, hwcaps, name->name),
						.hwcaps = arena_copy(arena, name->name.ptr,
								     name->name.len) };

		if (!folder.path || !folder.hwcaps)
			return err_memory(err, "the loader's folders");
		if (name->name.ptr[0] == '.' || view_find(name->name, ':') >= 0 ||
		    !image_is_dir(reader->files, folder.inode))
			continue;
		if (!add_folder(reader, folder, &added, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool add_path(struct reader *reader, struct view path, struct err *err)
{
	struct loader_folder folder = { .inode = image_find(reader->files, TREE_ROOT, path) };
	bool added = false;

	if (!image_is_dir(reader->files, folder.inode))
		return true;
	folder.path = arena_copy(&reader->out->arena, path.ptr, path.len);
	if (!folder.path)
		return err_memory(err, "the loader's folders");
	if (!add_folder(reader, folder, &added, err))
		return false;
	return !added || add_hwcaps(reader, folder.path, folder.inode, err);
}

MUST_CHECK static bool read_conf(struct reader *reader, const char *path, struct err *err);

/* Match rest, a pattern without its first slash, below directory dir, whose path is folder. */
MUST_CHECK static bool glob_below(struct reader *reader, uint32_t dir, const char *folder,
				  struct view rest, struct err *err);

/* One name that matched one component of the pattern. */
MUST_CHECK static bool glob_into(struct reader *reader, uint32_t dir, const char *folder,
				 struct view name, struct view rest, struct err *err)
{
	uint32_t inode = image_find(reader->files, dir, name);
	const char *path = image_join(&reader->out->arena, folder, name);

	if (!path)
		return err_memory(err, "the loader's folders");
	if (inode == TREE_NONE)
		return true;
	if (!rest.ptr)
		return read_conf(reader, path, err);
	return !image_is_dir(reader->files, inode) || glob_below(reader, inode, path, rest, err);
}

bool glob_below(struct reader *reader, uint32_t dir, const char *folder, struct view rest,
		struct err *err)
{
	struct view component = view_cut(&rest, '/');
	struct arena *arena = &reader->out->arena;
	const char *pattern = arena_copy(arena, component.ptr, component.len);
	struct image_names names;

	if (!pattern)
		return err_memory(err, "the loader's folders");
	if (component.len == 0 && rest.ptr)
		return glob_below(reader, dir, folder, rest, err);
	if (!strpbrk(pattern, "*?[\\"))
		return component.len == 0 || glob_into(reader, dir, folder, component, rest, err);
	if (!image_list(reader->files, dir, arena, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		struct view name = names.items[i].name;
		char text[256];

		if (reader->glob_step_count++ == GLOB_STEPS_MAX)
			return err_set(err, ERR_FORMAT, "ld.so.conf: a pattern that is too wide");
		memcpy(text, name.ptr, name.len);
		text[name.len] = '\0';
		if (fnmatch(pattern, text, FNM_PERIOD) == 0 &&
		    !glob_into(reader, dir, folder, name, rest, err))
			return false;
	}
	return true;
}

/* One pattern of an include line; a relative one starts at the folder of the file it stands in. */
MUST_CHECK static bool include(struct reader *reader, const char *from, struct view pattern,
			       struct err *err)
{
	const char *slash = strrchr(from, '/');
	struct view folder = { from, slash ? (size_t)(slash - from) : 0 };
	struct arena *arena = &reader->out->arena;

	if (pattern.len > PATTERN_BYTES_MAX)
		return err_set(err, ERR_FORMAT, "ld.so.conf: a pattern that is too long");
	if (pattern.ptr[0] != '/') {
		const char *base = arena_copy(arena, folder.ptr, folder.len);
		const char *whole = base ? image_join(arena, base, pattern) : NULL;

		if (!whole)
			return err_memory(err, "the loader's folders");
		pattern = view_of(whole);
	}
	return glob_below(reader, TREE_ROOT, "/", view_from(pattern, 1), err);
}

MUST_CHECK static bool include_all(struct reader *reader, const char *from, struct view patterns,
				   struct err *err)
{
	while (patterns.len > 0) {
		size_t len = 0;

		while (len < patterns.len && !is_blank(patterns.ptr[len]))
			len++;
		if (len > 0 && !include(reader, from, (struct view){ patterns.ptr, len }, err))
			return false;
		patterns = view_from(patterns, len + 1);
	}
	return true;
}

MUST_CHECK static bool read_lines(struct reader *reader, const char *path, struct view text,
				  struct err *err)
{
	struct loader_conf_line line;

	while (loader_conf_next(&text, &line))
		if (line.kind == LOADER_CONF_INCLUDE ? !include_all(reader, path, line.text, err)
						     : !add_path(reader, line.text, err))
			return false;
	return true;
}

bool read_conf(struct reader *reader, const char *path, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(LOADER_CONF_BYTES_MAX);
	uint32_t inode = image_find(reader->files, TREE_ROOT, view_of(path));

	if (!image_is_file(reader->files, inode))
		return true;
	if (reader->depth == LOADER_CONF_DEPTH_MAX ||
	    reader->out->file_count == LOADER_CONF_FILES_MAX)
		return err_set(err, ERR_FORMAT, "ld.so.conf includes itself or too many files");
	if (!image_slurp(reader->files, inode, &text, err))
		return err_wrap(err, "%s of the image", path);
	reader->out->files[reader->out->file_count++] = (struct loader_conf_file){ path, inode };
	reader->depth++;
	bool done = read_lines(reader, path, bytes_view(&text), err);

	reader->depth--;
	return done;
}

/* A folder that the loader has built in, and its siblings for other word lengths. */
MUST_CHECK static bool add_built_in(struct reader *reader, struct view folder, uint16_t machine,
				    struct err *err)
{
	static const char *const siblings[] = { "64", "x32" };
	size_t sibling_count = machine == EM_X86_64 ? 2 : 1;
	struct arena *arena = &reader->out->arena;

	if (view_ends(folder, "/lib64"))
		folder.len -= 2;
	else if (machine == EM_X86_64 && view_ends(folder, "/libx32"))
		folder.len -= 3;
	if (!add_path(reader, folder, err))
		return false;
	for (size_t i = 0; view_ends(folder, "/lib") && i < sibling_count; i++) {
		char *path = arena_take(arena, folder.len + 4);

		if (!path)
			return err_memory(err, "the loader's folders");
		memcpy(path, folder.ptr, folder.len);
		memcpy(path + folder.len, siblings[i], strlen(siblings[i]));
		if (!add_path(reader, view_of(path), err))
			return false;
	}
	return true;
}

/* Debian's ldconfig takes the loader's folders as they stand, and so do its derivatives. */
static bool is_multiarch(const struct text_list *built_in)
{
	for (size_t i = 0; i < built_in->count; i++)
		if (strstr(built_in->items[i], "-linux-gnu"))
			return true;
	return false;
}

MUST_CHECK static bool read_all(struct reader *reader, uint16_t machine,
				const struct text_list *built_in, struct err *err)
{
	struct loader_folders *out = reader->out;

	out->files = arena_take(&out->arena, LOADER_CONF_FILES_MAX * sizeof(*out->files));
	if (!out->files)
		return err_memory(err, "the loader's folders");
	reader->is_configured = true;
	if (!read_conf(reader, LOADER_CONF_PATH, err))
		return false;
	reader->is_configured = false;
	for (size_t i = 0; i < built_in->count; i++) {
		struct view folder = trim_folder(view_of(built_in->items[i]));

		if (folder.len > 0 &&
		    !(is_multiarch(built_in) ? add_path(reader, folder, err)
					     : add_built_in(reader, folder, machine, err)))
			return false;
	}
	return true;
}

bool loader_folders_read(struct loader_folders *out, const struct image_files *files,
			 uint16_t machine, const struct text_list *built_in, struct err *err)
{
	CLEANUP(loader_folders_freep) struct loader_folders folders = { 0 };
	struct reader reader = { .out = &folders, .files = files };

	if (!read_all(&reader, machine, built_in, err))
		return false;
	*out = folders;
	folders = (struct loader_folders){ 0 };
	return true;
}
