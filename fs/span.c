#include "span.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "block.h"

struct span {
	int fd;
	uint64_t offset; /* of buffer[0] in the image */
	size_t len;
	uint8_t *buffer; /* owned, SPAN_BYTES_MAX */
};

bool span_new(struct span **out, int fd, struct err *err)
{
	CLEANUP(span_freep) struct span *span = calloc(1, sizeof(*span));

	if (!span)
		return err_memory(err, "writing the image");
	span->fd = fd;
	span->buffer = malloc(SPAN_BYTES_MAX);
	if (!span->buffer)
		return err_memory(err, "writing the image");
	*out = ptr_take(&span);
	return true;
}

void span_freep(struct span **span)
{
	if (!*span)
		return;
	free((*span)->buffer);
	free(*span);
	*span = NULL;
}

bool span_add(struct span *span, uint64_t offset, size_t len, uint8_t **room, struct err *err)
{
	if (span->len > 0 && (offset != span->offset + span->len ||
			      len > SPAN_BYTES_MAX - span->len) &&
	    !span_flush(span, err))
		return false;
	if (span->len == 0)
		span->offset = offset;
	*room = span->buffer + span->len;
	memset(*room, 0, len);
	span->len += len;
	return true;
}

bool span_flush(struct span *span, struct err *err)
{
	size_t rest = (span->offset + span->len) % BLOCK_BYTES;
	size_t pad = rest == 0 ? 0 : BLOCK_BYTES - rest;

	if (span->len == 0)
		return true;
	if (pad > SPAN_BYTES_MAX - span->len)
		pad = 0; /* more of the same block follows */
	memset(span->buffer + span->len, 0, pad);
	if (!file_pwrite(span->fd, span->buffer, span->len + pad, span->offset, "the image", err))
		return false;
	span->len = 0;
	return true;
}
