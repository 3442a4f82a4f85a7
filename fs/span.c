#include "span.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "block.h"

/* A slab is a huge page where the machine gives one: one fault instead of 512. */
enum { SLAB_BYTES = 2 << 20, SLABS_MAX = SPAN_BYTES_MAX / SLAB_BYTES };

/* Bytes that lie together in a slab and in the image; starts at a block in both. */
struct piece {
	uint64_t offset; /* in the image */
	uint8_t *data; /* in a slab */
	size_t len;
};

struct span {
	int fd;
	uint8_t *slabs[SLABS_MAX]; /* owned; slabs[slab_count], used again after a flush */
	size_t slab_count;
	size_t slab; /* the one being filled … */
	size_t used; /* … and its bytes that are */
	struct piece *pieces; /* owned; pieces[piece_count], the last one is growing */
	size_t piece_count, piece_capacity;
};

bool span_new(struct span **out, int fd, struct err *err)
{
	struct span *span = calloc(1, sizeof(*span));

	if (!span)
		return err_memory(err, "writing the image");
	span->fd = fd;
	*out = span;
	return true;
}

void span_freep(struct span **span)
{
	if (!*span)
		return;
	for (size_t i = 0; i < (*span)->slab_count; i++)
		free((*span)->slabs[i]);
	free((*span)->pieces);
	free(*span);
	*span = NULL;
}

MUST_CHECK static bool use_slab(struct span *span, struct err *err)
{
	uint8_t *fresh;

	span->used = 0;
	if (span->slab < span->slab_count)
		return true;
	fresh = aligned_alloc(SLAB_BYTES, SLAB_BYTES);
	if (!fresh)
		return err_memory(err, "writing the image");
	madvise(fresh, SLAB_BYTES, MADV_HUGEPAGE); /* a hint: slower without */
	span->slabs[span->slab_count++] = fresh;
	return true;
}

MUST_CHECK static bool next_slab(struct span *span, struct err *err)
{
	if (span->slab_count > 0 && ++span->slab == SLABS_MAX && !span_flush(span, err))
		return false;
	return use_slab(span, err);
}

static struct piece *last_piece(const struct span *span)
{
	return span->piece_count == 0 ? NULL : &span->pieces[span->piece_count - 1];
}

/* The last block is a whole one: nothing comes behind it any more. */
static void end_piece(struct span *span)
{
	const struct piece *last = last_piece(span);
	size_t rest = last ? last->len % BLOCK_BYTES : 0;

	if (rest == 0)
		return;
	memset(span->slabs[span->slab] + span->used, 0, BLOCK_BYTES - rest);
	span->used += BLOCK_BYTES - rest;
	span->pieces[span->piece_count - 1].len += BLOCK_BYTES - rest;
}

MUST_CHECK static bool begin_piece(struct span *span, uint64_t offset, struct err *err)
{
	assert(offset % BLOCK_BYTES == 0);
	end_piece(span);
	if ((span->slab_count == 0 || span->used == SLAB_BYTES) && !next_slab(span, err))
		return false;
	if (span->piece_count == span->piece_capacity) {
		size_t wanted = span->piece_capacity ? span->piece_capacity * 2 : 64;
		struct piece *bigger = realloc(span->pieces, wanted * sizeof(*bigger));

		if (!bigger)
			return err_memory(err, "writing the image");
		span->pieces = bigger;
		span->piece_capacity = wanted;
	}
	span->pieces[span->piece_count++] =
		(struct piece){ offset, span->slabs[span->slab] + span->used, 0 };
	return true;
}

bool span_add(struct span *span, uint64_t offset, size_t len, uint8_t **room, struct err *err)
{
	const struct piece *last = last_piece(span);

	assert(BLOCK_BYTES % len == 0 && offset % len == 0);
	if ((!last || last->offset + last->len != offset || span->used == SLAB_BYTES) &&
	    !begin_piece(span, offset, err))
		return false;
	*room = span->slabs[span->slab] + span->used;
	memset(*room, 0, len);
	span->pieces[span->piece_count - 1].len += len;
	span->used += len;
	return true;
}

static int compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Neighbours from first on, as parts of one write; returns how many. */
static size_t take_run(const struct span *span, size_t first, struct iovec *parts)
{
	const struct piece *pieces = span->pieces;
	size_t end = first;

	do {
		parts[end - first] = (struct iovec){ pieces[end].data, pieces[end].len };
		end++;
	} while (end < span->piece_count &&
		 pieces[end].offset == pieces[end - 1].offset + pieces[end - 1].len);
	return end - first;
}

bool span_flush(struct span *span, struct err *err)
{
	CLEANUP(freep) struct iovec *parts = calloc(span->piece_count + 1, sizeof(*parts));
	size_t count;

	if (!parts)
		return err_memory(err, "writing the image");
	end_piece(span);
	if (span->piece_count > 0)
		qsort(span->pieces, span->piece_count, sizeof(*span->pieces), compare_pieces);
	for (size_t first = 0; first < span->piece_count; first += count) {
		count = take_run(span, first, parts);
		if (!file_pwritev(span->fd, parts, count, span->pieces[first].offset, "the image",
				  err))
			return false;
	}
	span->piece_count = 0;
	span->slab = 0;
	span->used = 0;
	return true;
}
