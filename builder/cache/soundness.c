#include "soundness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "drivers/bundle/stored_bundle.h"
#include "drivers/kernel/kernel_facts.h"
#include "fs/image.h"
#include "fs/image_tree.h"
#include "fs/verity.h"
#include "layers/body_check.h"

bool soundness_is_known(const struct thing *thing)
{
	return thing->kind != THING_DRAFT && thing->kind != THING_LOCK && !thing->is_part;
}

/* The digest that its name is. */
MUST_CHECK static bool digest_of_name(const struct thing *thing, struct digest *out,
				      struct err *err)
{
	char name[THING_NAME_BYTES];

	thing_name(thing, name);
	return digest_parse(out, view_of(name), err);
}

MUST_CHECK static bool check_layer(const struct store *store, const struct thing *thing,
				   struct report *report, struct err *err)
{
	CLEANUP(stored_layer_closep) struct stored_layer layer = STORED_LAYER_NONE;
	struct digest diff_id;

	return digest_of_name(thing, &diff_id, err) &&
	       store_open_layer(store, &diff_id, &layer, err) &&
	       body_check(&layer.index, layer.data_fd, report, err);
}

MUST_CHECK static bool check_driver(const struct store *store, const struct thing *thing,
				    struct report *report, struct err *err)
{
	CLEANUP(stored_bundle_closep) struct stored_bundle bundle = STORED_BUNDLE_NONE;
	CLEANUP(fd_closep) int dir_fd = -1;

	return file_open(&dir_fd, store->dir_fd, "drivers", O_RDONLY | O_DIRECTORY, err) &&
	       stored_bundle_open(&bundle, dir_fd, thing_file_name(thing), err) &&
	       body_check(&bundle.index, bundle.data_fd, report, err);
}

MUST_CHECK static bool check_blob(const struct store *store, const struct thing *thing,
				  struct report *report, struct err *err)
{
	enum { PIECE_BYTES = 1 << 20 };
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	CLEANUP(freep) char *piece = malloc(PIECE_BYTES);
	CLEANUP(fd_closep) int fd = -1;
	struct digest wanted, found;
	size_t len = 0;

	if (!piece)
		return err_memory(err, "a blob");
	if (!digest_of_name(thing, &wanted, err) || !sha256_new(&hash, err) ||
	    !file_open(&fd, store->dir_fd, thing->path, O_RDONLY | O_NOFOLLOW, err))
		return false;
	do {
		if (!file_read_some(fd, piece, PIECE_BYTES, &len, thing->path, err))
			return false;
		sha256_add(hash, piece, len);
		report_did(report, REPORT_CHECK, len);
	} while (len > 0);
	found = sha256_now(hash);
	return digest_equal(&found, &wanted) ||
	       err_set(err, ERR_INTEGRITY, "its content has another digest than its name");
}

MUST_CHECK static bool check_kernel(const struct store *store, const struct thing *thing,
				    struct report *report, struct err *err)
{
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(kernel.image.cap_max);

	if (!file_slurp(&bytes, store->dir_fd, thing->path, err))
		return false;
	report_did(report, REPORT_CHECK, bytes.len);
	return kernel_facts_parse(&kernel, bytes_view(&bytes), err);
}

/* All inodes, folders and extents, each with a checksum of its own. An image of a size that this
 * cannot read is no damaged one. */
MUST_CHECK static bool check_tree(const char *path, struct report *report, struct err *err)
{
	CLEANUP(image_tree_closep) struct image_tree tree = IMAGE_TREE_NONE;
	struct err why = { 0 };

	if (image_tree_open(&tree, path, &why))
		return true;
	if (why.kind == ERR_UNSUPPORTED) {
		report_note(report, "%s: its files are not looked into", why.msg);
		return true;
	}
	*err = why;
	return false;
}

/* The bodies of an image's files have no checksums, but in a dm-verity tree. */
MUST_CHECK static bool check_verity(const char *path, const struct image_facts *facts, bool *has_it,
				    struct err *err)
{
	uint64_t blocks = facts->size_bytes / IMAGE_BLOCK_BYTES;
	struct verity verity;

	return verity_read(&verity, path, blocks, has_it, err) &&
	       (!*has_it || verity_check(&verity, path, 1, err));
}

MUST_CHECK static bool check_image(const struct store *store, const struct thing *thing,
				   struct report *report, struct err *err)
{
	CLEANUP(image_reader_freep) struct image_reader *reader = NULL;
	char path[PATH_MAX + THING_PATH_BYTES];
	struct image_facts facts;
	struct digest key;
	uint8_t uuid[DIGEST_UUID_BYTES];
	bool has_verity = false;

	snprintf(path, sizeof(path), "%s/%s", store->path, thing->path);
	if (!digest_of_name(thing, &key, err) || !image_reader_open(&reader, path, err))
		return false;
	image_reader_facts(reader, &facts);
	digest_uuid(&key, uuid);
	if (memcmp(uuid, facts.uuid, sizeof(uuid)) != 0)
		return err_set(err, ERR_INTEGRITY, "it is the image of another key");
	if (!check_tree(path, report, err) || !check_verity(path, &facts, &has_verity, err))
		return false;
	report_did(report, REPORT_CHECK, has_verity ? thing->bytes : 0); /* holes are not read */
	return true;
}

bool soundness_check(const struct store *store, const struct thing *thing, struct report *report,
		     struct err *err)
{
	switch (thing->kind) {
	case THING_LAYER:
		return check_layer(store, thing, report, err);
	case THING_IMAGE:
		return check_image(store, thing, report, err);
	case THING_BLOB:
		return check_blob(store, thing, report, err);
	case THING_DRIVER:
		return check_driver(store, thing, report, err);
	case THING_KERNEL:
		return check_kernel(store, thing, report, err);
	case THING_DRAFT:
	case THING_LOCK:
	case THING_KIND_COUNT:
		break;
	}
	return true;
}
