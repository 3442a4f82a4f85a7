/* What is in an outer archive (oci-archive, docker-archive): one pass lists the members and keeps
 * the small ones; large ones are read where they stand, by a pass of their own.
 *
 * Nothing is unpacked to disk. In an archive that is compressed, each large member costs reading
 * all that stands before it.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct members;

/* Errors: ERR_NOT_FOUND, ERR_FORMAT
 *         ERR_USAGE  path is no regular file: it is read more than once */
MUST_CHECK bool members_open(struct members **out, const char *path, struct err *err);
void members_freep(struct members **members);

/* The regular file that a name means, through links; its place in the archive and its size.
 * Errors: ERR_NOT_FOUND  no such member, or a link to nothing */
MUST_CHECK bool members_find(const struct members *members, const char *name, size_t *place,
			     uint64_t *size_bytes, struct err *err);
/* A whole small member; out's cap bounds it. */
MUST_CHECK bool members_slurp(const struct members *members, const char *name, struct bytes *out,
			      struct err *err);

/* A member as it comes, not verified. */
struct member_stream;
MUST_CHECK bool member_stream_open(struct member_stream **out, const struct members *members,
				   size_t place, struct err *err);
MUST_CHECK bool member_stream_read(struct member_stream *stream, void *buffer, size_t capacity,
				   size_t *len, struct err *err);
void member_stream_freep(struct member_stream **stream);
