#include "guest_layer.h"

#include <sys/mman.h>

#include "base/cleanup.h"
#include "init_binary.h"
#include "layers/body.h"

/* Where init mounts: needed in the image because a root may be read-only. */
static const struct {
	const char *name;
	uint32_t mode;
} mount_points[] = {
	{ "dev", 0755 }, { "proc", 0555 }, { "run", 0755 }, { "sys", 0555 }, { "tmp", 01777 },
};

enum { MOUNT_POINT_COUNT = sizeof(mount_points) / sizeof(mount_points[0]) };

struct making {
	struct index_builder *index;
	struct body_writer *bodies;
	int data_fd;
	int64_t time_seconds;
};

static void making_freep(struct making *making)
{
	index_builder_freep(&making->index);
	body_writer_freep(&making->bodies);
	fd_closep(&making->data_fd);
}

MUST_CHECK static bool add_dir(struct making *making, const char *path, uint32_t mode,
			       struct err *err)
{
	const struct entry entry = { .kind = ENTRY_DIR,
				     .path = view_of(path),
				     .mode = mode,
				     .mtime_seconds = making->time_seconds };

	return index_builder_add(making->index, &entry, err);
}

MUST_CHECK static bool add_file(struct making *making, const char *path, uint32_t mode,
				struct view content, struct err *err)
{
	struct entry entry = { .kind = ENTRY_FILE,
			       .path = view_of(path),
			       .mode = mode,
			       .mtime_seconds = making->time_seconds,
			       .size = content.len };

	body_begin(making->bodies);
	return body_write(making->bodies, content, err) &&
	       body_end(making->bodies, content.len, &entry.extents, &entry.extent_count,
			&entry.body_crc32c, err) &&
	       index_builder_add(making->index, &entry, err);
}

MUST_CHECK static bool add_mount_points(struct making *making, const struct tree *tree,
					struct err *err)
{
	for (size_t i = 0; i < MOUNT_POINT_COUNT; i++) {
		struct view name = view_of(mount_points[i].name);

		if (tree_find(tree, TREE_ROOT, name) == TREE_NONE &&
		    !add_dir(making, mount_points[i].name, mount_points[i].mode, err))
			return false;
	}
	return true;
}

/* What init covers with the machine's own when the root is read-only has to be there. */
MUST_CHECK static bool add_covered_files(struct making *making, const struct tree *tree,
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
		    !add_file(making, paths[i], 0644, (struct view){ 0 }, err))
			return false;
	}
	return true;
}

/* Whatever an image brings there, even another vmbake image's, gives way. */
MUST_CHECK static bool add_ours(struct making *making, struct view init,
				const struct boot_config *config, struct view image_json,
				struct err *err)
{
	CLEANUP(bytes_freep) struct bytes boot_json = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	const struct entry whiteout = { .kind = ENTRY_WHITEOUT, .path = view_of(".vmbake") };

	if (!boot_config_print(&boot_json, config, err))
		return err_wrap(err, "%s", BOOT_CONFIG_PATH);
	return index_builder_add(making->index, &whiteout, err) &&
	       add_dir(making, ".vmbake", 0755, err) &&
	       add_file(making, ".vmbake/init", 0755, init, err) &&
	       add_file(making, ".vmbake/boot.json", 0644, bytes_view(&boot_json), err) &&
	       add_file(making, ".vmbake/image.json", 0644, image_json, err);
}

MUST_CHECK static bool start(struct making *making, struct err *err)
{
	making->data_fd = memfd_create("vmbake-guest-layer", MFD_CLOEXEC);
	if (making->data_fd < 0)
		return err_os(err, "make a file in memory");
	return index_builder_new(&making->index, err) &&
	       body_writer_new(&making->bodies, making->data_fd, err);
}

MUST_CHECK static bool finish(struct guest_layer *out, struct making *making, struct err *err)
{
	enum { INDEX_BYTES_MAX = 1 << 20 }; /* ten entries */
	CLEANUP(guest_layer_freep) struct guest_layer layer = GUEST_LAYER_NONE;
	const struct digest none = { 0 };
	uint64_t data_bytes = 0;

	layer.index_bytes = bytes_capped(INDEX_BYTES_MAX);
	if (!body_writer_finish(making->bodies, &data_bytes, err) ||
	    !index_builder_finish(making->index, data_bytes, &none, &layer.index_bytes, err) ||
	    !index_parse(&layer.index, bytes_view(&layer.index_bytes), err))
		return false;
	layer.data_fd = fd_take(&making->data_fd);
	*out = layer;
	layer = GUEST_LAYER_NONE;
	return true;
}

bool guest_layer_make(struct guest_layer *out, const struct tree *tree,
		      const struct boot_config *config, struct view image_json,
		      const char *architecture, int64_t time_seconds, struct err *err)
{
	CLEANUP(making_freep) struct making making = { .data_fd = -1,
						       .time_seconds = time_seconds };
	struct view init = { 0 };

	return init_binary_find(&init, architecture, err) && start(&making, err) &&
	       add_mount_points(&making, tree, err) && add_covered_files(&making, tree, err) &&
	       add_ours(&making, init, config, image_json, err) && finish(out, &making, err);
}

void guest_layer_freep(struct guest_layer *layer)
{
	index_closep(&layer->index);
	bytes_freep(&layer->index_bytes);
	fd_closep(&layer->data_fd);
	*layer = GUEST_LAYER_NONE;
}

bool guest_layer_init_digest(struct digest *out, const char *architecture, struct err *err)
{
	struct view init = { 0 };

	if (!init_binary_find(&init, architecture, err))
		return false;
	*out = digest_of(init.ptr, init.len);
	return true;
}
