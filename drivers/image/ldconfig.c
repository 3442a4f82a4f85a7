#include "ldconfig.h"

#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "library_head.h"

enum {
	FLAG_LIBC6 = 3,
	FLAG_X32 = 0x800 | FLAG_LIBC6,
	FLAG_ARM_HARD = 0x900 | FLAG_LIBC6,
	FLAG_ARM_SOFT = 0xb00 | FLAG_LIBC6,
	GLIBC_OF_ONE_LIBC = 37, /* from here on every library is one for libc 6 */
};

/* A library as it stands in one folder. */
struct found {
	const char *soname; /* or the file's name, where it has none */
	struct view file;
	bool is_link;
	uint32_t flags;
	unsigned isa_level;
};

struct found_list {
	struct found *items; /* items[count], each soname once; owned */
	size_t count;
	uint32_t *slots;   /* hash table: number of an item + 1, or 0; slots[slot_count]; owned */
	size_t slot_count; /* a power of two, over twice the count */
};

static void found_list_freep(struct found_list *list)
{
	free(list->items);
	free(list->slots);
}

struct collector {
	const struct image_files *files;
	const struct ldconfig_target *target;
	struct arena *arena;
	struct ldcache *cache;
	struct library_head *heads; /* heads[head_count], in order of reading; owned */
	size_t head_count, head_capacity;
	uint32_t *head_numbers; /* head_numbers[inode]: number + 1, or 0; owned */
};

static void collector_freep(struct collector *collector)
{
	free(collector->heads);
	free(collector->head_numbers);
}

static bool contains_so(struct view name)
{
	return memmem(name.ptr, name.len, ".so", 3) != NULL;
}

/* Source: glibc elf/dl-is_dso.h */
static bool is_library_name(struct view name)
{
	return ((view_starts(name, "lib") || view_starts(name, "ld-")) && contains_so(name)) ||
	       view_starts(name, "ld.so.") || view_starts(name, "ld64.so.");
}

/* What package managers leave behind while they work. */
static bool is_temporary_name(struct view name)
{
	static const char prelink[] = ".#prelink#";
	size_t prelink_len = sizeof(prelink) - 1, random_len = sizeof(".XXXXXX") - 1;

	if (view_ends(name, prelink) || view_ends(name, ".dpkg-new") ||
	    view_ends(name, ".dpkg-tmp") || view_find(name, ';') >= 0)
		return true;
	return name.len >= prelink_len + random_len &&
	       memcmp(name.ptr + name.len - prelink_len - random_len, prelink, prelink_len) == 0;
}

static uint32_t flags_of_arm(uint32_t elf_flags)
{
	if ((elf_flags & EF_ARM_EABIMASK) != EF_ARM_EABI_VER5)
		return FLAG_LIBC6;
	if (elf_flags & EF_ARM_ABI_FLOAT_HARD)
		return FLAG_ARM_HARD;
	return elf_flags & EF_ARM_ABI_FLOAT_SOFT ? FLAG_ARM_SOFT : FLAG_LIBC6;
}

/* The flags of an entry, or 0 for a library that this image's loaders have no use for. */
static uint32_t flags_of(const struct library_head *head, const struct ldconfig_target *target)
{
	if (target->machine == EM_X86_64 && head->machine == EM_X86_64)
		return head->is_64 ? LDCACHE_X86_64 : FLAG_X32;
	if (target->machine == EM_X86_64 && head->machine == EM_386 && !head->is_64)
		return target->glibc_minor >= GLIBC_OF_ONE_LIBC || head->needs_libc6
			       ? LDCACHE_I386
			       : LDCACHE_LOADER_I386;
	if (target->machine == EM_AARCH64 && head->machine == EM_AARCH64 && head->is_64)
		return LDCACHE_AARCH64;
	if (target->machine == EM_AARCH64 && head->machine == EM_ARM && !head->is_64)
		return flags_of_arm(head->elf_flags);
	return 0;
}

/* Many names lead to one file, which is read once. */
MUST_CHECK static bool head_of(struct collector *collector, uint32_t inode,
			       const struct library_head **out, struct err *err)
{
	uint32_t *number = &collector->head_numbers[inode];

	if (*number == 0) {
		if (collector->head_count == collector->head_capacity) {
			size_t capacity = collector->head_capacity * 2 + 256;
			void *heads =
				reallocarray(collector->heads, capacity, sizeof(*collector->heads));

			if (!heads)
				return err_memory(err, "the image's libraries");
			collector->heads = heads;
			collector->head_capacity = capacity;
		}
		if (!library_head_read(&collector->heads[collector->head_count], collector->files,
				       inode, collector->arena, err))
			return false;
		*number = (uint32_t)++collector->head_count;
	}
	*out = &collector->heads[*number - 1];
	return true;
}

static size_t hash_of(const char *text)
{
	size_t hash = 5381;

	for (; *text; text++)
		hash = hash * 33 + (unsigned char)*text;
	return hash;
}

static uint32_t *slot_of(const struct found_list *list, const char *soname)
{
	size_t at = hash_of(soname) & (list->slot_count - 1);

	while (list->slots[at] != 0 && strcmp(list->items[list->slots[at] - 1].soname, soname) != 0)
		at = (at + 1) & (list->slot_count - 1);
	return &list->slots[at];
}

/* Room for count libraries, all there can be in a folder. */
MUST_CHECK static bool found_list_make(struct found_list *list, size_t count, struct err *err)
{
	list->slot_count = 16;
	while (list->slot_count < count * 2)
		list->slot_count *= 2;
	list->items = calloc(count + 1, sizeof(*list->items));
	list->slots = calloc(list->slot_count, sizeof(*list->slots));
	return list->items && list->slots ? true : err_memory(err, "the image's libraries");
}

/* Of two with the same soname a file goes before a link, then the newer name. Type and flags stay
 * those of the first, as ldconfig has it. */
static void put_found(struct found_list *list, const struct found *found)
{
	uint32_t *slot = slot_of(list, found->soname);

	if (*slot == 0) {
		list->items[list->count++] = *found;
		*slot = (uint32_t)list->count;
		return;
	}
	struct found *old = &list->items[*slot - 1];

	if ((!found->is_link && old->is_link) ||
	    (found->is_link == old->is_link && ldcache_compare_names(old->file, found->file) < 0)) {
		old->file = found->file;
		old->is_link = found->is_link;
		old->isa_level = found->isa_level;
	}
}

/* A link counts as one when it has the library's own name, or is the one for the linker: what
 * soname starts with, up to ".so". Any other is taken for a file. */
static bool counts_as_link(struct view name, const char *soname)
{
	struct view own = view_of(soname);

	return view_same(name, own) || (view_ends(name, ".so") && own.len >= name.len &&
					memcmp(own.ptr, name.ptr, name.len) == 0);
}

/* One name of a folder: into list when it is a library. */
MUST_CHECK static bool look_at(struct collector *collector, const struct loader_folder *folder,
			       const struct image_name *name, struct found_list *list,
			       struct err *err)
{
	const struct library_head *head = NULL;

	if ((!is_library_name(name->name) && (!folder->hwcaps || !name->is_symlink)) ||
	    is_temporary_name(name->name))
		return true;
	uint32_t inode = image_follow(collector->files, folder->inode, name);

	if (!image_is_file(collector->files, inode))
		return true;
	if (!head_of(collector, inode, &head, err))
		return false;
	assert(head);
	uint32_t flags = head->is_library ? flags_of(head, collector->target) : 0;

	if (flags == 0)
		return true;
	const char *own_name = arena_copy(collector->arena, name->name.ptr, name->name.len);
	struct found found = { .soname = head->soname ? head->soname : own_name,
			       .file = name->name,
			       .flags = flags,
			       .isa_level = head->isa_level };

	if (!own_name)
		return err_memory(err, "the image's libraries");
	found.is_link = name->is_symlink && counts_as_link(name->name, found.soname);
	if (found.is_link)
		found.soname = own_name;
	put_found(list, &found);
	return true;
}

/* The cache has the link of the library's own name, so that it stays right when the file's name
 * changes; in glibc-hwcaps folders, which have no such links, the file. */
MUST_CHECK static bool add_entry(struct collector *collector, const struct loader_folder *folder,
				 const struct found *found, struct err *err)
{
	struct view soname = view_of(found->soname), file = found->file;

	if (!folder->hwcaps && image_find(collector->files, folder->inode, soname) != TREE_NONE)
		file = soname;
	const char *path = image_join(collector->arena, folder->path, file);
	struct ldcache_entry entry = { .name = soname, .flags = found->flags };

	if (!path)
		return err_memory(err, "the image's libraries");
	entry.path = view_of(path);
	if (folder->hwcaps) {
		entry.hwcaps = view_of(folder->hwcaps);
		entry.hwcap = (uint64_t)found->isa_level << 32;
	}
	return ldcache_add(collector->cache, &entry, err);
}

MUST_CHECK static bool search_folder(struct collector *collector,
				     const struct loader_folder *folder, struct err *err)
{
	CLEANUP(found_list_freep) struct found_list list = { 0 };
	struct image_names names;

	if (!image_list(collector->files, folder->inode, collector->arena, &names, err) ||
	    !found_list_make(&list, names.count, err))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (!look_at(collector, folder, &names.items[i], &list, err))
			return false;
	for (size_t i = 0; i < list.count; i++)
		if (!add_entry(collector, folder, &list.items[i], err))
			return false;
	return true;
}

static bool is_skipped(uint32_t inode, const uint32_t *skipped, size_t skipped_count)
{
	for (size_t i = 0; i < skipped_count; i++)
		if (skipped[i] == inode)
			return true;
	return false;
}

bool ldconfig_collect(struct ldcache *cache, struct arena *arena, const struct image_files *files,
		      const struct loader_folders *folders, const struct ldconfig_target *target,
		      const uint32_t *skipped, size_t skipped_count, struct err *err)
{
	CLEANUP(collector_freep)
	struct collector collector = {
		.files = files, .target = target, .arena = arena, .cache = cache
	};

	collector.head_numbers =
		calloc((size_t)tree_inode_max(files->tree) + 1, sizeof(*collector.head_numbers));
	if (!collector.head_numbers)
		return err_memory(err, "the image's libraries");
	for (size_t i = 0; i < folders->count; i++)
		if (!is_skipped(folders->items[i].inode, skipped, skipped_count) &&
		    !search_folder(&collector, &folders->items[i], err))
			return err_wrap(err, "the libraries in %s", folders->items[i].path);
	return true;
}
