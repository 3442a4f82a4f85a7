#include "loader.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>

#include "base/bytes.h"
#include "loader_built_in.h"
#include "loader_path.h"

struct loader_machine {
	bool is_64;
	uint16_t machine;
	uint32_t cache_flags;	     /* of its entries in the cache */
	const char *name, *platform; /* for people; $PLATFORM */
	const char *glibc_loader;    /* the ABI's own name of ld.so */
	const char *musl_name;	     /* of ld-musl-NAME.so.1 */
	const char *folders[8]; /* of distributions' ld.so, where the image's own does not say */
	const char *hwcaps[4];	/* best first: the folders below glibc-hwcaps */
};

/* Source: glibc sysdeps/…/shlib-versions and ldconfig.h, Debian's and Fedora's `ld.so --help` */
static const struct loader_machine machines[] = {
	{ .is_64 = true,
	  .machine = EM_X86_64,
	  .cache_flags = LDCACHE_X86_64,
	  .name = "x86-64",
	  .platform = "x86_64",
	  .glibc_loader = "/lib64/ld-linux-x86-64.so.2",
	  .musl_name = "x86_64",
	  .folders = { "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64",
		       "/lib", "/usr/lib" },
	  .hwcaps = { "x86-64-v4", "x86-64-v3", "x86-64-v2" } },
	{ .machine = EM_386,
	  .cache_flags = LDCACHE_I386,
	  .name = "32-bit x86",
	  .platform = "i686",
	  .glibc_loader = "/lib/ld-linux.so.2",
	  .musl_name = "i386",
	  .folders = { "/lib/i386-linux-gnu", "/usr/lib/i386-linux-gnu", "/lib32", "/usr/lib32",
		       "/lib", "/usr/lib" } },
	{ .is_64 = true,
	  .machine = EM_AARCH64,
	  .cache_flags = LDCACHE_AARCH64,
	  .name = "aarch64",
	  .platform = "aarch64",
	  .glibc_loader = "/lib/ld-linux-aarch64.so.1",
	  .musl_name = "aarch64",
	  .folders = { "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64",
		       "/usr/lib64", "/lib", "/usr/lib" } },
};

enum {
	LOADER_BYTES_MAX = 16 << 20, /* Debian's ld.so has 210 KB */
	MUSL_PATH_BYTES_MAX = 64 << 10,
};

static const struct loader_machine *find_machine(bool is_64, uint16_t machine)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].is_64 == is_64 && machines[i].machine == machine)
			return &machines[i];
	return NULL;
}

const char *loader_machine_name(const struct loader *loader)
{
	return loader->row ? loader->row->name : "foreign";
}

static bool is_of(const struct loader *loader, const struct library *library)
{
	return library->is_64 == loader->is_64 && library->machine == loader->machine;
}

/* Why a loader that opened the file ends its search there; NULL: it does not. */
static const char *reason_to_refuse(const struct loader *loader, const struct library *library)
{
	if (library->fault)
		return library->fault;
	if (!is_of(loader, library)) /* glibc's passes on to the next folder */
		return loader->libc == LOADER_MUSL ? "of another machine" : NULL;
	return library->type == ET_DYN ? NULL : "no shared library";
}

/* Open one path, as open_verify does. Untouched, out has LOADER_MISSING. */
MUST_CHECK static bool try_path(const struct loader *loader, struct view path,
				struct loader_found *out, struct err *err)
{
	const struct library *library = NULL;
	uint32_t inode = image_find(loader->table->files, TREE_ROOT, path);

	if (++loader->table->path_count > LOADER_PATHS_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "the driver's libraries look into absurdly many folders");
	if (inode == TREE_NONE || path.len >= sizeof(out->path))
		return true;
	if (!library_table_get(loader->table, inode, &library, err))
		return err_wrap(err, "%.*s", VIEW_ARGS(path));
	const char *reason = reason_to_refuse(loader, library);

	if (!reason && !is_of(loader, library))
		return true;
	memcpy(out->path, path.ptr, path.len);
	out->path[path.len] = '\0';
	out->answer = reason ? LOADER_REFUSES : LOADER_FOUND;
	out->library = library;
	out->reason = reason;
	return true;
}

/* A folder, then the folders of better processors below it: a library that is only there counts,
 * because nobody knows the machine's. */
MUST_CHECK static bool try_folder(const struct loader *loader, const char *folder, const char *name,
				  struct loader_found *out, struct err *err)
{
	const char *const *hwcaps = loader->row->hwcaps;
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

	while (folder[0] == '/' && len > 0 && (size_t)len < sizeof(path)) {
		if (!try_path(loader, (struct view){ path, (size_t)len }, out, err))
			return false;
		if (out->answer != LOADER_MISSING || loader->libc == LOADER_MUSL || !*hwcaps)
			return true;
		len = snprintf(path, sizeof(path), "%s/glibc-hwcaps/%s/%s", folder, *hwcaps++,
			       name);
	}
	return true;
}

/* An rpath, "/a:$ORIGIN/b", of what was loaded as by. */
MUST_CHECK static bool try_rpath(const struct loader *loader, const char *rpath,
				 const struct loaded *by, const char *name,
				 struct loader_found *out, struct err *err)
{
	const struct loader_words words = { loader_folder_of(by->path), loader->lib,
					    view_of(loader->row->platform) };
	struct view rest = view_of(rpath);
	char folder[PATH_MAX];

	while (out->answer == LOADER_MISSING && rest.len > 0)
		if (loader_expand(folder, view_cut(&rest, ':'), &words) &&
		    !try_folder(loader, folder, name, out, err))
			return false;
	return true;
}

MUST_CHECK static bool try_folders(const struct loader *loader, const char *name,
				   struct loader_found *out, struct err *err)
{
	for (size_t i = 0; i < loader->folder_count && out->answer == LOADER_MISSING; i++)
		if (!try_folder(loader, loader->folders[i], name, out, err))
			return false;
	return true;
}

/* Where the first entry of that name is, if there is one; searched as ld.so does: a cache out of
 * order hides entries from it, too. */
static size_t cache_first(const struct ldcache *cache, struct view name)
{
	size_t from = 0, to = cache->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = ldcache_compare_names(name, cache->entries[middle].name);

		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The plain entry before those for better processors, as in folders. */
MUST_CHECK static bool try_cache(const struct loader *loader, const char *name,
				 struct loader_found *out, struct err *err)
{
	const struct ldcache *cache = loader->cache;
	const struct ldcache_entry *best = NULL;
	struct view wanted = view_of(name);

	for (size_t i = cache_first(cache, wanted);
	     i < cache->count && ldcache_compare_names(cache->entries[i].name, wanted) == 0; i++) {
		const struct ldcache_entry *entry = &cache->entries[i];
		bool is_plain = entry->hwcaps.len == 0 && entry->hwcap == 0;

		if (entry->flags != loader->row->cache_flags)
			continue;
		if (!best || is_plain)
			best = entry;
		if (is_plain)
			break;
	}
	return !best || !view_starts(best->path, "/") || try_path(loader, best->path, out, err);
}

MUST_CHECK static bool find_as_glibc(const struct loader *loader, const char *name,
				     const struct loaded *by, struct loader_found *out,
				     struct err *err)
{
	bool has_runpath = by && by->library->runpath;

	if (strcmp(name, strrchr(loader->row->glibc_loader, '/') + 1) == 0) {
		out->answer = LOADER_ITSELF;
		return true;
	}
	/* An rpath counts for all that is loaded below, but not where there is a runpath. */
	for (const struct loaded *at = has_runpath ? NULL : by; at; at = at->loaded_by)
		if (at->library->rpath && !at->library->runpath &&
		    !try_rpath(loader, at->library->rpath, at, name, out, err))
			return false;
	if (has_runpath && !try_rpath(loader, by->library->runpath, by, name, out, err))
		return false;
	if (out->answer == LOADER_MISSING && !try_cache(loader, name, out, err))
		return false;
	return try_folders(loader, name, out, err);
}

/* Both kinds of rpath count for all that is loaded below. */
MUST_CHECK static bool find_as_musl(const struct loader *loader, const char *name,
				    const struct loaded *by, struct loader_found *out,
				    struct err *err)
{
	static const char *const own[] = { "libc.",  "libpthread.", "librt.",  "libm.",
					   "libdl.", "libutil.",    "libxnet." };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strncmp(name, own[i], strlen(own[i])) == 0) {
			out->answer = LOADER_ITSELF;
			return true;
		}
	for (const struct loaded *at = by; at; at = at->loaded_by) {
		const char *rpath =
			at->library->runpath ? at->library->runpath : at->library->rpath;

		if (rpath && !try_rpath(loader, rpath, at, name, out, err))
			return false;
	}
	return try_folders(loader, name, out, err);
}

/* A name with a slash is a path. */
MUST_CHECK static bool find_path(const struct loader *loader, const char *name,
				 const struct loaded *by, struct loader_found *out, struct err *err)
{
	struct loader_words words = { .lib = loader->lib,
				      .platform = view_of(loader->row->platform) };
	char path[PATH_MAX];

	if (by)
		words.origin = loader_folder_of(by->path);
	return !loader_expand(path, view_of(name), &words) || path[0] != '/' ||
	       try_path(loader, view_of(path), out, err);
}

bool loader_find(const struct loader *loader, const char *name, const struct loaded *by,
		 struct loader_found *out, struct err *err)
{
	out->answer = LOADER_MISSING;
	if (!loader->row)
		return true;
	if (strchr(name, '/'))
		return find_path(loader, name, by, out, err);
	if (loader->libc == LOADER_MUSL)
		return find_as_musl(loader, name, by, out, err);
	return find_as_glibc(loader, name, by, out, err);
}

/* The folders of the image's ld.so, or those of the distributions' where it does not say. */
MUST_CHECK static bool read_glibc_folders(struct loader *loader, struct err *err)
{
	const struct image_files *files = loader->table->files;
	uint32_t inode = image_find(files, TREE_ROOT, view_of(loader->row->glibc_loader));
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(LOADER_BYTES_MAX);
	struct arena *arena = &loader->table->arena;

	if (image_file_bytes(files, inode) <= LOADER_BYTES_MAX &&
	    (!image_slurp(files, inode, &file, err) ||
	     !loader_built_in_read(bytes_view(&file), arena, &loader->folders,
				   &loader->folder_count, err)))
		return err_wrap(err, "%s", loader->row->glibc_loader);
	if (loader->folder_count > 0)
		return true;
	loader->folders = arena_take(arena, sizeof(loader->row->folders));
	if (!loader->folders)
		return err_memory(err, "a loader's folders");
	memcpy(loader->folders, loader->row->folders, sizeof(loader->row->folders));
	while (loader->row->folders[loader->folder_count])
		loader->folder_count++;
	return true;
}

static size_t folder_len(struct view text)
{
	size_t len = 0;

	while (len < text.len && text.ptr[len] != ':' && text.ptr[len] != '\n')
		len++;
	return len;
}

/* musl's path file is parted by colons and line ends. */
MUST_CHECK static bool split_folders(struct loader *loader, struct view text, struct err *err)
{
	struct arena *arena = &loader->table->arena;
	const char **folders = arena_take(arena, (text.len / 2 + 1) * sizeof(*folders));
	size_t count = 0;

	while (folders && text.len > 0) {
		size_t len = folder_len(text);

		if (len > 0) {
			folders[count] = arena_copy(arena, text.ptr, len);
			if (!folders[count++])
				return err_memory(err, "a loader's folders");
		}
		text = view_from(text, len + 1);
	}
	if (!folders)
		return err_memory(err, "a loader's folders");
	loader->folders = folders;
	loader->folder_count = count;
	return true;
}

MUST_CHECK static bool read_musl_folders(struct loader *loader, struct err *err)
{
	const struct image_files *files = loader->table->files;
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(MUSL_PATH_BYTES_MAX);
	char path[64];

	snprintf(path, sizeof(path), "/etc/ld-musl-%s.path", loader->row->musl_name);
	uint32_t inode = image_find(files, TREE_ROOT, view_of(path));

	if (!image_is_file(files, inode))
		return split_folders(loader, view_of("/lib:/usr/local/lib:/usr/lib"), err);
	if (!image_slurp(files, inode, &file, err))
		return err_wrap(err, "%s", path);
	return split_folders(loader, bytes_view(&file), err);
}

static bool is_glibc(const struct library *library)
{
	for (size_t i = 0; i < library->versions_defined_count; i++)
		if (view_starts(view_of(library->versions_defined[i].name), "GLIBC_"))
			return true;
	return false;
}

/* A libc.so.6 may also be a link to musl, in images that are made to pass for others. */
MUST_CHECK static bool open_glibc(struct loader *loader, struct err *err)
{
	struct loader_found found;

	if (!read_glibc_folders(loader, err) ||
	    !loader_find(loader, "libc.so.6", NULL, &found, err))
		return false;
	if (found.answer != LOADER_FOUND || !is_glibc(found.library))
		return true;
	loader->libc = LOADER_GLIBC;
	loader->libc_path = arena_copy(&loader->table->arena, found.path, strlen(found.path));
	if (!loader->libc_path)
		return err_memory(err, "a loader's path");
	loader->libc_library = found.library;
	struct view lib = loader_folder_of(loader->libc_path);

	loader->lib = view_from(lib, view_starts(lib, "/usr/") ? strlen("/usr/") : 1);
	return true;
}

MUST_CHECK static bool open_musl(struct loader *loader, struct err *err)
{
	struct loader_found found = { .answer = LOADER_MISSING };
	char path[64];

	snprintf(path, sizeof(path), "/lib/ld-musl-%s.so.1", loader->row->musl_name);
	if (!try_path(loader, view_of(path), &found, err))
		return false;
	if (found.answer != LOADER_FOUND)
		return true;
	loader->libc = LOADER_MUSL;
	loader->libc_path = arena_copy(&loader->table->arena, path, strlen(path));
	return loader->libc_path ? read_musl_folders(loader, err)
				 : err_memory(err, "a loader's path");
}

bool loader_open(struct loader *out, struct library_table *table, const struct ldcache *cache,
		 bool is_64, uint16_t machine, struct err *err)
{
	struct loader loader = { .table = table,
				 .cache = cache,
				 .is_64 = is_64,
				 .machine = machine,
				 .row = find_machine(is_64, machine) };

	if (loader.row && !open_glibc(&loader, err))
		return false;
	if (loader.row && loader.libc == LOADER_NO_LIBC && !open_musl(&loader, err))
		return false;
	*out = loader;
	return true;
}
