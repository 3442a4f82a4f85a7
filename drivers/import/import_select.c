#include "importing.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "driver_lists.h"
#include "drivers/bundle/capability.h"
#include "drivers/elf/elf_dynamic.h"
#include "drivers/elf/elf_mark.h"
#include "init/contract/version.h"

enum {
	LIST_BYTES_MAX = 16 << 20, /* a list that the driver brings: about 100 KB */
};

/* What the source's own lists say, and what is made of it. */
struct selection {
	struct importing *importing;
	struct install_list install;
	struct file_list listed;
	struct bundle_file *files; /* room for every part */
	size_t *file_parts; /* file_parts[i]: number of files[i] in the intake */
	size_t file_count;
	bool has_install_list;
};

static struct report *report_of(const struct selection *selection)
{
	return selection->importing->request->report;
}

MUST_CHECK static bool copy_part(struct selection *selection, const struct part *part,
				 struct view *out, struct err *err)
{
	CLEANUP(part_map_closep) struct part_map map = { 0 };

	if (part->size_bytes > LIST_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%s is over %d bytes", part->path,
			       LIST_BYTES_MAX);
	if (!part_map_open(&map, &selection->importing->intake, part, err))
		return false;
	*out = (struct view){ arena_copy(&selection->importing->bundle.arena,
					 map.base ? map.base : "", map.len),
			      map.len };
	return out->ptr || err_memory(err, part->path);
}

MUST_CHECK static bool read_list(struct selection *selection, const struct part *part,
				 struct err *err)
{
	struct bundle *bundle = &selection->importing->bundle;
	struct view text;

	if (!copy_part(selection, part, &text, err))
		return false;
	if (part->kind == PART_GPU_LIST)
		return gpu_list_parse(&bundle->gpus, &bundle->gpu_count, &bundle->arena, text, err);
	if (part->kind == PART_FILE_LIST)
		return file_list_parse(&selection->listed, &bundle->arena, text,
				       report_of(selection), err);
	selection->has_install_list = true;
	if (!install_list_parse(&selection->install, &bundle->arena, text, err))
		return false;
	selection->importing->listed_version = selection->install.version;
	return true;
}

/* Each type that the table does not have, once. */
static void note_unknown_types(const struct selection *selection)
{
	const struct install_list *list = &selection->install;

	for (size_t i = 0; i < list->entry_count; i++) {
		bool is_first = list->entries[i].use == INSTALL_UNKNOWN;

		for (size_t j = 0; is_first && j < i; j++)
			is_first = !view_same(list->entries[j].type, list->entries[i].type);
		if (is_first)
			report_note(report_of(selection),
				    "the driver's manifest has an unknown type of file, %.*s",
				    VIEW_ARGS(list->entries[i].type));
	}
}

MUST_CHECK static bool read_lists(struct selection *selection, struct err *err)
{
	const struct intake *intake = &selection->importing->intake;

	for (size_t i = 0; i < intake->part_count; i++) {
		const struct part *part = &intake->parts[i];

		if ((part->kind == PART_GPU_LIST || part->kind == PART_FILE_LIST ||
		     part->kind == PART_INSTALL_LIST) &&
		    !read_list(selection, part, err))
			return err_wrap(err, "%s", part->path);
	}
	note_unknown_types(selection);
	return true;
}

static const char *print(struct selection *selection, const char *folder, const char *name)
{
	return importing_print(selection->importing, "%s%s", folder, name);
}

MUST_CHECK static bool add_file(struct selection *selection, const struct part *part,
				const struct bundle_file *file, struct err *err)
{
	struct bundle_file added = *file;

	if (!file->path || !file->dest)
		return err_memory(err, "a bundle's files");
	added.mode = file->kind == BUNDLE_BIN || file->kind == BUNDLE_LIB ||
				     file->kind == BUNDLE_LIB32 ? 0755 : 0644;
	added.size_bytes = part->size_bytes;
	added.digest = part->digest;
	selection->file_parts[selection->file_count] =
		(size_t)(part - selection->importing->intake.parts);
	selection->files[selection->file_count++] = added;
	return true;
}

/* What the package's list, the driver's list and our table say, the most telling first. */
static unsigned capabilities_of(const struct selection *selection, const struct part *part,
				const struct install_entry *entry)
{
	struct view name = view_of(part->name);
	unsigned listed = file_list_capabilities(&selection->listed, name);
	unsigned known = part->kind == PART_PROGRAM ? capability_of_program(name) :
						      capability_of_library(name);

	if (listed != 0)
		return listed;
	return known != 0 ? known : entry ? entry->capabilities : 0;
}

MUST_CHECK static bool find_needed(struct selection *selection, const struct elf_dynamic *elf,
				   struct bundle_file *file, struct err *err)
{
	struct arena *arena = &selection->importing->bundle.arena;
	size_t cursor = 0, count = 0;
	struct view name;

	while (elf_dynamic_next_needed(elf, &cursor, &name))
		count++;
	const char **items = arena_take(arena, (count + 1) * sizeof(*items));

	if (!items)
		return err_memory(err, "a library's needs");
	cursor = 0;
	for (size_t i = 0; i < count && elf_dynamic_next_needed(elf, &cursor, &name); i++) {
		items[i] = arena_copy(arena, name.ptr, name.len);
		if (!items[i])
			return err_memory(err, "a library's needs");
	}
	file->needed = (struct text_list){ items, count };
	if (elf->soname.len == 0)
		return true;
	file->soname = arena_copy(arena, elf->soname.ptr, elf->soname.len);
	return file->soname || err_memory(err, "a library's name");
}

static bool is_compat32(const struct elf_dynamic *elf)
{
	return !elf->is_64 && elf->machine == EM_386;
}

/* The first 64-bit file says which architecture the driver is for. */
static bool is_ours(struct importing *importing, const struct elf_dynamic *elf)
{
	if (is_compat32(elf))
		return true;
	if (!elf->is_64 || (elf->machine != EM_X86_64 && elf->machine != EM_AARCH64))
		return false;
	if (importing->machine == 0)
		importing->machine = elf->machine;
	return importing->machine == elf->machine;
}

MUST_CHECK static bool fill_library(struct selection *selection, const struct part *part,
				    const struct elf_dynamic *elf, struct bundle_file *file,
				    struct err *err)
{
	const char *folder = place_of_library(view_of(part->name));
	bool is_32 = is_compat32(elf);

	file->kind = is_32 ? BUNDLE_LIB32 : BUNDLE_LIB;
	if (is_32)
		file->capabilities |= CAPABILITY_COMPAT32;
	if (folder[0] == '/') {
		file->path = importing_print(selection->importing, "lib/xorg/%s", part->name);
		file->dest = print(selection, folder, part->name);
	} else {
		file->path = importing_print(selection->importing, "%s/%s%s",
					     is_32 ? "lib32" : "lib", folder, part->name);
		file->dest = importing_print(selection->importing, "%s%s%s",
					     is_32 ? BUNDLE_LIBDIR32 : BUNDLE_LIBDIR, folder,
					     part->name);
	}
	return find_needed(selection, elf, file, err) &&
	       import_links(selection->importing, &selection->install, part->name, file, err);
}

static void leave_out(const struct selection *selection, const struct part *part, const char *why)
{
	report_note(report_of(selection), "%s is left out: %s", part->path, why);
}

/* A library or program: what its ELF head says counts, not where it lay. */
MUST_CHECK static bool select_elf(struct selection *selection, const struct part *part,
				  const struct install_entry *entry, struct err *err)
{
	CLEANUP(part_map_closep) struct part_map map = { 0 };
	struct bundle_file file = { .capabilities = capabilities_of(selection, part, entry) };
	struct elf_dynamic elf;
	struct err why = { 0 };

	if (part->size_bytes == 0 || file.capabilities == 0) {
		leave_out(selection, part, part->size_bytes == 0 ? "it is empty" :
								   "no capability wants it");
		return true;
	}
	if (!part_map_open(&map, &selection->importing->intake, part, err))
		return false;
	if (!elf_dynamic_open(&elf, (struct view){ map.base, map.len }, &why)) {
		leave_out(selection, part, why.msg);
		return true;
	}
	if (!is_ours(selection->importing, &elf) ||
	    (part->kind == PART_PROGRAM && is_compat32(&elf))) {
		leave_out(selection, part, "it is for another architecture");
		return true;
	}
	if (part->kind == PART_LIBRARY)
		return fill_library(selection, part, &elf, &file, err) &&
		       add_file(selection, part, &file, err);
	file.kind = BUNDLE_BIN;
	file.path = print(selection, "bin/", part->name);
	file.dest = print(selection, BUNDLE_BINDIR, part->name);
	return find_needed(selection, &elf, &file, err) && add_file(selection, part, &file, err);
}

/* ".../firmware/nvidia/535.309.01/gsp_ga10x.bin" says for which version; a .run's folder is its
 * own. */
MUST_CHECK static bool select_firmware(struct selection *selection, const struct part *part,
				       struct err *err)
{
	struct bundle_file file = { .kind = BUNDLE_FIRMWARE, .capabilities = CAPABILITY_ALL };
	struct view folder = view_of(part->path);

	if (part->size_bytes == 0) {
		leave_out(selection, part, "it is empty");
		return true;
	}
	folder.len = (size_t)(part->name - part->path);
	folder.len -= folder.len > 0;
	folder = view_behind_last(folder, '/');
	if (!version_is_plain(folder))
		folder = view_of(selection->importing->bundle.version);
	file.path = importing_print(selection->importing, "firmware/nvidia/%.*s/%s",
				    VIEW_ARGS(folder), part->name);
	file.dest = importing_print(selection->importing, "/lib/firmware/nvidia/%.*s/%s",
				    VIEW_ARGS(folder), part->name);
	return add_file(selection, part, &file, err);
}

MUST_CHECK static bool select_config(struct selection *selection, const struct part *part,
				     struct err *err)
{
	const struct place_config *place = place_of_config(view_of(part->name));

	if (!place || part->size_bytes == 0)
		return true;
	struct bundle_file file = {
		.kind = BUNDLE_CONFIG,
		.capabilities = place->capabilities,
		.dest = print(selection, place->dest, part->name),
	};

	if (file.dest) /* "/usr/share/nvidia/x" lies in the bundle as "share/nvidia/x" */
		file.path = file.dest + (view_starts(view_of(file.dest), "/usr/") ? 5 : 1);
	return add_file(selection, part, &file, err);
}

/* One text is enough: packages of one driver have the same. */
MUST_CHECK static bool select_licence(struct selection *selection, const struct part *part,
				      struct err *err)
{
	struct importing *importing = selection->importing;
	struct bundle_file file = { .kind = BUNDLE_LICENCE, .capabilities = CAPABILITY_ALL };

	if (importing->bundle.licence_path || part->size_bytes == 0)
		return true;
	file.path = print(selection, "licenses/", part->name);
	file.dest = importing_print(importing, "/usr/share/doc/nvidia-driver/%s", part->name);
	importing->bundle.licence_path = file.path;
	return add_file(selection, part, &file, err);
}

/* With a package's own list, what it does not name is not the driver's, nor what it would not
 * install; which is told, as somebody may miss it. */
static bool is_excluded(const struct selection *selection, const struct part *part,
			const struct install_entry *entry)
{
	if (!selection->has_install_list || (entry && entry->use != INSTALL_NOTHING))
		return false;
	leave_out(selection, part, entry ? "the package's list would not install it" :
					   "the package's list does not name it");
	return true;
}

MUST_CHECK static bool select_part(struct selection *selection, const struct part *part,
				   struct err *err)
{
	const struct install_entry *entry = install_list_find(&selection->install, part->path);

	switch (part->kind) {
	case PART_LIBRARY:
	case PART_PROGRAM:
		return is_excluded(selection, part, entry) ||
		       select_elf(selection, part, entry, err);
	case PART_FIRMWARE:
		return select_firmware(selection, part, err);
	case PART_CONFIG:
	case PART_FILE_LIST:
		return select_config(selection, part, err);
	case PART_LICENCE:
		return select_licence(selection, part, err);
	case PART_GPU_LIST:
	case PART_INSTALL_LIST:
	case PART_MODULE:
		break;
	}
	return true;
}

/* What stands behind ".so." of libcuda, else of libnvidia-ml. */
static struct view driver_version(const struct intake *intake)
{
	static const char *const names[] = { "libcuda.so.", "libnvidia-ml.so." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t j = 0; j < intake->part_count; j++) {
			const struct part *part = &intake->parts[j];
			struct view suffix = view_from(view_of(part->name), strlen(names[i]));

			if (part->kind == PART_LIBRARY && part->size_bytes > 0 &&
			    view_starts(view_of(part->name), names[i]) &&
			    version_is_plain(suffix) && view_find(suffix, '.') > 0)
				return suffix;
		}
	return (struct view){ 0 };
}

MUST_CHECK static bool find_version(struct importing *importing, struct err *err)
{
	struct view version = driver_version(&importing->intake);

	if (version.len == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "no driver in %s: neither libcuda.so.VERSION nor"
			       " libnvidia-ml.so.VERSION", importing->bundle.source);
	importing->bundle.version = importing_print(importing, "%.*s", VIEW_ARGS(version));
	return importing->bundle.version || err_memory(err, "a driver's version");
}

static int compare_files(const void *left, const void *right)
{
	const struct bundle_file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

/* Is the next of two libnvidia-tls the one for today's threads, and the kept one not? */
MUST_CHECK static bool is_better(bool *out, struct selection *selection, size_t next, size_t kept,
				 struct err *err)
{
	const struct intake *intake = &selection->importing->intake;
	const struct part *parts[] = { &intake->parts[selection->file_parts[next]],
				       &intake->parts[selection->file_parts[kept]] };
	bool has_note[2];

	*out = false;
	if (!view_starts(view_of(parts[0]->name), "libnvidia-tls.so."))
		return true;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(part_map_closep) struct part_map map = { 0 };

		if (!part_map_open(&map, intake, parts[i], err))
			return false;
		has_note[i] = elf_mark_is_todays_tls((struct view){ map.base, map.len });
	}
	*out = has_note[0] && !has_note[1];
	return true;
}

/* Of two with one path the first that was met, which is where the toolkit would have looked. */
MUST_CHECK static bool join_double(struct selection *selection, size_t next, size_t kept,
				   struct err *err)
{
	struct bundle_file *files = selection->files;
	bool takes_next = false;

	if (digest_equal(&files[kept].digest, &files[next].digest))
		return true;
	if (!is_better(&takes_next, selection, next, kept, err))
		return false;
	report_note(report_of(selection), "%s comes twice and differs: the %s is taken",
		    files[next].path, takes_next ? "one for today's threads" : "first");
	if (takes_next) {
		files[kept] = files[next];
		selection->file_parts[kept] = selection->file_parts[next];
	}
	return true;
}

MUST_CHECK static bool drop_doubles(struct selection *selection, struct err *err)
{
	struct bundle_file *files = selection->files;
	size_t kept = 0;

	for (size_t i = 0; i < selection->file_count; i++) {
		size_t j = 0;

		while (j < kept && strcmp(files[j].path, files[i].path) != 0)
			j++;
		if (j < kept && !join_double(selection, i, j, err))
			return false;
		if (j < kept)
			continue;
		files[kept] = files[i];
		selection->file_parts[kept++] = selection->file_parts[i];
	}
	selection->file_count = kept;
	return true;
}

MUST_CHECK static bool keep_files(struct selection *selection, struct err *err)
{
	struct importing *importing = selection->importing;

	if (!drop_doubles(selection, err))
		return false;
	for (size_t i = 0; i < selection->file_count; i++)
		if (!importing_pick(importing, selection->files[i].path, selection->file_parts[i],
				    selection->files[i].mode, err))
			return false;
	qsort(selection->files, selection->file_count, sizeof(*selection->files), compare_files);
	importing->bundle.files = selection->files;
	importing->bundle.file_count = selection->file_count;
	return true;
}

MUST_CHECK static bool select_all(struct selection *selection, struct err *err)
{
	const struct intake *intake = &selection->importing->intake;

	if (!find_version(selection->importing, err) || !read_lists(selection, err))
		return false;
	for (size_t i = 0; i < intake->part_count; i++)
		if (!select_part(selection, &intake->parts[i], err))
			return err_wrap(err, "%s", intake->parts[i].path);
	return keep_files(selection, err);
}

bool import_select(struct importing *importing, struct err *err)
{
	struct selection selection = { .importing = importing };
	struct arena *arena = &importing->bundle.arena;
	size_t count = importing->intake.part_count + 1;

	selection.files = arena_take(arena, count * sizeof(*selection.files));
	selection.file_parts = arena_take(arena, count * sizeof(*selection.file_parts));
	if (!selection.files || !selection.file_parts)
		return err_memory(err, "a bundle's files");
	if (!select_all(&selection, err))
		return false;
	importing->bundle.architecture = importing->machine == EM_AARCH64 ? "arm64" : "amd64";
	importing->bundle.cuda = version_cuda_of_driver(view_of(importing->bundle.version));
	return true;
}
