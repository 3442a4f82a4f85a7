#include "guest_layer.h"

#include "base/cleanup.h"
#include "init_binary.h"
#include "layers/tree_walk.h"

/* Where init mounts: needed in the image because a root may be read-only. */
static const struct {
	const char *name;
	uint32_t mode;
} mount_points[] = {
	{ "dev", 0755 }, { "proc", 0555 }, { "run", 0755 }, { "sys", 0555 }, { "tmp", 01777 },
};

enum { MOUNT_POINT_COUNT = sizeof(mount_points) / sizeof(mount_points[0]) };

MUST_CHECK static bool add_mount_points(struct synthetic *layer, const struct tree *tree,
					struct err *err)
{
	for (size_t i = 0; i < MOUNT_POINT_COUNT; i++) {
		struct view name = view_of(mount_points[i].name);

		if (tree_find(tree, TREE_ROOT, name) == TREE_NONE &&
		    !synthetic_add_dir(layer, mount_points[i].name, mount_points[i].mode, err))
			return false;
	}
	return true;
}

/* What init covers with the machine's own when the root is read-only has to be there. */
MUST_CHECK static bool add_covered_files(struct synthetic *layer, const struct tree *tree,
					 struct err *err)
{
	static const char *const paths[] = { "etc/hostname", "etc/hosts", "etc/resolv.conf" };
	uint32_t etc = TREE_NONE, inode = TREE_NONE;

	if (!tree_walk(tree, view_of("etc"), true, &etc, err))
		return false;
	if (etc != TREE_NONE && !tree_inode(tree, etc)->is_dir)
		return true;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!tree_walk(tree, view_of(paths[i]), false, &inode, err))
			return false;
		if (inode == TREE_NONE &&
		    !synthetic_add_file(layer, paths[i], 0644, (struct view){ 0 }, err))
			return false;
	}
	return true;
}

/* Whatever an image brings there, even another vmbake image's, gives way. */
MUST_CHECK static bool add_ours(struct synthetic *layer, struct view init,
				const struct guest_layer_content *content, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes boot_json = bytes_capped(BOOT_CONFIG_BYTES_MAX);

	if (!boot_config_print(&boot_json, content->config, err))
		return err_wrap(err, "%s", BOOT_CONFIG_PATH);
	return synthetic_add_whiteout(layer, ".vmbake", err) &&
	       synthetic_add_dir(layer, ".vmbake", 0755, err) &&
	       synthetic_add_file(layer, ".vmbake/init", 0755, init, err) &&
	       synthetic_add_file(layer, ".vmbake/boot.json", 0644, bytes_view(&boot_json), err) &&
	       synthetic_add_file(layer, ".vmbake/image.json", 0644, content->image_json, err) &&
	       (!content->driver_json.ptr ||
		synthetic_add_file(layer, ".vmbake/driver.json", 0644, content->driver_json, err));
}

bool guest_layer_make(struct synthetic_layer *out, const struct tree *tree,
		      const struct guest_layer_content *content, int64_t time_seconds,
		      struct err *err)
{
	CLEANUP(synthetic_freep) struct synthetic layer = SYNTHETIC_NONE;
	struct view init = { 0 };

	return init_binary_find(&init, content->architecture, err) &&
	       synthetic_start(&layer, time_seconds, err) && add_mount_points(&layer, tree, err) &&
	       add_covered_files(&layer, tree, err) && add_ours(&layer, init, content, err) &&
	       synthetic_finish(out, &layer, err);
}

bool guest_layer_init_digest(struct digest *out, const char *architecture, struct err *err)
{
	struct view init = { 0 };

	if (!init_binary_find(&init, architecture, err))
		return false;
	*out = digest_of(init.ptr, init.len);
	return true;
}
