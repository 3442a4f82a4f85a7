#include "verify_closure.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "capability.h"
#include "layers/content.h"
#include "ldcache.h"

enum {
	LIBRARY_BYTES_MAX = 1 << 29,
	CACHE_BYTES_MAX = 64 << 20,
	PATH_MAX_BYTES = 4096,
	OBJECTS_MAX = 10000, /* reached from all of a driver's files */
};

/* A library or program that was reached, once for each inode. */
struct object {
	uint32_t inode;
	const char *path; /* by which it was found first */
	const struct elf_facts *elf;
	enum severity severity; /* of something it lacks */
};

struct closure_walk {
	const struct verify_subject *subject;
	struct finding_list *findings;
	struct object *objects; /* objects[count], those up to done are followed; owned */
	size_t count, capacity, done;
	uint32_t *seen; /* seen[inode] is 1 + its object; owned */
	struct bytes cache_bytes;
	struct ldcache cache;
	struct arena arena; /* paths and facts of the image's libraries */
};

static void closure_walk_freep(struct closure_walk *walk)
{
	free(walk->objects);
	free(walk->seen);
	ldcache_freep(&walk->cache);
	bytes_freep(&walk->cache_bytes);
	arena_freep(&walk->arena);
}

MUST_CHECK static bool add_object(struct closure_walk *walk, const struct object *object,
				  struct err *err)
{
	if (walk->seen[object->inode] != 0 || walk->count == OBJECTS_MAX)
		return true;
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? walk->capacity * 2 : 256;
		struct object *objects = reallocarray(walk->objects, capacity, sizeof(*objects));

		if (!objects)
			return err_memory(err, "an image's libraries");
		walk->objects = objects;
		walk->capacity = capacity;
	}
	walk->objects[walk->count++] = *object;
	walk->seen[object->inode] = (uint32_t)walk->count;
	return true;
}

/* Where a program works without a part: what only desktops, NVSwitch or confidential machines use
 * must not fail an image that has no X libraries or no OpenSSL 1.1. */
static enum severity severity_of(const struct bundle_file *file)
{
	static const char *const optional[] = {
		"libnvidia-pkcs11", "nvidia-persistenced", "nv-fabricmanager", "nvidia-imex",
		"libvdpau_nvidia",  "libnvidia-nscq",	   "libnvsdm",
	};
	const unsigned essential = CAPABILITY_UTILITY | CAPABILITY_COMPUTE | CAPABILITY_VIDEO;
	const char *name = strrchr(file->dest, '/') ? strrchr(file->dest, '/') + 1 : file->dest;

	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (strncmp(name, optional[i], strlen(optional[i])) == 0)
			return SEVERITY_WARNING;
	return file->kind != BUNDLE_LIB32 && (file->capabilities & essential) ? SEVERITY_ERROR :
										SEVERITY_WARNING;
}

static bool is_machine(const struct elf_facts *elf, const struct elf_facts *asker)
{
	return elf->is_dynamic && elf->is_64 == asker->is_64 && elf->machine == asker->machine;
}

/* The object at a path, when the loader would take it for the one who asks. */
MUST_CHECK static bool take_path(struct closure_walk *walk, const struct object *asker,
				 struct view path, const struct object **out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(LIBRARY_BYTES_MAX);
	const struct verify_subject *subject = walk->subject;
	struct object object = { .severity = asker->severity };
	struct elf_facts *facts = NULL;
	struct err ignored = { 0 };

	*out = NULL;
	if (!tree_walk(subject->tree, path, true, &object.inode, &ignored) ||
	    object.inode == TREE_NONE)
		return true;
	if (walk->seen[object.inode] != 0) {
		*out = &walk->objects[walk->seen[object.inode] - 1];
		if (!is_machine((*out)->elf, asker->elf))
			*out = NULL;
		return true;
	}
	char *copy = arena_copy(&walk->arena, path.ptr, path.len);

	facts = arena_take(&walk->arena, sizeof(*facts));
	if (!copy || !facts)
		return err_memory(err, "an image's libraries");
	object.path = copy;
	object.elf = facts;
	if (!content_slurp(subject->tree, subject->data_fds, copy, &bytes, &ignored))
		return true; /* a folder, or over the cap: no library */
	if (!elf_facts_read(facts, &walk->arena, bytes_view(&bytes), err))
		return false;
	if (!is_machine(facts, asker->elf))
		return true;
	if (!add_object(walk, &object, err))
		return false;
	if (walk->seen[object.inode] != 0)
		*out = &walk->objects[walk->seen[object.inode] - 1];
	return true;
}

MUST_CHECK static bool take_in(struct closure_walk *walk, const struct object *asker,
			       struct view folder, struct view name, const struct object **out,
			       struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(PATH_MAX_BYTES);
	struct err ignored = { 0 };

	*out = NULL;
	if (!bytes_print(&path, &ignored, "%.*s/%.*s", VIEW_ARGS(folder), VIEW_ARGS(name)))
		return true;
	return take_path(walk, asker, bytes_view(&path), out, err);
}

/* A colon list; $ORIGIN is the folder of the one who asks. */
MUST_CHECK static bool take_in_list(struct closure_walk *walk, const struct object *asker,
				    struct view list, struct view name, const struct object **out,
				    struct err *err)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
	struct view own = view_of(asker->path);

	own.len = (size_t)(view_find_last(own, '/') > 0 ? view_find_last(own, '/') : 0);
	while (list.ptr && list.len > 0 && !*out) {
		CLEANUP(bytes_freep) struct bytes folder = bytes_capped(PATH_MAX_BYTES);
		struct view part = view_cut(&list, ':');
		struct err ignored = { 0 };
		bool is_printed = false;

		for (size_t i = 0; i < 2 && !is_printed; i++)
			is_printed = view_starts(part, origins[i]) &&
				     bytes_print(&folder, &ignored, "%.*s%.*s", VIEW_ARGS(own),
						 VIEW_ARGS(view_from(part, strlen(origins[i]))));
		if (!take_in(walk, asker, is_printed ? bytes_view(&folder) : part, name, out, err))
			return false;
	}
	return true;
}

static uint32_t cache_flags(const struct elf_facts *elf)
{
	switch (elf->machine) {
	case EM_X86_64:
		return LDCACHE_X86_64;
	case EM_AARCH64:
		return LDCACHE_AARCH64;
	default:
		return LDCACHE_I386;
	}
}

/* Entries of glibc-hwcaps folders are for CPUs that may not be there: the plain one has to be. */
MUST_CHECK static bool take_in_cache(struct closure_walk *walk, const struct object *asker,
				     struct view name, const struct object **out, struct err *err)
{
	uint32_t flags = cache_flags(asker->elf);

	for (size_t i = 0; i < walk->cache.count && !*out; i++) {
		const struct ldcache_entry *entry = &walk->cache.entries[i];
		bool is_match = view_same(entry->name, name) && entry->hwcaps.len == 0 &&
				(entry->flags == flags ||
				 (flags == LDCACHE_I386 && entry->flags == LDCACHE_LOADER_I386));

		if (is_match && !take_path(walk, asker, entry->path, out, err))
			return false;
	}
	return true;
}

/* What the loaders of today's distributions have built in; a folder of another machine holds
 * nothing that is_machine takes. */
MUST_CHECK static bool take_in_defaults(struct closure_walk *walk, const struct object *asker,
					struct view name, const struct object **out,
					struct err *err)
{
	static const char *const folders[] = {
		"/lib/x86_64-linux-gnu",  "/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
		"/lib/i386-linux-gnu",	  "/usr/lib/i386-linux-gnu",
		"/lib64",		  "/usr/lib64",
		"/lib",			  "/usr/lib",
		"/usr/lib32",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !*out; i++)
		if (!take_in(walk, asker, view_of(folders[i]), name, out, err))
			return false;
	return true;
}

/* elf/dl-load.c, _dl_map_object: RPATH (when there is no RUNPATH), RUNPATH, cache, built in. */
MUST_CHECK static bool resolve(struct closure_walk *walk, const struct object *asker,
			       struct view name, const struct object **out, struct err *err)
{
	*out = NULL;
	if (view_find(name, '/') >= 0)
		return take_path(walk, asker, name, out, err);
	if (asker->elf->runpath.len == 0 &&
	    !take_in_list(walk, asker, asker->elf->rpath, name, out, err))
		return false;
	return take_in_list(walk, asker, asker->elf->runpath, name, out, err) &&
	       (*out || take_in_cache(walk, asker, name, out, err)) &&
	       (*out || take_in_defaults(walk, asker, name, out, err));
}

static bool defines(const struct elf_facts *elf, struct view version)
{
	for (size_t i = 0; i < elf->defined_count; i++)
		if (view_same(elf->defined[i], version))
			return true;
	return elf->defined_count == 0; /* the loader only warns then */
}

/* The versions that asker needs of the library that was found under name. */
MUST_CHECK static bool check_versions(struct closure_walk *walk, const struct object *asker,
				      struct view name, const struct object *library,
				      struct err *err)
{
	for (size_t i = 0; i < asker->elf->version_count; i++) {
		const struct elf_need *need = &asker->elf->versions[i];
		bool is_glibc = view_starts(need->version, "GLIBC_");

		if (!view_same(need->file, name) || defines(library->elf, need->version))
			continue;
		return finding_add(walk->findings,
				   is_glibc ? RULE_GLIBC_TOO_OLD : RULE_NEEDED_MISSING,
				   asker->severity, err, "%s needs %.*s of %.*s, and the image's %s"
				   " does not have it", asker->path, VIEW_ARGS(need->version),
				   VIEW_ARGS(name), library->path);
	}
	return true;
}

MUST_CHECK static bool follow(struct closure_walk *walk, struct object asker, struct err *err)
{
	for (size_t i = 0; i < asker.elf->needed_count; i++) {
		struct view name = asker.elf->needed[i];
		const struct object *library = NULL;

		if (!resolve(walk, &asker, name, &library, err))
			return false;
		if (library ? !check_versions(walk, &asker, name, library, err) :
			      !finding_add(walk->findings, RULE_NEEDED_MISSING, asker.severity, err,
					   "%s needs %.*s, which the loader does not find in the"
					   " image", asker.path, VIEW_ARGS(name)))
			return false;
	}
	return true;
}

MUST_CHECK static bool read_cache(struct closure_walk *walk, struct err *err)
{
	struct err why = { 0 };

	if (!content_slurp(walk->subject->tree, walk->subject->data_fds, "/etc/ld.so.cache",
			   &walk->cache_bytes, &why))
		return why.kind == ERR_NOT_FOUND || err_set(err, why.kind, "%s", why.msg);
	return ldcache_read(&walk->cache, bytes_view(&walk->cache_bytes), &why) ||
	       finding_add(walk->findings, RULE_NEEDED_MISSING, SEVERITY_ERROR, err,
			   "/etc/ld.so.cache: %s", why.msg);
}

/* Is there a C library for the driver's libraries at all? They are glibc's alone. */
MUST_CHECK static bool check_libc(struct closure_walk *walk, bool *is_there, struct err *err)
{
	static const char *const musl[] = { "/lib/ld-musl-x86_64.so.1",
					    "/lib/ld-musl-aarch64.so.1" };
	const struct object *found = NULL;
	uint32_t inode = TREE_NONE;
	bool is_musl = false;
	struct err ignored = { 0 };

	for (size_t i = 0; i < walk->count && !found; i++) {
		struct object asker = walk->objects[i];

		if (asker.elf->is_64 && !resolve(walk, &asker, view_of("libc.so.6"), &found, err))
			return false;
	}
	*is_there = found || walk->count == 0;
	for (size_t i = 0; i < 2; i++)
		is_musl = is_musl || (tree_walk(walk->subject->tree, view_of(musl[i]), true, &inode,
						&ignored) &&
				      inode != TREE_NONE);
	return *is_there ||
	       finding_add(walk->findings, RULE_LIBC_MISMATCH, SEVERITY_ERROR, err,
			   "the driver's libraries need glibc, and the image has %s",
			   is_musl ? "musl" : "no C library that its loader finds");
}

/* The injected files of that severity, and all that they need. */
MUST_CHECK static bool add_injected(struct closure_walk *walk, const struct injected_list *files,
				    enum severity severity, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct injected *item = &files->items[i];
		struct object object = { item->inode, item->path, &item->elf, severity };

		if (!item->file || !item->elf.is_dynamic || severity_of(item->file) != severity)
			continue;
		if (!add_object(walk, &object, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool follow_all(struct closure_walk *walk, struct err *err)
{
	for (; walk->done < walk->count; walk->done++)
		if (!follow(walk, walk->objects[walk->done], err))
			return false;
	return true;
}

bool verify_closure(struct finding_list *findings, const struct verify_subject *subject,
		    const struct injected_list *files, struct err *err)
{
	CLEANUP(closure_walk_freep) struct closure_walk walk = {
		.subject = subject,
		.findings = findings,
		.cache_bytes = bytes_capped(CACHE_BYTES_MAX),
	};
	bool has_libc = false;

	walk.seen = calloc(tree_inode_max(subject->tree) + 1u, sizeof(*walk.seen));
	if (!walk.seen)
		return err_memory(err, "an image's libraries");
	if (!add_injected(&walk, files, SEVERITY_ERROR, err) || !read_cache(&walk, err) ||
	    !check_libc(&walk, &has_libc, err))
		return false;
	if (!has_libc)
		return true;
	return follow_all(&walk, err) && add_injected(&walk, files, SEVERITY_WARNING, err) &&
	       follow_all(&walk, err);
}
