#include "initrd.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/archive.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "drivers/kernel/closure.h"
#include "init/contract/boot_config.h"
#include "init_binary.h"

/* What virtual machines are made of. Each is loaded only where a device or the root asks for it;
 * what a kernel has built in, or does not have, is left out. */
static const char *const defaults[] = {
	"virtio_pci", /* how virtio devices appear: QEMU, Cloud Hypervisor … */
	"virtio_mmio", /* … and Firecracker, microvm */
	"virtio_blk",
	"virtio_net",
	"virtio_console", /* named ports: the exit report */
	"virtio_rng",
	"vmw_vsock_virtio_transport",
	"overlay", /* a read-only root shared by many machines */
	"ext4",
	"erofs",
	"xfs",
	"dm_verity",
	"sha256_generic", /* dm-verity's usual hash */
	"button", /* the power button … */
	"evdev", /* … and its events */
};

enum { DEFAULT_COUNT = sizeof(defaults) / sizeof(defaults[0]) };

/* All that is needed while one initrd is made. */
struct packing {
	const struct initrd_options *options;
	struct module_set *set;
	struct closure closure;
	struct arena arena;
	struct boot_module *modules; /* modules[closure.count], in the arena */
};

static void packing_freep(struct packing *packing)
{
	closure_freep(&packing->closure);
	module_set_freep(&packing->set);
	arena_freep(&packing->arena);
}

/* The names that the closure is made of: what the user named, then the defaults that exist. */
MUST_CHECK static bool choose(struct packing *packing, struct err *err)
{
	const struct initrd_options *options = packing->options;
	size_t count = 0;
	const char **names =
		arena_take(&packing->arena, (options->load_count + DEFAULT_COUNT) * sizeof(char *));

	if (!names)
		return err_memory(err, "a list of modules");
	for (size_t i = 0; i < options->load_count; i++)
		names[count++] = options->load[i];
	for (size_t i = 0; i < DEFAULT_COUNT; i++) {
		const struct module *module = NULL;

		if (module_set_is_builtin(packing->set, view_of(defaults[i])))
			continue;
		if (!module_set_find(packing->set, view_of(defaults[i]), &module, err))
			return false;
		if (module)
			names[count++] = defaults[i];
		else
			report_note(options->report, "this kernel has no module %s", defaults[i]);
	}
	return closure_make(&packing->closure, packing->set, names, count, err);
}

/* The name as the closure has it, or NULL when it is not in there before the module. */
static const char *name_before(const struct packing *packing, size_t index, struct view name)
{
	for (size_t i = 0; i < index; i++)
		if (modinfo_is_name(name, packing->closure.modules[i]->name))
			return packing->closure.modules[i]->name;
	return NULL;
}

MUST_CHECK static bool take_texts(struct arena *arena, size_t count, const char ***out,
				  struct err *err)
{
	*out = arena_take(arena, (count + 1) * sizeof(char *));
	return *out || err_memory(err, "a list of modules");
}

MUST_CHECK static bool list_needs(struct packing *packing, size_t index, struct err *err)
{
	const struct module *module = packing->closure.modules[index];
	struct need_cursor cursor = { 0 };
	const char **items = NULL;
	enum need_kind kind;
	struct view name;
	size_t count = 0;

	while (module_next_need(&module->info, &cursor, &name, &kind))
		count++;
	if (!take_texts(&packing->arena, count, &items, err))
		return false;
	cursor = (struct need_cursor){ 0 };
	count = 0;
	while (module_next_need(&module->info, &cursor, &name, &kind)) {
		const char *need = name_before(packing, index, name);

		if (need)
			items[count++] = need;
	}
	packing->modules[index].needs = (struct text_list){ items, count };
	return true;
}

MUST_CHECK static bool list_aliases(struct packing *packing, size_t index, struct err *err)
{
	const struct module *module = packing->closure.modules[index];
	struct view rest = module->info.text, alias;
	const char **items = NULL;
	size_t count = 0;

	while (modinfo_next(&rest, "alias", &alias))
		count++;
	if (!take_texts(&packing->arena, count, &items, err))
		return false;
	rest = module->info.text;
	for (size_t i = 0; i < count && modinfo_next(&rest, "alias", &alias); i++) {
		items[i] = arena_copy(&packing->arena, alias.ptr, alias.len);
		if (!items[i])
			return err_memory(err, "a list of modules");
	}
	packing->modules[index].aliases = (struct text_list){ items, count };
	return true;
}

static bool is_wanted(const struct initrd_options *options, const char *name)
{
	for (size_t i = 0; i < options->load_count; i++)
		if (modinfo_is_name(view_of(options->load[i]), name))
			return true;
	return false;
}

MUST_CHECK static bool describe(struct packing *packing, struct err *err)
{
	size_t count = packing->closure.count;

	packing->modules = arena_take(&packing->arena, (count + 1) * sizeof(*packing->modules));
	if (!packing->modules)
		return err_memory(err, "a list of modules");
	for (size_t i = 0; i < count; i++) {
		CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096);
		const char *name = packing->closure.modules[i]->name;

		if (!bytes_print(&path, err, "/lib/modules/%s.ko", name) ||
		    !list_needs(packing, i, err) || !list_aliases(packing, i, err))
			return err_wrap(err, "module %s", name);
		packing->modules[i].name = name;
		packing->modules[i].params = "";
		packing->modules[i].path = arena_copy(&packing->arena, path.data, path.len);
		packing->modules[i].is_wanted = is_wanted(packing->options, name);
		if (!packing->modules[i].path)
			return err_memory(err, "a list of modules");
	}
	return true;
}

/* The init for the machine that the modules are for. */
MUST_CHECK static bool find_init(const struct packing *packing, struct view *out, struct err *err)
{
	const struct closure *closure = &packing->closure;
	uint16_t machine = closure->count > 0 ? closure->modules[0]->info.machine : EM_NONE;

	for (size_t i = 1; i < closure->count; i++)
		if (closure->modules[i]->info.machine != machine)
			return err_set(err, ERR_FORMAT, "%s: modules for different machines",
				       packing->options->modules_dir);
	if (machine == EM_NONE)
		return err_set(err, ERR_NOT_FOUND, "%s: no kernel module that an initrd needs",
			       packing->options->modules_dir);
	return init_binary_find(out,
				machine == EM_X86_64  ? "amd64" :
				machine == EM_AARCH64 ? "arm64" :
							"of these modules",
				err);
}

MUST_CHECK static bool add_folders(struct cpio *cpio, struct err *err)
{
	static const char *const folders[] = {
		".vmbake", "dev", "lib", "lib/modules", "proc", "root", "sys",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (!cpio_add_dir(cpio, folders[i], 0755, err))
			return false;
	return cpio_add_device(cpio, "dev/console", S_IFCHR | 0600, makedev(5, 1), err);
}

MUST_CHECK static bool add_config(struct cpio *cpio, const struct packing *packing,
				  struct err *err)
{
	CLEANUP(bytes_freep) struct bytes json = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	const struct initrd_config config = {
		.modules = { packing->modules, packing->closure.count },
	};

	return initrd_config_print(&json, &config, err) &&
	       cpio_add_file(cpio, &INITRD_CONFIG_PATH[1], 0644, bytes_view(&json), err);
}

MUST_CHECK static bool add_modules(struct cpio *cpio, const struct packing *packing,
				   struct err *err)
{
	for (size_t i = 0; i < packing->closure.count; i++) {
		CLEANUP(bytes_freep) struct bytes content = bytes_capped(MODULE_BYTES_MAX);

		if (!module_slurp(&content, packing->closure.modules[i], err) ||
		    !cpio_add_file(cpio, packing->modules[i].path + 1, 0644, bytes_view(&content),
				   err))
			return false;
	}
	return true;
}

MUST_CHECK static bool write_cpio(const struct packing *packing, struct view init,
				  struct err *err)
{
	CLEANUP(new_file_discardp) struct new_file file = NEW_FILE_NONE;
	CLEANUP(cpio_freep) struct cpio *cpio = NULL;
	const char *output = packing->options->output;

	if (!new_file_open(&file, AT_FDCWD, output, 0644, err))
		return false;
	if (!cpio_open(&cpio, file.fd, err) || !add_folders(cpio, err) ||
	    !cpio_add_file(cpio, "init", 0755, init, err) || !add_config(cpio, packing, err) ||
	    !add_modules(cpio, packing, err) || !cpio_finish(cpio, err))
		return err_wrap(err, "%s", output);
	return new_file_commit(&file, err);
}

bool initrd_write(const struct initrd_options *options, struct err *err)
{
	CLEANUP(packing_freep) struct packing packing = { .options = options };
	struct view init = { 0 };

	return module_set_open(&packing.set, &options->modules_dir, 1, err) &&
	       choose(&packing, err) && describe(&packing, err) &&
	       find_init(&packing, &init, err) && write_cpio(&packing, init, err);
}
