/* What placing a driver finds out about an image, for scripts.
 *
 * drivers_place ldcache OUT LAYER...   what the image of these stored layers (folders, lowest
 *                                      first) is, on standard output; its loader's cache into OUT
 * drivers_place place FOLDER NAME LAYER...   place bundle NAME of a store's folder of drivers into
 *                                            that image, in memory: what was found, how long it
 * took
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "drivers/bundle/capability.h"
#include "drivers/image/image_probe.h"
#include "drivers/image/ldconfig.h"
#include "drivers/place/place.h"
#include "layers/merge.h"

enum { LAYERS_MAX = 128, CACHE_BYTES_MAX = 64 << 20 };

struct stack {
	struct index indexes[LAYERS_MAX];
	int data_fds[LAYERS_MAX + PLACE_LAYERS];
	size_t count;
	struct tree *tree;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool load(struct stack *stack, char **folders, size_t count, struct err *err)
{
	if (count > LAYERS_MAX || !tree_new(&stack->tree, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		CLEANUP(fd_closep) int folder = -1;

		if (!file_open(&folder, AT_FDCWD, folders[i], O_RDONLY | O_DIRECTORY, err) ||
		    !index_open(&stack->indexes[i], folder, "index", err) ||
		    !file_open(&stack->data_fds[i], folder, "data", O_RDONLY, err) ||
		    !merge_layer(stack->tree, &stack->indexes[i], (uint32_t)i, err))
			return err_wrap(err, "%s", folders[i]);
		stack->count++;
	}
	return true;
}

static void say_probe(const struct image_probe *probe)
{
	static const char *const names[] = { "none", "glibc", "musl" };

	printf("libc %s\n", names[probe->libc]);
	printf("interpreter %s\n", probe->interpreter ? probe->interpreter : "none");
	printf("glibc 2.%u\n", probe->glibc_minor);
	printf("libdir %s%s\n", probe->libdir, probe->libdir_is_searched ? " searched" : "");
	printf("libdir32 %s\n", probe->libdir32 ? probe->libdir32 : "none");
	printf("bindir %s\n", probe->bindir);
	for (size_t i = 0; i < probe->built_in.count; i++)
		printf("built-in %s\n", probe->built_in.items[i]);
	for (size_t i = 0; i < probe->folders.count; i++)
		printf("folder %s\n", probe->folders.items[i].path);
}

static bool write_cache(const char *path, struct ldcache *cache, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(CACHE_BYTES_MAX);
	CLEANUP(fd_closep) int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_os(err, "open %s", path);
	return ldcache_write(&out, cache, err) && file_write(fd, out.data, out.len, path, err);
}

static bool make_cache(const struct stack *stack, const char *path, struct err *err)
{
	CLEANUP(image_probe_freep) struct image_probe probe = { 0 };
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct image_files files = { stack->tree, stack->data_fds };
	double start = now_ms();

	if (!image_probe(&probe, &files, EM_X86_64, NULL, err))
		return false;
	double probed = now_ms();
	struct ldconfig_target target = { probe.machine, probe.glibc_minor };

	if (!ldconfig_collect(&cache, &arena, &files, &probe.folders, &target, NULL, 0, err))
		return false;
	say_probe(&probe);
	printf("probe %.2f ms, %zu libraries %.2f ms\n", probed - start, cache.count,
	       now_ms() - probed);
	return write_cache(path, &cache, err);
}

static bool place(struct stack *stack, const char *folder, const char *name, struct err *err)
{
	CLEANUP(stored_bundle_closep) struct stored_bundle stored = STORED_BUNDLE_NONE;
	CLEANUP(placement_freep) struct placement placement = PLACEMENT_NONE;
	CLEANUP(fd_closep) int folder_fd = -1;

	if (!file_open(&folder_fd, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, err) ||
	    !stored_bundle_open(&stored, folder_fd, name, err))
		return false;
	if (stored.bundle.kernel_count == 0)
		return err_set(err, ERR_FORMAT, "%s has no modules", name);
	struct place_request request = { .stored = &stored,
					 .kernel = &stored.bundle.kernels[0],
					 .capabilities = CAPABILITY_ALL,
					 .machine = EM_X86_64,
					 .policy = GPU_OPTIONAL,
					 .first_layer = (uint32_t)stack->count,
					 .time_seconds = 1 };
	double start = now_ms();

	if (!place_driver(&placement, stack->tree, stack->data_fds, &request, err))
		return false;
	printf("placed in %.2f ms\n", now_ms() - start);
	for (size_t i = 0; i < placement.findings.count; i++)
		printf("%s %s: %s\n", rule_id(placement.findings.items[i].rule),
		       severity_name(placement.findings.items[i].severity),
		       placement.findings.items[i].sentence);
	for (size_t i = 0; i < placement.manifest.file_count; i++)
		printf("file %s\n", placement.manifest.files[i].dest);
	for (size_t i = 0; i < placement.gpu.modules.count; i++)
		printf("module %s\n", placement.gpu.modules.modules[i].path);
	tree_freep(&stack->tree); /* it points into the placement */
	return true;
}

static bool run(struct stack *stack, int argc, char **argv, struct err *err)
{
	if (strcmp(argv[1], "ldcache") == 0)
		return load(stack, argv + 3, (size_t)argc - 3, err) &&
		       make_cache(stack, argv[2], err);
	if (strcmp(argv[1], "place") == 0 && argc > 4)
		return load(stack, argv + 4, (size_t)argc - 4, err) &&
		       place(stack, argv[2], argv[3], err);
	return err_set(err, ERR_USAGE, "usage: see the head of tests/tools/drivers_place.c");
}

int main(int argc, char **argv)
{
	static struct stack stack;
	struct err err = { 0 };

	if (argc < 4 || !run(&stack, argc, argv, &err)) {
		fprintf(stderr, "drivers_place: %s\n", argc < 4 ? "too few arguments" : err.msg);
		return 1;
	}
	return 0;
}
