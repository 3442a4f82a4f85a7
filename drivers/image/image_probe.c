#include "image_probe.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/elf/elf_dynamic.h"
#include "library_head.h"
#include "loader_built_in.h"

enum {
	LOADER_BYTES_MAX = 16 << 20, /* Debian's has 210 kB */
	LIBC_BYTES_MAX = 128 << 20,  /* Debian's has 2 MB, one with debug sections 20 */
};

void image_probe_freep(struct image_probe *probe)
{
	loader_folders_freep(&probe->folders);
	arena_freep(&probe->arena);
	*probe = (struct image_probe){ 0 };
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum image_libc libc_of(const char *interpreter)
{
	struct view name = view_of(base_name(interpreter));

	if (view_starts(name, "ld-musl-"))
		return IMAGE_LIBC_MUSL;
	return view_starts(name, "ld-linux") || view_starts(name, "ld-2") ? IMAGE_LIBC_GLIBC
									  : IMAGE_LIBC_NONE;
}

/* Take that loader, if it is there and is one. */
static void try_loader(struct image_probe *probe, const struct image_files *files,
		       const char *interpreter)
{
	if (probe->libc != IMAGE_LIBC_NONE || !interpreter || interpreter[0] != '/' ||
	    !image_is_file(files, image_find(files, TREE_ROOT, view_of(interpreter))))
		return;
	probe->libc = libc_of(interpreter);
	probe->interpreter = probe->libc == IMAGE_LIBC_NONE ? NULL : interpreter;
}

MUST_CHECK static bool try_program(struct image_probe *probe, const struct image_files *files,
				   const char *program, struct err *err)
{
	uint32_t inode = program && program[0] == '/'
				 ? image_find(files, TREE_ROOT, view_of(program))
				 : TREE_NONE;
	struct library_head head;

	if (probe->libc != IMAGE_LIBC_NONE || !image_is_file(files, inode))
		return true;
	if (!library_head_read(&head, files, inode, &probe->arena, err))
		return err_wrap(err, "%s of the image", program);
	if (head.is_elf && head.machine == probe->machine)
		try_loader(probe, files, head.interpreter);
	return true;
}

MUST_CHECK static bool find_loader(struct image_probe *probe, const struct image_files *files,
				   const char *program, struct err *err)
{
	static const struct {
		uint16_t machine;
		const char *path;
	} loaders[] = {
		{ EM_X86_64, "/lib64/ld-linux-x86-64.so.2" },
		{ EM_X86_64, "/lib/ld-musl-x86_64.so.1" },
		{ EM_AARCH64, "/lib/ld-linux-aarch64.so.1" },
		{ EM_AARCH64, "/lib/ld-musl-aarch64.so.1" },
	};

	if (!try_program(probe, files, "/bin/sh", err) || !try_program(probe, files, program, err))
		return false;
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++)
		if (loaders[i].machine == probe->machine)
			try_loader(probe, files, loaders[i].path);
	return true;
}

/* For a loader that does not tell. */
static void assume_built_in(struct image_probe *probe, const struct image_files *files)
{
	static const char *const debian_amd64[] = { "/lib/x86_64-linux-gnu",
						    "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib",
						    NULL };
	static const char *const debian_arm64[] = { "/lib/aarch64-linux-gnu",
						    "/usr/lib/aarch64-linux-gnu", "/lib",
						    "/usr/lib", NULL };
	static const char *const others[] = { "/lib64", "/usr/lib64", NULL };
	const char *const *debian = probe->machine == EM_AARCH64 ? debian_arm64 : debian_amd64;
	bool is_debian = image_is_dir(files, image_find(files, TREE_ROOT, view_of(debian[0])));

	probe->built_in = (struct text_list){ .items = is_debian ? debian : others,
					      .count = is_debian ? 4 : 2 };
}

MUST_CHECK static bool find_built_in(struct image_probe *probe, const struct image_files *files,
				     struct err *err)
{
	CLEANUP(bytes_freep) struct bytes loader = bytes_capped(LOADER_BYTES_MAX);
	uint32_t inode = image_find(files, TREE_ROOT, view_of(probe->interpreter));
	const char **folders = NULL;
	size_t count = 0;

	if (image_file_bytes(files, inode) <= LOADER_BYTES_MAX &&
	    (!image_slurp(files, inode, &loader, err) ||
	     !loader_built_in_read(bytes_view(&loader), &probe->arena, &folders, &count, err)))
		return err_wrap(err, "%s of the image", probe->interpreter);
	probe->built_in = (struct text_list){ .items = folders, .count = count };
	if (probe->built_in.count == 0)
		assume_built_in(probe, files);
	return true;
}

/* The libc.so.6 of that machine in a folder, or TREE_NONE. */
MUST_CHECK static bool libc_in(uint32_t *out, const struct image_files *files, uint32_t dir,
			       uint16_t machine, struct arena *arena, struct err *err)
{
	uint32_t inode =
		image_is_dir(files, dir) ? image_find(files, dir, view_of("libc.so.6")) : TREE_NONE;
	struct library_head head = { 0 };

	*out = TREE_NONE;
	if (!image_is_file(files, inode))
		return true;
	if (!library_head_read(&head, files, inode, arena, err))
		return false;
	if (head.is_library && head.machine == machine)
		*out = inode;
	return true;
}

/* The folder that a file really lies in: the last symlink on the way to it does not count. */
static uint32_t folder_of(const struct image_files *files, const char *path)
{
	uint32_t inode = image_find(files, TREE_ROOT, view_of(path));

	for (uint32_t name = 1; inode != TREE_NONE && name <= tree_name_max(files->tree); name++)
		if (tree_name(files->tree, name)->inode == inode)
			return tree_name(files->tree, name)->parent;
	return TREE_NONE;
}

struct libc_place {
	uint32_t dir, file;
};

/* Where the C library of that machine is: in what its loader has built in, beside the loader, or
 * where ld.so.conf points. */
MUST_CHECK static bool find_libc(struct libc_place *out, struct image_probe *probe,
				 const struct image_files *files, struct err *err)
{
	size_t built_in = probe->built_in.count, count = built_in + 1 + probe->folders.count;

	for (size_t i = 0; i < count; i++) {
		uint32_t dir = i < built_in    ? image_find(files, TREE_ROOT,
							    view_of(probe->built_in.items[i]))
			       : i == built_in ? folder_of(files, probe->interpreter)
					       : probe->folders.items[i - built_in - 1].inode;
		uint32_t file = TREE_NONE;

		if (!libc_in(&file, files, dir, probe->machine, &probe->arena, err))
			return false;
		if (file != TREE_NONE) {
			*out = (struct libc_place){ dir, file };
			return true;
		}
	}
	return true;
}

static bool is_searched(const struct image_probe *probe, const struct image_files *files,
			uint32_t dir)
{
	for (size_t i = 0; i < probe->built_in.count; i++)
		if (image_find(files, TREE_ROOT, view_of(probe->built_in.items[i])) == dir)
			return true;
	return false;
}

/* The folder of the C library, or its sibling below /usr where an image still has both: there is
 * where other programs look for a driver's libraries. */
MUST_CHECK static bool choose_libdir(struct image_probe *probe, const struct image_files *files,
				     const struct libc_place *libc, struct err *err)
{
	uint32_t dir = libc->dir;

	if (dir == TREE_NONE)
		return image_real_folder(files, probe->built_in.items[0], &probe->arena,
					 &probe->libdir, err);
	const char *path = image_dir_path(files, dir, &probe->arena);
	const char *below_usr = path ? image_join(&probe->arena, "/usr", view_of(path + 1)) : NULL;

	if (!path || !below_usr)
		return err_memory(err, "a path");
	uint32_t sibling = image_find(files, TREE_ROOT, view_of(below_usr));

	probe->libdir_is_searched = is_searched(probe, files, dir);
	if (view_starts(view_of(path), "/lib") && image_is_dir(files, sibling) &&
	    is_searched(probe, files, sibling)) {
		path = image_dir_path(files, sibling, &probe->arena);
		probe->libdir_is_searched = true;
	}
	probe->libdir = path;
	return path ? true : err_memory(err, "a path");
}

/* A path in the other word length's manner: the multiarch folder, or lib for lib64. */
static const char *other_libdir(const struct image_probe *probe, struct arena *arena)
{
	static const char multiarch[] = "/x86_64-linux-gnu";
	struct view libdir = view_of(probe->libdir);

	if (view_ends(libdir, multiarch)) {
		libdir.len -= sizeof(multiarch) - 1;
		const char *parent = arena_copy(arena, libdir.ptr, libdir.len);

		return parent ? image_join(arena, parent, view_of("i386-linux-gnu")) : NULL;
	}
	if (view_ends(libdir, "/lib64"))
		return arena_copy(arena, libdir.ptr, libdir.len - 2);
	return arena_copy(arena, "/usr/lib32", sizeof("/usr/lib32") - 1);
}

/* Where the 32-bit C library is; without one, where it would be. */
MUST_CHECK static bool choose_libdir32(struct image_probe *probe, const struct image_files *files,
				       struct err *err)
{
	static const char *const usual[] = { "/usr/lib/i386-linux-gnu",
					     "/lib/i386-linux-gnu",
					     "/usr/lib32",
					     "/lib32",
					     "/usr/lib",
					     "/lib" };
	const char *path = NULL;

	if (probe->machine != EM_X86_64)
		return true;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && !path; i++) {
		uint32_t dir = image_find(files, TREE_ROOT, view_of(usual[i]));
		uint32_t file = TREE_NONE;

		if (!libc_in(&file, files, dir, EM_386, &probe->arena, err))
			return false;
		path = file != TREE_NONE ? usual[i] : NULL;
	}
	if (!path)
		path = other_libdir(probe, &probe->arena);
	return path ? image_real_folder(files, path, &probe->arena, &probe->libdir32, err)
		    : err_memory(err, "a path");
}

/* The newest version that the C library defines. What cannot be read leaves it unknown. */
MUST_CHECK static bool read_version(struct image_probe *probe, const struct image_files *files,
				    uint32_t libc, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(LIBC_BYTES_MAX);
	struct elf_version_cursor cursor = { 0 };
	struct err ignored = { 0 };
	struct elf_dynamic elf;
	struct view version;
	uint64_t minor = 0;

	if (libc == TREE_NONE || image_file_bytes(files, libc) > LIBC_BYTES_MAX)
		return true;
	if (!image_slurp(files, libc, &bytes, err))
		return err_wrap(err, "libc.so.6 of the image");
	if (!elf_dynamic_open(&elf, bytes_view(&bytes), &ignored))
		return true;
	while (elf_dynamic_next_version_defined(&elf, &cursor, &version))
		if (view_starts(version, "GLIBC_2.") &&
		    view_number(view_cut(&(struct view){ version.ptr + 8, version.len - 8 }, '.'),
				10, 1000, &minor) &&
		    minor > probe->glibc_minor)
			probe->glibc_minor = (unsigned)minor;
	return true;
}

MUST_CHECK static bool probe_glibc(struct image_probe *probe, const struct image_files *files,
				   struct err *err)
{
	struct libc_place libc = { TREE_NONE, TREE_NONE };

	return find_built_in(probe, files, err) &&
	       loader_folders_read(&probe->folders, files, probe->machine, &probe->built_in, err) &&
	       find_libc(&libc, probe, files, err) && choose_libdir(probe, files, &libc, err) &&
	       choose_libdir32(probe, files, err) && read_version(probe, files, libc.file, err);
}

bool image_probe(struct image_probe *out, const struct image_files *files, uint16_t machine,
		 const char *program, struct err *err)
{
	CLEANUP(image_probe_freep) struct image_probe probe = { .machine = machine };

	probe.has_cache =
		image_is_file(files, image_find(files, TREE_ROOT, view_of("/etc/ld.so.cache")));
	if (!find_loader(&probe, files, program, err) ||
	    !image_real_folder(files, "/usr/bin", &probe.arena, &probe.bindir, err))
		return false;
	if (probe.libc == IMAGE_LIBC_GLIBC
		    ? !probe_glibc(&probe, files, err)
		    : !image_real_folder(files, "/usr/lib64", &probe.arena, &probe.libdir, err))
		return false;
	*out = probe;
	probe = (struct image_probe){ 0 };
	return true;
}
