#include "kernel.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include "base/archive.h"
#include "base/file.h"
#include "kernel_image.h"

/* kernel/configs.c: the compressed configuration stands between these. */
static const char config_start[] = "IKCFG_ST", config_end[] = "IKCFG_ED";

static struct view find_behind(struct view bytes, const char *text)
{
	const char *found = bytes.len > 0 ? memmem(bytes.ptr, bytes.len, text, strlen(text)) : NULL;

	return found ? view_from(bytes, (size_t)(found - bytes.ptr) + strlen(text)) :
		       (struct view){ 0 };
}

/* linux_banner: "Linux version 6.1.0-56-cloud-amd64 (builder@host) …". Other places have the words
 * too, but no number behind them. */
MUST_CHECK static bool find_release(char out[KERNEL_RELEASE_BYTES], struct view image,
				    struct err *err)
{
	struct view rest = image;

	while ((rest = find_behind(rest, "Linux version ")).ptr) {
		struct view line = rest;
		struct view release = view_cut(&line, ' ');

		if (release.len == 0 || release.len >= KERNEL_RELEASE_BYTES ||
		    release.ptr[0] < '0' || release.ptr[0] > '9' || !view_starts(line, "("))
			continue;
		memcpy(out, release.ptr, release.len);
		out[release.len] = '\0';
		return true;
	}
	return err_set(err, ERR_FORMAT, "not a Linux kernel: it does not say its release");
}

/* kernel/module/main.c keeps it as a string of its own: "RELEASE SMP preempt mod_unload ". */
MUST_CHECK static bool find_vermagic(struct view *out, struct view image, const char *release,
				     struct err *err)
{
	CLEANUP(bytes_freep) struct bytes start = bytes_capped(2 * KERNEL_RELEASE_BYTES);
	const char *found = NULL;

	if (!bytes_append(&start, "", 1, err) || !bytes_print(&start, err, "%s ", release))
		return false;
	for (struct view rest = image; rest.len > 0;
	     rest = view_from(rest, (size_t)(found - rest.ptr) + 1)) {
		found = memmem(rest.ptr, rest.len, start.data, start.len);
		if (!found)
			break;
		struct view text = view_from(rest, (size_t)(found - rest.ptr) + 1);
		struct view magic = view_cut(&text, '\0');

		if (text.ptr && view_ends(magic, " ")) {
			*out = magic;
			break;
		}
	}
	return true;
}

MUST_CHECK static bool read_own_config(struct bytes *out, struct view image, struct err *err)
{
	struct view packed = find_behind(image, config_start);
	struct view behind = find_behind(packed, config_end);

	if (!packed.ptr || !behind.ptr)
		return true;
	packed.len = (size_t)(behind.ptr - packed.ptr) - strlen(config_end);
	return archive_unpack(out, packed, "the kernel's own configuration", err);
}

bool kernel_read_config_beside(struct kernel *kernel, const char *kernel_path, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(8192);
	struct view folder = view_of(kernel_path);
	ptrdiff_t slash = view_find_last(folder, '/');
	struct err failure = { 0 };

	folder.len = (size_t)(slash + 1);
	if (strchr(kernel->release, '/'))
		return true;
	if (!bytes_print(&path, err, "%.*sconfig-%s", VIEW_ARGS(folder), kernel->release))
		return false;
	kernel->has_config_beside = file_slurp(&kernel->config, AT_FDCWD, path.data, &failure);
	if (kernel->has_config_beside || failure.kind == ERR_NOT_FOUND)
		return true;
	*err = failure;
	return false;
}

MUST_CHECK static bool read_config(struct kernel *kernel, const struct kernel_files *files,
				   struct err *err)
{
	if (files->config)
		return archive_slurp(&kernel->config, files->config, err);
	if (!read_own_config(&kernel->config, bytes_view(&kernel->image), err))
		return false;
	return kernel->config.len > 0 ||
	       kernel_read_config_beside(kernel, files->kernel, err);
}

MUST_CHECK static bool read_exports(struct kernel *kernel, const struct kernel_files *files,
				    struct err *err)
{
	struct view image = bytes_view(&kernel->image);
	struct elf elf = { 0 };

	if (view_starts(image, ELFMAG)) {
		if (!elf_open(&elf, image, err) ||
		    !export_table_add_elf(&kernel->exports, &elf, err))
			return false;
	}
	if (kernel->exports.count == 0 && files->symvers) {
		if (!archive_slurp(&kernel->symvers, files->symvers, err) ||
		    !export_table_add_symvers(&kernel->exports, bytes_view(&kernel->symvers), err))
			return false;
	}
	export_table_sort(&kernel->exports);
	return true;
}

bool kernel_open(struct kernel *out, const struct kernel_files *files, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes file = bytes_capped(out->image.cap_max);

	if (!archive_slurp(&file, files->kernel, err))
		return false;
	if (!kernel_image_unpack(&out->image, bytes_view(&file), err) ||
	    !find_release(out->release, bytes_view(&out->image), err))
		return err_wrap(err, "%s", files->kernel);
	out->machine = kernel_image_machine(bytes_view(&out->image));
	if (!find_vermagic(&out->vermagic, bytes_view(&out->image), out->release, err))
		return false;
	if (!read_config(out, files, err) || !read_exports(out, files, err))
		return err_wrap(err, "kernel %s", out->release);
	return true;
}

void kernel_freep(struct kernel *kernel)
{
	export_table_freep(&kernel->exports);
	bytes_freep(&kernel->config);
	bytes_freep(&kernel->image);
	bytes_freep(&kernel->symvers);
}

enum kernel_option kernel_option(const struct kernel *kernel, const char *name)
{
	struct view rest = bytes_view(&kernel->config);

	if (rest.len == 0)
		return OPTION_UNKNOWN;
	while (rest.len > 0) {
		struct view value = view_trim(view_cut(&rest, '\n'));
		struct view key = view_cut(&value, '=');

		if (!value.ptr || !view_equal(key, name))
			continue;
		return view_equal(value, "m") ? OPTION_MODULE :
		       view_equal(value, "n") ? OPTION_OFF :
						OPTION_ON;
	}
	return OPTION_OFF;
}
