/* An image whose shell, loader, libraries and ld.so.conf are foreign bytes: what it is, and what
 * its cache would hold. */
#include <assert.h>
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "drivers/image/image_probe.h"
#include "drivers/image/ldconfig.h"
#include "layers/merge.h"
#include "layers/synthetic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_done)
{
	if (!is_done)
		abort();
}

/* The input is cut at ";;" into the files, in this order; what is lacking is empty. */
static const char *const paths[] = { "bin/sh", "lib64/ld-linux-x86-64.so.2", "lib64/libc.so.6",
				     "etc/ld.so.conf", "etc/a.conf" };

static struct view next_part(struct view *rest)
{
	const char *cut = rest->len > 0 ? memmem(rest->ptr, rest->len, ";;", 2) : NULL;
	struct view part = *rest;

	part.len = cut ? (size_t)(cut - rest->ptr) : rest->len;
	*rest = view_from(*rest, cut ? part.len + 2 : part.len);
	return part;
}

static void make_layer(struct synthetic_layer *out, struct view input)
{
	CLEANUP(synthetic_freep) struct synthetic synthetic = SYNTHETIC_NONE;
	struct err err = { 0 };

	must(synthetic_start(&synthetic, 1, &err));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		must(synthetic_add_file(&synthetic, paths[i], 0755, next_part(&input), &err));
	must(synthetic_add_symlink(&synthetic, "lib64/loop.so", "loop.so", &err));
	must(synthetic_finish(out, &synthetic, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(synthetic_layer_freep) struct synthetic_layer layer = SYNTHETIC_LAYER_NONE;
	CLEANUP(image_probe_freep) struct image_probe probe = { 0 };
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	CLEANUP(arena_freep) struct arena arena = { 0 };
	CLEANUP(tree_freep) struct tree *tree = NULL;
	struct err err = { 0 };

	make_layer(&layer, (struct view){ (const char *)data, size });
	must(tree_new(&tree, &err) && merge_layer(tree, &layer.index, 0, &err));
	struct image_files files = { tree, &layer.data_fd };

	if (!image_probe(&probe, &files, EM_X86_64, NULL, &err))
		return 0;
	struct ldconfig_target target = { probe.machine, probe.glibc_minor };

	must(ldconfig_collect(&cache, &arena, &files, &probe.folders, &target, NULL, 0, &err));
	for (size_t i = 0; i < cache.count; i++)
		assert(cache.entries[i].name.len > 0 && cache.entries[i].path.len > 0);
	return 0;
}
