#include <fcntl.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hasher.h"
#include "fetch.h"
#include "location.h"
#include "part.h"
#include "source.h"

enum { WAIT_BYTES = 256 << 10, REHASH_BYTES = 256 << 10 };

struct blob {
	struct stream stream; /* first, so that the stream is the blob */
	struct image_source *source;
	const struct layer *layer; /* borrowed */
	struct digest digest;
	uint64_t size_bytes, offset; /* of the next byte to hand out */
	struct sha256 *hash; /* of what was handed out */
	uint64_t pieces; /* of it that the stream's hasher was given */
	int fd; /* a whole file: a layout's, or kept from an earlier build; or -1 */
	struct member_stream *member; /* of an archive, or NULL */
	int kept_dir_fd; /* borrowed, -1: fd is not ours to remove */
	struct part *part;
	struct location location; /* where part is fetched from */
	struct fetch *fetch; /* NULL when nothing is missing */
	char magic[4]; /* its first bytes */
	bool is_verified; /* its end was reached */
	bool is_spoiled; /* what came is not what its digest or size says */
};

/* A docker archive names a compressed layer by the diff_id of the tar inside, which whoever
 * unpacks it checks: there is no digest of the blob itself. */
static bool is_named_by_content(const struct blob *blob)
{
	bool is_compressed = memcmp(blob->magic, "\x1f\x8b", 2) == 0 ||
			     memcmp(blob->magic, "\x28\xb5\x2f\xfd", 4) == 0;

	return blob->source->docker_archive && is_compressed &&
	       digest_equal(&blob->digest, &blob->layer->diff_id);
}

MUST_CHECK static bool wrap(const struct blob *blob, struct err *err)
{
	char text[DIGEST_TEXT_BYTES];

	digest_text(&blob->digest, text);
	return err_wrap(err, "%s: blob %s", blob->source->text, text);
}

/* What the reader may overwrite now must be hashed. */
static void await_hash(struct blob *blob)
{
	if (blob->stream.hasher && blob->pieces > STREAM_READS_HELD)
		hasher_wait(blob->stream.hasher, HASHER_BLOB, blob->pieces - STREAM_READS_HELD);
}

static void add_hash(struct blob *blob, const void *data, size_t len)
{
	if (blob->stream.hasher)
		blob->pieces = hasher_add(blob->stream.hasher, HASHER_BLOB, blob->hash, data, len);
	else
		sha256_add(blob->hash, data, len);
}

static struct digest hash_now(const struct blob *blob)
{
	if (blob->stream.hasher)
		hasher_wait(blob->stream.hasher, HASHER_BLOB, blob->pieces);
	return sha256_now(blob->hash);
}

MUST_CHECK static bool verify_end(struct blob *blob, struct err *err)
{
	struct digest found = hash_now(blob);
	char text[DIGEST_TEXT_BYTES];

	blob->is_verified = digest_equal(&found, &blob->digest) || is_named_by_content(blob);
	if (blob->is_verified)
		return true;
	digest_text(&found, text);
	return err_set(err, ERR_INTEGRITY, "its content has digest %s", text);
}

MUST_CHECK static bool start_fetch(struct blob *blob, struct err *err)
{
	if (part_missing_bytes(blob->part) == 0)
		return true;
	return fetch_start(&blob->fetch, blob->source->registry, &blob->location, blob->part,
			   &blob->source->options, err);
}

MUST_CHECK static bool hash_part(struct blob *blob, struct digest *out, struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	CLEANUP(freep) char *buffer = malloc(REHASH_BYTES);

	if (!buffer)
		return err_memory(err, "a blob");
	if (!sha256_new(&hash, err))
		return false;
	for (uint64_t offset = 0; offset < blob->size_bytes;) {
		uint64_t len = 0;

		if (!part_wait(blob->part, offset, REHASH_BYTES, &len, err))
			return false;
		len = len < REHASH_BYTES ? len : REHASH_BYTES;
		if (!file_pread(part_fd(blob->part), buffer, len, offset, "a blob", err))
			return false;
		sha256_add(hash, buffer, len);
		offset += len;
	}
	*out = sha256_now(hash);
	return true;
}

/* All that is there is thrown away, and comes anew. */
MUST_CHECK static bool fetch_afresh(struct blob *blob, struct err *err)
{
	fetch_freep(&blob->fetch);
	report_expect(blob->source->options.report, REPORT_FETCH, blob->size_bytes);
	return part_reset(blob->part, err) && start_fetch(blob, err);
}

/* Bytes that another process left may be wrong (after a power cut the map can claim what never
 * reached the disk), and what a stream has given out cannot be taken back. So they are checked as
 * a whole before the first is given out, and when they do not hold, all is fetched afresh. */
MUST_CHECK static bool check_resumed(struct blob *blob, struct err *err)
{
	struct digest found;

	if (!blob->part || part_resumed_bytes(blob->part) == 0)
		return true;
	if (!hash_part(blob, &found, err))
		return false;
	if (digest_equal(&found, &blob->digest)) {
		part_trust(blob->part);
		return true;
	}
	report_note(blob->source->options.report,
		    "%s: a part from an earlier run does not hold, "
		    "fetching it afresh",
		    blob->source->text);
	location_renew(&blob->location);
	return fetch_afresh(blob, err);
}

/* The next count bytes, from wherever they are. */
MUST_CHECK static bool read_bytes(struct blob *blob, void *buffer, size_t count, size_t *len,
				  struct err *err)
{
	int fd = blob->part ? part_fd(blob->part) : blob->fd;

	*len = count;
	if (blob->layer->data.len > 0) {
		memcpy(buffer, blob->layer->data.data + blob->offset, count);
		return true;
	}
	if (!blob->member)
		return file_pread(fd, buffer, count, blob->offset, "its file", err);
	if (!member_stream_read(blob->member, buffer, count, len, err))
		return false;
	return *len > 0 || err_set(err, ERR_INTEGRITY, "it ends %llu bytes too early",
				   (unsigned long long)(blob->size_bytes - blob->offset));
}

MUST_CHECK static bool read_next(struct blob *blob, void *buffer, size_t capacity, size_t *len,
				 struct err *err)
{
	uint64_t available = blob->size_bytes - blob->offset;
	uint64_t want = capacity < WAIT_BYTES ? capacity : WAIT_BYTES;

	if (blob->part && !part_wait(blob->part, blob->offset, want, &available, err))
		return false;
	size_t count = available < capacity ? (size_t)available : capacity;

	await_hash(blob);
	if (!read_bytes(blob, buffer, count, len, err))
		return false;
	if (blob->offset < sizeof(blob->magic)) {
		size_t room = sizeof(blob->magic) - (size_t)blob->offset;

		memcpy(blob->magic + blob->offset, buffer, *len < room ? *len : room);
	}
	add_hash(blob, buffer, *len);
	blob->offset += *len;
	return true;
}

MUST_CHECK static bool blob_read(struct stream *self, void *buffer, size_t capacity, size_t *len,
				 struct err *err)
{
	struct blob *blob = (struct blob *)self;

	bool is_end = blob->offset == blob->size_bytes;

	if (is_end ? verify_end(blob, err)
		   : check_resumed(blob, err) && read_next(blob, buffer, capacity, len, err)) {
		*len = is_end ? 0 : *len;
		return true;
	}
	blob->is_spoiled = err->kind == ERR_INTEGRITY;
	return wrap(blob, err);
}

MUST_CHECK static bool check_size(const struct blob *blob, uint64_t size_bytes, struct err *err)
{
	return size_bytes == blob->size_bytes ||
	       err_set(err, ERR_INTEGRITY, "it has %llu bytes, the manifest says %llu",
		       (unsigned long long)size_bytes, (unsigned long long)blob->size_bytes);
}

/* Another process may have kept the blob, or be fetching it: its .part is locked then, and after
 * the wait the blob may be there. So: look, lock, look again. */
static bool open_kept(struct blob *blob, int dir_fd)
{
	char hex[DIGEST_HEX_BYTES];
	struct stat stat;

	digest_hex(&blob->digest, hex);
	blob->fd = openat(dir_fd, hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (blob->fd < 0)
		return false;
	if (fstat(blob->fd, &stat) < 0 || (uint64_t)stat.st_size != blob->size_bytes) {
		unlinkat(dir_fd, hex, 0);
		fd_closep(&blob->fd);
		return false;
	}
	file_touch(blob->fd, "");
	blob->kept_dir_fd = dir_fd;
	return true;
}

MUST_CHECK static bool open_remote(struct blob *blob, int dir_fd, struct err *err)
{
	if (open_kept(blob, dir_fd))
		return true;
	if (!part_open(&blob->part, dir_fd, &blob->digest, blob->size_bytes, err))
		return false;
	if (open_kept(blob, dir_fd)) {
		part_discard(blob->part);
		part_closep(&blob->part);
		return true;
	}
	report_expect(blob->source->options.report, REPORT_FETCH, part_missing_bytes(blob->part));
	return start_fetch(blob, err);
}

/* Whose bytes they were is known; the hash and the reader begin anew. The reader that is gone has
 * drained its hasher. */
MUST_CHECK static bool rewind_blob(struct blob *blob, struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;

	if (!sha256_new(&hash, err))
		return false;
	sha256_freep(&blob->hash);
	blob->hash = ptr_take(&hash);
	blob->stream.hasher = NULL;
	blob->pieces = blob->offset = 0;
	blob->is_spoiled = false;
	return true;
}

/* A blob that was kept and does not hold any more is removed, whatever comes of it. */
MUST_CHECK static bool replace_kept(struct blob *blob, struct err *err)
{
	int dir_fd = blob->kept_dir_fd;
	char hex[DIGEST_HEX_BYTES];

	report_note(blob->source->options.report,
		    "%s: a blob in the store is damaged, fetching it afresh", blob->source->text);
	digest_hex(&blob->digest, hex);
	unlinkat(dir_fd, hex, 0);
	fd_closep(&blob->fd);
	blob->kept_dir_fd = -1;
	return rewind_blob(blob, err) && open_remote(blob, dir_fd, err);
}

bool blob_start_over(struct blob *blob, const struct err *failure, struct err *err)
{
	char text[DIGEST_TEXT_BYTES];
	struct view culprit = { 0 };

	*err = *failure;
	if (!blob->is_spoiled || blob->offset < blob->size_bytes)
		return false;
	if (blob->kept_dir_fd >= 0)
		return replace_kept(blob, err) || wrap(blob, err);
	if (!blob->part || !registry_blame(blob->source->registry, &blob->location, &culprit))
		return false;
	digest_text(&blob->digest, text);
	report_note(blob->source->options.report,
		    "fetching blob %s afresh from the next host: what %.*s gave has another digest",
		    text, VIEW_ARGS(culprit));
	return (rewind_blob(blob, err) && fetch_afresh(blob, err)) || wrap(blob, err);
}

MUST_CHECK static bool open_local(struct blob *blob, struct err *err)
{
	struct image_source *source = blob->source;
	uint64_t size_bytes = 0;

	if (source->layout ? !layout_open_blob(source->layout, &blob->digest, &blob->fd,
					       &blob->member, &size_bytes, err)
			   : !docker_archive_layer(source->docker_archive, &blob->digest,
						   &blob->member, &size_bytes, err))
		return false;
	return check_size(blob, size_bytes, err);
}

bool blob_open(struct blob **out, struct image_source *source, const struct layer *layer,
	       int blobs_dir_fd, struct err *err)
{
	CLEANUP(blob_freep) struct blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return err_memory(err, "a blob");
	*blob = (struct blob){
		.stream.read = blob_read,
		.source = source,
		.digest = layer->digest,
		.layer = layer,
		.size_bytes = layer->size_bytes,
		.fd = -1,
		.kept_dir_fd = -1,
	};
	location_start(&blob->location, &layer->digest, layer->urls);
	if (!sha256_new(&blob->hash, err))
		return false;
	bool is_here = layer->data.len > 0; /* inside the manifest */

	if (!is_here &&
	    (source->registry ? !open_remote(blob, blobs_dir_fd, err) : !open_local(blob, err)))
		return wrap(blob, err);
	*out = ptr_take(&blob);
	return true;
}

struct stream *blob_stream(struct blob *blob)
{
	return &blob->stream;
}

bool blob_finish(struct blob *blob, bool keep, struct err *err)
{
	bool is_ok = true;

	if (!blob->is_verified)
		return err_set(err, ERR_INTERNAL, "a blob is finished before its end was read");
	fetch_freep(&blob->fetch);
	if (blob->part)
		is_ok = keep ? part_keep(blob->part, err) : part_remove(blob->part, err);
	return is_ok || wrap(blob, err);
}

void blob_freep(struct blob **blob)
{
	if (!*blob)
		return;
	fetch_freep(&(*blob)->fetch);
	location_end(&(*blob)->location);
	if ((*blob)->part && ((*blob)->is_spoiled || part_missing_bytes((*blob)->part) ==
							     (*blob)->size_bytes))
		part_discard((*blob)->part); /* nothing in it is worth keeping */
	part_closep(&(*blob)->part);
	fd_closep(&(*blob)->fd);
	member_stream_freep(&(*blob)->member);
	sha256_freep(&(*blob)->hash);
	free(*blob);
	*blob = NULL;
}
