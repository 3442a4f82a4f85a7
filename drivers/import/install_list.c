#include "install_list.h"

#include <string.h>

#include "drivers/bundle/capability.h"
#include "init/contract/version.h"
#include "layers/path.h"

enum {
	ENTRIES_MAX = 100 * 1000,
	ENTRY_LINE_FIRST = 9,
	VERSION_LINE = 2,
};

enum {
	U = CAPABILITY_UTILITY,
	C = CAPABILITY_COMPUTE,
	V = CAPABILITY_VIDEO,
	G = CAPABILITY_GRAPHICS,
	D = CAPABILITY_DISPLAY,
};

/* Types by their names; one that ends in '*' stands for all that start so. The first that fits. */
static const struct {
	const char *type;
	enum install_use use;
	unsigned capabilities;
} types[] = {
	{ "CUDA_ICD", INSTALL_CONFIG, C },
	{ "CUDA_LIB", INSTALL_LIBRARY, C },
	{ "CUDA_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "OPENCL_WRAPPER_*", INSTALL_NOTHING, 0 }, /* libOpenCL.so is the image's */
	{ "OPENCL_LIB_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "OPENCL_LIB", INSTALL_LIBRARY, C },
	{ "UTILITY_LIB_SYMLINK", INSTALL_SYMLINK, 0 },
	/* Those of nvidia-settings are among them, which want GTK: only names that are known. */
	{ "UTILITY_LIB", INSTALL_LIBRARY, 0 },
	{ "UTILITY_BINARY_SYMLINK", INSTALL_NOTHING, 0 },
	{ "UTILITY_BINARY", INSTALL_PROGRAM, 0 },
	{ "UTILITY_BIN_SYMLINK", INSTALL_NOTHING, 0 },
	{ "NVCUVID_LIB_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "NVCUVID_LIB", INSTALL_LIBRARY, V },
	{ "ENCODEAPI_LIB_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "ENCODEAPI_LIB", INSTALL_LIBRARY, V },
	{ "VDPAU_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "VDPAU_LIB", INSTALL_LIBRARY, V },
	{ "NVIFR_LIB_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "NVIFR_LIB", INSTALL_LIBRARY, G },
	{ "TLS_LIB", INSTALL_LIBRARY, G },
	{ "OPENGL_DATA", INSTALL_CONFIG, G },
	{ "OPENGL_HEADER", INSTALL_NOTHING, 0 },
	{ "OPENGL_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "OPENGL_LIB", INSTALL_LIBRARY, G },
	{ "LIBGL_LA", INSTALL_NOTHING, 0 },
	{ "GLVND_EGL_ICD_JSON", INSTALL_CONFIG, G },
	{ "GLVND_*", INSTALL_NOTHING, 0 }, /* libGL.so and so on are the image's */
	{ "GLX_CLIENT_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "GLX_CLIENT_LIB", INSTALL_LIBRARY, G },
	{ "EGL_CLIENT_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "EGL_CLIENT_LIB", INSTALL_LIBRARY, G },
	{ "EGL_EXTERNAL_PLATFORM_JSON", INSTALL_CONFIG, G },
	{ "GBM_BACKEND_LIB_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "GBM_BACKEND_LIB", INSTALL_LIBRARY, G },
	{ "VULKAN_ICD_JSON", INSTALL_CONFIG, G },
	{ "VULKANSC_ICD_JSON", INSTALL_CONFIG, G },
	{ "APPLICATION_PROFILE", INSTALL_CONFIG, G },
	{ "XMODULE_SHARED_LIB", INSTALL_LIBRARY, D },
	{ "XMODULE_NEWSYM", INSTALL_SYMLINK, 0 },
	{ "XMODULE_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "XORG_OUTPUTCLASS_CONFIG", INSTALL_CONFIG, D },
	{ "GLX_MODULE_SHARED_LIB", INSTALL_LIBRARY, D },
	{ "GLX_MODULE_SYMLINK", INSTALL_SYMLINK, 0 },
	{ "FIRMWARE", INSTALL_FIRMWARE, CAPABILITY_ALL },
	{ "SANDBOXUTILS_FILELIST_JSON", INSTALL_CONFIG, U },
	{ "VGX_LIB*", INSTALL_NOTHING, 0 }, /* of hosts that share one GPU among guests */
	{ "GRID_LIB*", INSTALL_NOTHING, 0 }, /* and of their guests: licences of a shared GPU */
	{ "FLEXERA_LIB*", INSTALL_NOTHING, 0 }, /* the same */
	{ "WINE_LIB", INSTALL_NOTHING, 0 }, /* Windows DLLs */
	{ "NVIDIA_MODPROBE*", INSTALL_NOTHING, 0 }, /* setuid; init makes the nodes */
	{ "KERNEL_MODULE_*", INSTALL_NOTHING, 0 }, /* sources: modules come from --modules */
	{ "KERNEL_MODULE", INSTALL_NOTHING, 0 },
	{ "DKMS_CONF", INSTALL_NOTHING, 0 },
	{ "MODULE_SIGNING_KEY", INSTALL_NOTHING, 0 },
	{ "INTERNAL_UTILITY_*", INSTALL_NOTHING, 0 }, /* the installer's own */
	{ "INSTALLER_BINARY", INSTALL_NOTHING, 0 },
	{ "UNINSTALL_LAUNCHER", INSTALL_NOTHING, 0 },
	{ "EXPLICIT_PATH", INSTALL_NOTHING, 0 },
	{ "DOCUMENTATION", INSTALL_NOTHING, 0 },
	{ "DOC*", INSTALL_NOTHING, 0 },
	{ "MANPAGE", INSTALL_NOTHING, 0 },
	{ "DOT_DESKTOP", INSTALL_NOTHING, 0 },
	{ "ICON", INSTALL_NOTHING, 0 },
	{ "XORG_*", INSTALL_NOTHING, 0 },
	{ "SYSTEMD_*", INSTALL_NOTHING, 0 },
	{ "SUPPORTED_GPUS*", INSTALL_NOTHING, 0 }, /* read from the package itself */
	{ "SANDBOXUTILS_*", INSTALL_NOTHING, 0 },
	{ "NVOPTIX_*", INSTALL_CONFIG, G },
};

static bool type_fits(struct view type, const char *row)
{
	size_t len = strlen(row);

	if (row[len - 1] != '*')
		return view_equal(type, row);
	return type.len >= len - 1 && memcmp(type.ptr, row, len - 1) == 0;
}

static void look_up_type(struct install_entry *entry)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!type_fits(entry->type, types[i].type))
			continue;
		entry->use = types[i].use;
		entry->capabilities = types[i].capabilities;
		return;
	}
}

/* The next word, empty when there is none. */
static struct view next_word(struct view *line)
{
	struct view word = { 0 };

	while (line->ptr && word.len == 0)
		word = view_trim(view_cut(line, ' '));
	return word;
}

/* Words that say of which kind a file is, where a driver has several. */
static bool is_variant(struct view word)
{
	static const char *const variants[] = { "NATIVE", "NEW", "GLVND", "NON_GLVND" };

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (view_equal(word, variants[i]))
			return true;
	return false;
}

/* What follows TYPE, told apart by its form; a symlink's target is the last of the plain words. */
static void read_rest(struct install_entry *entry, struct view line)
{
	struct view word;

	while ((word = next_word(&line)).len > 0) {
		if (view_equal(word, "COMPAT32"))
			entry->is_compat32 = true;
		else if (view_equal(word, "CLASSIC")) /* libnvidia-tls for kernels before 2.6 */
			entry->use = INSTALL_NOTHING;
		else if (entry->use == INSTALL_SYMLINK && view_find(word, ':') < 0 &&
			 !is_variant(word))
			entry->target = word;
	}
}

MUST_CHECK static bool read_entry(struct arena *arena, struct view line, struct install_entry *out,
				  struct err *err)
{
	struct view raw = next_word(&line), mode = next_word(&line);
	char path[PATH_BYTES_MAX];
	uint64_t number = 0;

	*out = (struct install_entry){ .type = next_word(&line) };
	if (out->type.len == 0 || !view_number(mode, 8, 07777, &number))
		return err_set(err, ERR_FORMAT, "not a file, a mode and a type");
	if (!path_clean(path, raw.ptr, raw.len, err))
		return false;
	out->path = view_of(path);
	out->path.ptr = arena_copy(arena, path, out->path.len);
	if (!out->path.ptr)
		return err_memory(err, "a list of files");
	out->mode = (uint32_t)number;
	look_up_type(out);
	read_rest(out, line);
	return true;
}

static size_t count_lines(struct view text)
{
	size_t count = 0;

	while (text.len > 0) {
		view_cut(&text, '\n');
		count++;
	}
	return count;
}

bool install_list_parse(struct install_list *out, struct arena *arena, struct view text,
			struct err *err)
{
	size_t line_count = count_lines(text);
	struct install_list list = { 0 };

	if (line_count > ENTRIES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d lines", ENTRIES_MAX);
	list.entries = arena_take(arena, (line_count + 1) * sizeof(*list.entries));
	if (!list.entries)
		return err_memory(err, "a list of files");
	for (size_t number = 1; number <= line_count; number++) {
		struct view line = view_trim(view_cut(&text, '\n'));

		if (number == VERSION_LINE)
			list.version = line;
		if (number < ENTRY_LINE_FIRST)
			continue;
		if (line.len == 0)
			break;
		if (!read_entry(arena, line, &list.entries[list.entry_count], err))
			return err_wrap(err, "line %zu", number);
		list.entry_count++;
	}
	if (!version_is_plain(list.version))
		return err_set(err, ERR_FORMAT, "line 2 is no version: %.*s",
			       list.version.len > 100 ? 100 : (int)list.version.len,
			       list.version.ptr ? list.version.ptr : "");
	*out = list;
	return true;
}

/* Folders into which an archive sorts what lies flat in a .run. */
static bool is_sorted(struct view path, bool *is_compat32)
{
	static const char *const folders[] = { "bin/",   "sbin/", "lib/",
					       "lib32/", "etc/",  "share/" };

	*is_compat32 = view_starts(path, "lib32/");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (view_starts(path, folders[i]))
			return true;
	return false;
}

const struct install_entry *install_list_find(const struct install_list *list, const char *path)
{
	struct view name = view_behind_last(view_of(path), '/');
	bool is_compat32 = false;

	for (size_t i = 0; i < list->entry_count; i++)
		if (view_equal(list->entries[i].path, path))
			return &list->entries[i];
	if (!is_sorted(view_of(path), &is_compat32))
		return NULL;
	for (size_t i = 0; i < list->entry_count; i++) {
		const struct install_entry *entry = &list->entries[i];

		if (entry->is_compat32 == is_compat32 && entry->use != INSTALL_NOTHING &&
		    view_same(view_behind_last(entry->path, '/'), name))
			return entry;
	}
	return NULL;
}
