#include "compat.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "drivers/elf/elf.h"
#include "init/contract/require.h"
#include "init/contract/version.h"

enum {
	LIBRARY_BYTES_MAX = 512 << 20,
	NOTE_HEADER_BYTES = 12, /* three u32: lengths of name and descriptor, type */
};

static const char note_section[] = ".note.cuda.fwd_compatibility";
static const char note_owner[] = "NVIDIA Corporation";

/* The note's descriptor; ptr NULL when it is not NVIDIA's or is cut off. */
static struct view note_text(struct view note)
{
	uint32_t name_len = 0, text_len = 0;

	if (note.len < NOTE_HEADER_BYTES)
		return (struct view){ 0 };
	memcpy(&name_len, note.ptr, sizeof(name_len));
	memcpy(&text_len, note.ptr + sizeof(name_len), sizeof(text_len));
	uint64_t text_at = NOTE_HEADER_BYTES + (((uint64_t)name_len + 3) & ~(uint64_t)3);

	if (text_at + text_len > note.len || name_len < sizeof(note_owner) - 1 ||
	    memcmp(note.ptr + NOTE_HEADER_BYTES, note_owner, sizeof(note_owner) - 1) != 0)
		return (struct view){ 0 };
	struct view text = { note.ptr + text_at, text_len };

	while (text.len > 0 && text.ptr[text.len - 1] == '\0')
		text.len--;
	return text;
}

static void read_document(struct compat_note *out, const struct json_t *document)
{
	const struct json_t *branches = NULL;
	const char *cuda = NULL;
	struct err ignored = { 0 };
	uint64_t branch = 0;

	if (!json_want_string(document, "CUDA Version", &cuda, &ignored) ||
	    !json_want_array(document, "Driver", &branches, &ignored))
		return;
	out->is_there = true;
	if (cuda && strlen(cuda) < sizeof(out->cuda) && version_is_plain(view_of(cuda)))
		snprintf(out->cuda, sizeof(out->cuda), "%s", cuda);
	for (size_t i = 0; i < json_count(branches) && i < COMPAT_BRANCHES_MAX; i++)
		if (json_size(json_item(branches, i), &branch) && branch <= UINT32_MAX)
			out->branches[out->branch_count++] = (unsigned)branch;
}

void compat_note_read(struct compat_note *out, struct view library)
{
	CLEANUP(json_freep) struct json_t *document = NULL;
	struct elf_section section;
	struct err ignored = { 0 };
	struct elf elf;

	*out = (struct compat_note){ 0 };
	if (!elf_open(&elf, library, &ignored) || !elf_find(&elf, note_section, &section) ||
	    section.type != SHT_NOTE)
		return;
	struct view text = note_text(section.content);

	if (text.ptr && json_parse(&document, text, &ignored))
		read_document(out, document);
}

/* "550.54.15" of "libcuda.so.550.54.15"; empty for another name, libcuda.so.1 among them. */
static struct view libcuda_version(struct view name)
{
	struct view version = { 0 };

	if (view_starts(name, "libcuda.so."))
		version = view_from(name, strlen("libcuda.so."));
	return view_find(version, '.') > 0 && version_is_plain(version) ? version :
									  (struct view){ 0 };
}

/* The package's folder, with its one libcuda. */
struct package {
	const char *path;
	uint32_t dir, library;
	struct view version;
};

/* False: the folder holds no compat package. */
MUST_CHECK static bool open_package(struct package *out, const struct image_files *files,
				    const char *path, struct arena *arena, bool *is_one,
				    struct err *err)
{
	struct image_names names;
	size_t count = 0;

	*is_one = false;
	out->path = path;
	out->dir = image_find(files, TREE_ROOT, view_of(path));
	if (!image_is_dir(files, out->dir))
		return true;
	if (!image_list(files, out->dir, arena, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		struct view version = libcuda_version(names.items[i].name);

		if (version.len == 0)
			continue;
		out->version = version;
		out->library = image_follow(files, out->dir, &names.items[i]);
		count++;
	}
	*is_one = count == 1 && image_is_file(files, out->library);
	return true;
}

MUST_CHECK static bool add_folder(struct compat *out, struct package *first,
				  const struct image_files *files, const char *path,
				  struct arena *arena, struct err *err)
{
	struct package package = { 0 };
	bool is_one = false;

	if (!path)
		return err_memory(err, "a path");
	if (!open_package(&package, files, path, arena, &is_one, err))
		return false;
	for (size_t i = 0; i < out->folder_count; i++)
		if (out->folders[i] == package.dir)
			return true;
	if (!is_one || out->folder_count == COMPAT_FOLDERS_MAX)
		return true;
	if (out->folder_count == 0)
		*first = package;
	out->folders[out->folder_count++] = package.dir;
	return true;
}

/* /usr/local/cuda is a link to one of the others; it comes first, as it does for the toolkit. */
MUST_CHECK static bool find_packages(struct compat *out, struct package *first,
				     const struct image_files *files, struct arena *arena,
				     struct err *err)
{
	uint32_t local = image_find(files, TREE_ROOT, view_of("/usr/local"));
	struct image_names names = { 0 };

	if (!image_is_dir(files, local))
		return true;
	if (!add_folder(out, first, files, "/usr/local/cuda/compat", arena, err) ||
	    !image_list(files, local, arena, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		const char *folder = NULL;

		if (!view_starts(names.items[i].name, "cuda-"))
			continue;
		folder = image_join(arena, "/usr/local", names.items[i].name);
		if (folder)
			folder = image_join(arena, folder, view_of("compat"));
		if (!add_folder(out, first, files, folder, arena, err))
			return false;
	}
	return true;
}

/* Does LD_LIBRARY_PATH name that folder? */
static bool is_in_path(const struct image_files *files, const struct compat_request *request,
		       uint32_t dir)
{
	struct view path = require_env(request->env, request->env_count, "LD_LIBRARY_PATH");

	while (path.ptr) {
		struct view folder = view_cut(&path, ':');

		if (folder.len > 0 && folder.ptr[0] == '/' &&
		    image_find(files, TREE_ROOT, folder) == dir)
			return true;
	}
	return false;
}

/* The CUDA version that the image is made for: what it says, else what its package is of. */
static struct view wanted_cuda(const struct compat_request *request, const struct package *package)
{
	struct view said = require_env(request->env, request->env_count, "CUDA_VERSION");
	const char *of_package = version_cuda_of_driver(package->version);

	if (said.len > 0 && version_is_plain(said))
		return said;
	return of_package ? view_of(of_package) : (struct view){ 0 };
}

/* "12.4.1" and "12.4" are the same CUDA to a driver: only the first two parts count. */
static int compare_cuda(struct view a, struct view b)
{
	for (int part = 0; part < 2; part++) {
		uint64_t left = 0, right = 0;
		struct view one = view_cut(&a, '.'), other = view_cut(&b, '.');

		if ((one.len > 0 && !view_number(one, 10, UINT32_MAX, &left)) ||
		    (other.len > 0 && !view_number(other, 10, UINT32_MAX, &right)))
			return 0;
		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

/* The toolkit's rule: the note's list where there is one, else any newer branch. */
MUST_CHECK static bool package_runs(bool *out, const struct image_files *files,
				    const struct package *package, const struct bundle *driver,
				    struct err *err)
{
	CLEANUP(bytes_freep) struct bytes library = bytes_capped(LIBRARY_BYTES_MAX);
	struct view branch = version_branch(view_of(driver->version));
	struct compat_note note;
	uint64_t ours = 0, theirs = 0;

	if (!image_slurp(files, package->library, &library, err))
		return err_wrap(err, "%s", package->path);
	compat_note_read(&note, bytes_view(&library));
	*out = view_number(branch, 10, UINT32_MAX, &ours) &&
	       view_number(version_branch(package->version), 10, UINT32_MAX, &theirs) &&
	       ours < theirs;
	if (!note.is_there || note.branch_count == 0)
		return true;
	*out = !note.cuda[0] || !driver->cuda ||
	       compare_cuda(view_of(note.cuda), view_of(driver->cuda)) > 0;
	for (size_t i = 0; i < note.branch_count && *out; i++)
		if (note.branches[i] == ours)
			return true;
	*out = false;
	return true;
}

MUST_CHECK static bool judge_needed(struct compat *out, struct finding_list *findings,
				    const struct image_files *files, const struct package *package,
				    const struct compat_request *request, struct view wanted,
				    struct err *err)
{
	const struct bundle *driver = request->driver;
	bool runs = false;

	if (!package_runs(&runs, files, package, driver, err))
		return false;
	if (runs && request->gpu_class == GPU_CLASS_DATACENTER) {
		out->used = package->path;
		return true;
	}
	return finding_add(findings, RULE_COMPAT_NEEDED, SEVERITY_ERROR, err,
			   "the image is made for CUDA %.*s, driver %s does %s, and its compat"
			   " package (libcuda %.*s in %s) %s", VIEW_ARGS(wanted), driver->version,
			   driver->cuda, VIEW_ARGS(package->version), package->path,
			   !runs ? "does not run on that driver" :
			   request->gpu_class == GPU_CLASS_CONSUMER ?
				   "runs on data-center GPUs only" :
				   "runs on data-center GPUs only: say --gpu-class datacenter if"
				   " it is one");
}

bool compat_judge(struct compat *out, struct finding_list *findings,
		  const struct image_files *files, const struct compat_request *request,
		  struct arena *arena, struct err *err)
{
	struct package package = { 0 };
	struct compat compat = { 0 };

	if (!find_packages(&compat, &package, files, arena, err))
		return false;
	if (compat.folder_count > 0) {
		struct view wanted = wanted_cuda(request, &package);

		if (request->driver->cuda && wanted.len > 0 &&
		    compare_cuda(view_of(request->driver->cuda), wanted) < 0 &&
		    !judge_needed(&compat, findings, files, &package, request, wanted, err))
			return false;
	}
	for (size_t i = 0; i < compat.folder_count && !compat.used; i++)
		if (is_in_path(files, request, compat.folders[i]) &&
		    !finding_add(findings, RULE_COMPAT_SHADOW, SEVERITY_WARNING, err,
				 "LD_LIBRARY_PATH puts CUDA's compat package (%s) before driver"
				 " %s, which is new enough by itself", package.path,
				 request->driver->version))
			return false;
	*out = compat;
	return true;
}
