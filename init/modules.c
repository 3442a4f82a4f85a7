#include "modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmdline.h"
#include "say.h"

enum { PARAMS_BYTES_MAX = 4096 }; /* the kernel takes a page at most */

static bool is_same_name(const char *name, struct view other)
{
	if (strlen(name) != other.len)
		return false;
	for (size_t i = 0; i < other.len; i++) {
		char a = name[i] == '-' ? '_' : name[i];
		char b = other.ptr[i] == '-' ? '_' : other.ptr[i];

		if (a != b)
			return false;
	}
	return true;
}

bool modules_params(struct bytes *out, const struct boot_module *module, struct view cmdline,
		    struct err *err)
{
	struct cmdline_option option;

	if (!bytes_append(out, module->params, strlen(module->params), err))
		return err_wrap(err, "parameters of %s", module->name);
	while (cmdline_next(&cmdline, &option)) {
		struct view param = option.name, name = view_cut(&param, '.');
		bool has_space = view_find(option.value, ' ') >= 0;
		const char *quote = has_space ? "\"" : "";

		if (param.len == 0 || !is_same_name(module->name, name))
			continue;
		if (!bytes_print(out, err, "%s%.*s", out->len > 0 ? " " : "", VIEW_ARGS(param)) ||
		    (option.value.ptr &&
		     !bytes_print(out, err, "=%s%.*s%s", quote, VIEW_ARGS(option.value), quote)))
			return err_wrap(err, "parameters of %s", module->name);
	}
	return bytes_append(out, "", 0, err); /* so that data is never NULL */
}

bool modules_is_blacklisted(const char *name, struct view cmdline)
{
	struct cmdline_option option;

	while (cmdline_next(&cmdline, &option)) {
		if (!view_equal(option.name, "modprobe.blacklist") &&
		    !view_equal(option.name, "module_blacklist"))
			continue;
		while (option.value.len > 0)
			if (is_same_name(name, view_cut(&option.value, ',')))
				return true;
	}
	return false;
}

/* What finit_module's errors mean, as far as they speak of the file and not of the device. */
static const char *reason(int code)
{
	switch (code) {
	case ENOEXEC:
		return "it is not for this kernel (see the kernel's message)";
	case ENOENT:
		return "it needs a symbol that is not there (see the kernel's message)";
	case EKEYREJECTED:
		return "its signature is missing or not trusted by this kernel";
	case EPERM:
		return "loading modules is switched off (nomodule or modules_disabled)";
	default:
		return strerror(code);
	}
}

MUST_CHECK static bool load_one(const struct boot_module *module, struct view cmdline,
				struct err *err)
{
	CLEANUP(bytes_freep) struct bytes params = bytes_capped(PARAMS_BYTES_MAX);
	CLEANUP(fd_closep) int fd = -1;

	if (modules_is_blacklisted(module->name, cmdline))
		return true;
	if (!modules_params(&params, module, cmdline, err) ||
	    !file_open(&fd, AT_FDCWD, module->path, O_RDONLY, err))
		return err_wrap(err, "module %s", module->name);
	if (syscall(SYS_finit_module, fd, params.data, 0) == 0 || errno == EEXIST)
		return true;
	int code = errno;

	err_set(err, ERR_IO, "module %s: %s", module->name, reason(code));
	err->os_errno = code;
	return false;
}

bool modules_open(struct modules *out, const struct module_list *list, struct view cmdline,
		  struct err *err)
{
	bool *is_done = calloc(list->count + 1, sizeof(*is_done));

	if (!is_done)
		return err_memory(err, "a list of modules");
	*out = (struct modules){ .list = list, .cmdline = cmdline, .is_done = is_done };
	return true;
}

void modules_closep(struct modules *modules)
{
	free(modules->is_done);
	*modules = (struct modules){ 0 };
}

/* Needs stand before the module in the list, so numbers only fall: the recursion ends. */
MUST_CHECK static bool load_with_needs(struct modules *modules, size_t index, struct err *err)
{
	const struct boot_module *module = &modules->list->modules[index];

	if (modules->is_done[index])
		return true;
	modules->is_done[index] = true;
	for (size_t i = 0; i < module->needs.count; i++)
		for (size_t j = 0; j < index; j++)
			if (strcmp(modules->list->modules[j].name, module->needs.items[i]) == 0 &&
			    !load_with_needs(modules, j, err))
				return false;
	return load_one(module, modules->cmdline, err);
}

bool modules_load_all(struct modules *modules, struct err *err)
{
	for (size_t i = 0; i < modules->list->count; i++)
		if (!load_with_needs(modules, i, err))
			return false;
	return true;
}

bool modules_load_wanted(struct modules *modules, struct err *err)
{
	for (size_t i = 0; i < modules->list->count; i++)
		if (modules->list->modules[i].is_wanted && !load_with_needs(modules, i, err))
			return false;
	return true;
}

static bool is_for(const struct boot_module *module, const char *name)
{
	if (strcmp(module->name, name) == 0)
		return true;
	for (size_t i = 0; i < module->aliases.count; i++)
		if (fnmatch(module->aliases.items[i], name, 0) == 0)
			return true;
	return false;
}

size_t modules_load_for(struct modules *modules, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < modules->list->count; i++) {
		struct err err = { 0 };

		if (modules->is_done[i] || !is_for(&modules->list->modules[i], name))
			continue;
		if (load_with_needs(modules, i, &err))
			count++;
		else
			say("%s", err.msg);
	}
	return count;
}

static size_t load_for_device(struct modules *modules, int bus_fd, const char *device)
{
	enum { MODALIAS_BYTES_MAX = 4096 }; /* one page, as all of sysfs */
	CLEANUP(bytes_freep) struct bytes alias = bytes_capped(MODALIAS_BYTES_MAX);
	char path[300];
	struct err ignored; /* a device without modalias, or one that just went away */

	snprintf(path, sizeof(path), "%s/modalias", device);
	if (!file_slurp(&alias, bus_fd, path, &ignored) || alias.len == 0)
		return 0;
	if (alias.data[alias.len - 1] == '\n')
		alias.data[alias.len - 1] = '\0';
	return modules_load_for(modules, alias.data);
}

static size_t load_for_bus(struct modules *modules, int root_fd, const char *bus)
{
	int fd = openat(root_fd, bus, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	size_t count = 0;

	if (!dir)
		fd_closep(&fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			count += load_for_device(modules, fd, entry->d_name);
	if (dir)
		closedir(dir);
	return count;
}

size_t modules_load_for_devices(struct modules *modules, int root_fd)
{
	static const char *const buses[] = {
		"sys/bus/pci/devices", /* virtio over PCI, GPUs */
		"sys/bus/platform/devices", /* virtio-mmio */
		"sys/bus/acpi/devices", /* the power button */
		"sys/bus/virtio/devices", /* what the transports above bring */
		"sys/class/input", /* the power button's events */
	};
	size_t total = 0, count;

	do {
		count = 0;
		for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++)
			count += load_for_bus(modules, root_fd, buses[i]);
		total += count;
	} while (count > 0);
	return total;
}
