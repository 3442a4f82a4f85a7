#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hasher.h"
#include "body.h"
#include "index.h"
#include "inflate.h"
#include "path.h"
#include "whiteout.h"

enum {
	QUEUE_BUFFERS = 4, /* few enough to stay in a shared cache */
	LINK_BYTES_MAX = 4095, /* of a symlink's target: PATH_MAX without the NUL */
	XATTRS_MAX = 4096, /* of one entry */
	/* How much a layer may be ahead of what the sum with others says: each look at that is one
	 * at another core's memory. */
	AHEAD_ENTRIES = 256,
	AHEAD_BYTES = 1 << 20,
	STRINGS_SPARE_BYTES = 64 << 20,
	STRINGS_AN_ENTRY_BYTES = 256,
	EXTENTS_AN_ENTRY = 2,
};

_Static_assert((int)QUEUE_BUFFERS > (int)INFLATE_BUFFERS_HELD, "as inflate_start asks for");

const struct pack_caps pack_caps_default = {
	.entries = 10 * 1000 * 1000,
	.body_bytes = UINT64_C(1) << 40,
	.ratio = 10000, /* gzip ends at 1,032; zstd of nothing but zeros at 32,768 */
	.path_bytes = PATH_BYTES_MAX - 1, /* path_clean lets no longer one through */
	.tar = TAR_CAPS_DEFAULT,
};

struct packer {
	const struct pack_caps *caps;
	struct memory *memory;
	struct report *report;
	struct input input;
	struct tar_reader *tar; /* owned, as are the next two */
	struct index_builder *index;
	struct body_writer *bodies;
	struct pack_amount amount, told; /* of this layer; and how much of it the sum has */
	bool has_noted_aufs, has_noted_xattr;
	char path[PATH_BYTES_MAX], link[PATH_BYTES_MAX];
	struct xattr xattrs[XATTRS_MAX];
};

static void packer_freep(struct packer **packer)
{
	if (!*packer)
		return;
	tar_freep(&(*packer)->tar);
	index_builder_freep(&(*packer)->index);
	body_writer_freep(&(*packer)->bodies);
	free(*packer);
	*packer = NULL;
}

static uint64_t strings_max(const struct pack_caps *caps)
{
	uint64_t bytes = 0;

	return __builtin_mul_overflow(caps->entries, (uint64_t)STRINGS_AN_ENTRY_BYTES, &bytes) ||
			       __builtin_add_overflow(bytes, (uint64_t)STRINGS_SPARE_BYTES, &bytes)
		       ? UINT64_MAX
		       : bytes;
}

bool pack_check_caps(const struct pack_caps *caps, const struct pack_amount *amount,
		     struct err *err)
{
	const char *whole = caps->sum ? "image" : "layer";

	if (amount->entries > caps->entries)
		return err_set(err, ERR_UNSUPPORTED, "the %s has over %" PRIu64
						     " entries (--max-entries allows more)",
			       whole, caps->entries);
	if (amount->body_bytes > caps->body_bytes)
		return err_set(err, ERR_UNSUPPORTED, "the %s's files are over %" PRIu64
						     " bytes (--max-bytes allows more)",
			       whole, caps->body_bytes);
	if (amount->string_bytes > strings_max(caps))
		return err_set(err, ERR_UNSUPPORTED, "the %s's names and xattrs are over %" PRIu64
						     " bytes (--max-entries allows more)",
			       whole, strings_max(caps));
	if ((amount->extents + EXTENTS_AN_ENTRY - 1) / EXTENTS_AN_ENTRY > caps->entries)
		return err_set(err, ERR_UNSUPPORTED, "the %s's files are more than %" PRIu64
						     " runs of data (--max-entries allows more)",
			       whole, caps->entries * EXTENTS_AN_ENTRY);
	return true;
}

static void measure_index(struct packer *packer)
{
	packer->amount.string_bytes = index_builder_string_bytes(packer->index);
	packer->amount.extents = index_builder_extents(packer->index);
}

/* Tell the others, and look what they have told. */
MUST_CHECK static bool check_sum(struct packer *packer, struct err *err)
{
	struct pack_amount *own = &packer->amount, *told = &packer->told;
	struct pack_sum *sum = packer->caps->sum;

	measure_index(packer);
	if (!sum)
		return true;
	atomic_fetch_add(&sum->entries, own->entries - told->entries);
	atomic_fetch_add(&sum->body_bytes, own->body_bytes - told->body_bytes);
	atomic_fetch_add(&sum->string_bytes, own->string_bytes - told->string_bytes);
	atomic_fetch_add(&sum->extents, own->extents - told->extents);
	*told = *own;
	const struct pack_amount all = { sum->entries, sum->body_bytes, sum->string_bytes,
					 sum->extents };

	return pack_check_caps(packer->caps, &all, err);
}

static void take_back(struct packer *packer)
{
	struct pack_sum *sum = packer->caps->sum;

	if (!sum)
		return;
	atomic_fetch_sub(&sum->entries, packer->told.entries);
	atomic_fetch_sub(&sum->body_bytes, packer->told.body_bytes);
	atomic_fetch_sub(&sum->string_bytes, packer->told.string_bytes);
	atomic_fetch_sub(&sum->extents, packer->told.extents);
}

/* Look at the caps, at the sum with others only when there is something to tell. */
MUST_CHECK static bool check_amount(struct packer *packer, struct err *err)
{
	struct pack_amount *own = &packer->amount, *told = &packer->told;

	measure_index(packer);
	bool is_ahead = own->entries - told->entries >= AHEAD_ENTRIES ||
			own->extents - told->extents >= AHEAD_ENTRIES ||
			own->body_bytes - told->body_bytes >= AHEAD_BYTES ||
			own->string_bytes - told->string_bytes >= AHEAD_BYTES;

	return (!is_ahead || check_sum(packer, err)) &&
	       pack_check_caps(packer->caps, own, err);
}

/* ext4 and the kernel hold user.*, security.* and ACLs. user.* is for files and folders only
 * (xattr(7)); trusted.* belongs to the host that made the layer. */
static bool keeps_xattr(enum entry_kind kind, struct view name)
{
	if (view_starts(name, "user."))
		return kind == ENTRY_FILE || kind == ENTRY_DIR;
	if (view_starts(name, "system."))
		return view_equal(name, "system.posix_acl_access") ||
		       view_equal(name, "system.posix_acl_default");
	return view_starts(name, "security.");
}

MUST_CHECK static bool take_xattrs(struct packer *packer, const struct tar_entry *tar,
				   struct entry *entry, struct err *err)
{
	size_t count = 0;

	if (tar->xattr_count > XATTRS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%zu xattrs", tar->xattr_count);
	for (size_t i = 0; i < tar->xattr_count; i++) {
		if (keeps_xattr(tar->kind, tar->xattrs[i].name)) {
			packer->xattrs[count++] = tar->xattrs[i];
		} else if (!packer->has_noted_xattr) {
			report_note(packer->report, "xattr %.*s is left out (first at /%s)",
				    VIEW_ARGS(tar->xattrs[i].name), packer->path);
			packer->has_noted_xattr = true;
		}
	}
	entry->xattrs = packer->xattrs;
	entry->xattr_count = count;
	return true;
}

/* Hand the stored body on, each piece to where its segment says it belongs. */
MUST_CHECK static bool take_sparse(struct packer *packer, const struct tar_entry *tar,
				   struct err *err)
{
	struct view piece = { 0 };

	for (size_t i = 0; i < tar->segment_count; i++) {
		uint64_t left = tar->segments[i].len;

		if (!body_seek(packer->bodies, tar->segments[i].offset, err))
			return false;
		while (left > 0) {
			if (piece.len == 0 && !tar_body(packer->tar, &piece, err))
				return false;
			if (piece.len == 0)
				return err_set(err, ERR_FORMAT, "its sparse map is longer than it");
			size_t len = left < piece.len ? (size_t)left : piece.len;

			if (!body_write(packer->bodies, (struct view){ piece.ptr, len }, err))
				return false;
			piece = view_from(piece, len);
			left -= len;
		}
	}
	return true;
}

MUST_CHECK static bool take_plain(struct packer *packer, struct err *err)
{
	struct view piece;

	for (;;) {
		if (!tar_body(packer->tar, &piece, err))
			return false;
		if (piece.len == 0)
			return true;
		if (!body_write(packer->bodies, piece, err))
			return false;
	}
}

MUST_CHECK static bool take_body(struct packer *packer, const struct tar_entry *tar,
				 struct entry *entry, struct err *err)
{
	packer->amount.body_bytes += tar->size;
	if (!check_amount(packer, err))
		return false;
	entry->size = tar->size;
	body_begin(packer->bodies);
	if (tar->is_sparse ? !take_sparse(packer, tar, err) : !take_plain(packer, err))
		return false;
	return body_end(packer->bodies, tar->size, &entry->extents, &entry->extent_count,
			&entry->body_crc32c, err);
}

MUST_CHECK static bool take_link(struct packer *packer, const struct tar_entry *tar,
				 struct entry *entry, struct err *err)
{
	entry->link = tar->link;
	if (tar->kind == ENTRY_HARDLINK) {
		if (!path_clean(packer->link, tar->link.ptr, tar->link.len, err))
			return err_wrap(err, "link target");
		entry->link = view_of(packer->link);
	} else if (tar->link.len == 0) {
		return err_set(err, ERR_FORMAT, "a symlink without a target");
	} else if (tar->link.len > LINK_BYTES_MAX) {
		return err_set(err, ERR_UNSUPPORTED, "a symlink's target of %zu bytes",
			       tar->link.len);
	}
	return true;
}

MUST_CHECK static bool take_ordinary(struct packer *packer, const struct tar_entry *tar,
				     struct err *err)
{
	struct entry entry = {
		.kind = tar->kind,
		.path = view_of(packer->path),
		.mode = tar->mode,
		.uid = tar->uid,
		.gid = tar->gid,
		.rdev_major = tar->rdev_major,
		.rdev_minor = tar->rdev_minor,
		.mtime_seconds = tar->mtime_seconds,
		.mtime_ns = tar->mtime_ns,
	};

	if (entry.path.len == 0 && tar->kind != ENTRY_DIR)
		return err_set(err, ERR_FORMAT, "the root is not a folder");
	if ((tar->kind == ENTRY_SYMLINK || tar->kind == ENTRY_HARDLINK) &&
	    !take_link(packer, tar, &entry, err))
		return false;
	if (tar->kind != ENTRY_HARDLINK && !take_xattrs(packer, tar, &entry, err))
		return false;
	if (tar->kind == ENTRY_FILE && !take_body(packer, tar, &entry, err))
		return false;
	return index_builder_add(packer->index, &entry, err);
}

MUST_CHECK static bool take_entry(struct packer *packer, const struct tar_entry *tar,
				  struct err *err)
{
	struct entry removal = { 0 };

	packer->amount.entries++;
	if (!check_amount(packer, err))
		return false;
	if (!path_clean(packer->path, tar->path.ptr, tar->path.len, err))
		return false;
	if (strlen(packer->path) > packer->caps->path_bytes)
		return err_set(err, ERR_UNSUPPORTED, "a path over %" PRIu64
						     " bytes (--max-path allows more)",
			       packer->caps->path_bytes);
	switch (whiteout_classify(packer->path, &removal.path)) {
	case WHITEOUT_NONE:
		return take_ordinary(packer, tar, err);
	case WHITEOUT_NAME:
		removal.kind = ENTRY_WHITEOUT;
		break;
	case WHITEOUT_OPAQUE:
		removal.kind = ENTRY_OPAQUE;
		break;
	case WHITEOUT_AUFS_LINKED:
		if (tar->kind == ENTRY_FILE)
			return take_ordinary(packer, tar, err);
		return true;
	case WHITEOUT_AUFS:
		if (!packer->has_noted_aufs)
			report_note(packer->report, "AUFS metadata is left out (first at /%s)",
				    packer->path);
		packer->has_noted_aufs = true;
		return true;
	case WHITEOUT_MALFORMED:
		return err_set(err, ERR_FORMAT, "a malformed whiteout");
	}
	return index_builder_add(packer->index, &removal, err);
}

MUST_CHECK static bool take_all(struct packer *packer, struct err *err)
{
	struct tar_entry tar = { 0 };
	bool is_end = false;

	for (;;) {
		if (!tar_next(packer->tar, &tar, &is_end, err))
			return false;
		if (is_end)
			return input_drain(&packer->input, err);
		if (!take_entry(packer, &tar, err))
			return err_wrap(err, "entry '%.*s'",
					tar.path.len > 200 ? 200 : (int)tar.path.len,
					tar.path.ptr);
	}
}

/* A tar that makes no sense may be a blob that was damaged: its digest has the last word. */
static void prefer_integrity(struct packer *packer, struct err *err)
{
	struct err verdict = { 0 };

	if (err->kind != ERR_FORMAT && err->kind != ERR_UNSUPPORTED)
		return;
	if (!input_drain(&packer->input, &verdict) && verdict.kind == ERR_INTEGRITY)
		*err = verdict;
}

MUST_CHECK static bool check_diff_id(struct hasher *hasher, const struct sha256 *hash,
				     const struct digest *diff_id, struct err *err)
{
	char found_text[DIGEST_TEXT_BYTES], wanted_text[DIGEST_TEXT_BYTES];

	hasher_drain(hasher); /* the parser has seen the end, so all was added */
	struct digest found = sha256_now(hash);

	if (digest_equal(&found, diff_id))
		return true;
	digest_text(&found, found_text);
	digest_text(diff_id, wanted_text);
	return err_set(err, ERR_INTEGRITY, "its content is %s, the image's config says %s",
		       found_text, wanted_text);
}

/* Read everything; the queue's other side is inflate's thread. */
MUST_CHECK static bool consume(struct packer *packer, struct queue *queue, struct err *err)
{
	packer->input = (struct input){ .queue = queue };
	if (!tar_open(&packer->tar, &packer->input, &packer->caps->tar, err))
		return false;
	if (take_all(packer, err))
		return true;
	prefer_integrity(packer, err);
	return false;
}

MUST_CHECK static bool run(struct packer *packer, struct stream *source,
			   const struct digest *diff_id, struct err *err)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	CLEANUP(hasher_freep) struct hasher *hasher = NULL;
	CLEANUP(inflate_freep) struct inflate *inflate = NULL; /* ends before the others do */

	if (!queue_new(&queue, QUEUE_BUFFERS, packer->memory->buffer_bytes, err) ||
	    !sha256_new(&hash, err) || !hasher_start(&hasher, err))
		return false;
	bool ok = inflate_start(&inflate, source, queue, hasher, hash, packer->caps->ratio,
				packer->memory, packer->report, err) &&
		  consume(packer, queue, err) && check_diff_id(hasher, hash, diff_id, err);

	queue_abandon(queue); /* whoever still waits for it, waits no longer */
	return ok;
}

MUST_CHECK static bool sync_file(int fd, const char *name, struct err *err)
{
	return fsync(fd) == 0 || err_os(err, "sync a layer's %s", name);
}

bool layer_pack(struct stream *source, const struct digest *diff_id, int dir_fd,
		const struct pack_caps *caps, struct memory *memory, struct report *report,
		struct err *err)
{
	CLEANUP(fd_closep) int data_fd = -1, index_fd = -1;
	CLEANUP(packer_freep) struct packer *packer = calloc(1, sizeof(*packer));
	uint64_t data_bytes = 0;

	if (!packer)
		return err_memory(err, "a layer");
	packer->caps = caps;
	packer->memory = memory;
	packer->report = report;
	if (!file_open(&data_fd, dir_fd, "data", O_RDWR | O_CREAT | O_EXCL, err) ||
	    !file_open(&index_fd, dir_fd, "index", O_RDWR | O_CREAT | O_EXCL, err) ||
	    !body_writer_new(&packer->bodies, data_fd, memory->buffer_bytes, err) ||
	    !index_builder_new(&packer->index, err))
		return false;
	bool ok = run(packer, source, diff_id, err) && check_sum(packer, err) &&
		  body_writer_finish(packer->bodies, &data_bytes, err) &&
		  index_builder_write(packer->index, data_bytes, diff_id, index_fd, err) &&
		  sync_file(data_fd, "data", err) && sync_file(index_fd, "index", err);

	if (!ok)
		take_back(packer);
	return ok;
}
