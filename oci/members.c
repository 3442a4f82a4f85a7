#include "members.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/archive.h"
#include "base/cleanup.h"

enum {
	MEMBER_COUNT_MAX = 65536,
	NAME_BYTES = 512,
	LINK_HOP_COUNT_MAX = 8,
	KEPT_BYTES_MAX = 1 << 20, /* a manifest, a config */
	KEPT_TOTAL_BYTES_MAX = 32 << 20,
};

struct member {
	char *name, *target; /* clean; target: NULL for a file */
	uint64_t size_bytes;
	struct bytes content; /* of a small file, else empty */
	bool is_file, is_kept;
};

struct members {
	char *path;
	struct member *list; /* list[count], in the archive's order */
	size_t count, capacity;
	size_t kept_bytes;
};

struct member_stream {
	struct archive_reader *reader;
};

/* "./a//b/../c" becomes "a/c". False: it leaves the archive, or is too long. */
static bool clean_name(char out[NAME_BYTES], struct view raw)
{
	size_t len = 0;

	while (raw.ptr) {
		struct view part = view_cut(&raw, '/');

		if (part.len == 0 || view_equal(part, "."))
			continue;
		if (view_equal(part, "..")) {
			ptrdiff_t slash = view_find_last((struct view){ out, len }, '/');

			if (len == 0)
				return false;
			len = slash < 0 ? 0 : (size_t)slash;
			continue;
		}
		if (len + part.len + 2 > NAME_BYTES)
			return false;
		if (len > 0)
			out[len++] = '/';
		memcpy(out + len, part.ptr, part.len);
		len += part.len;
	}
	out[len] = '\0';
	return true;
}

/* Where a link points, as a name in the archive. A hard link's target is one already. */
static bool clean_target(char out[NAME_BYTES], const struct archive_member *member)
{
	char joined[2 * NAME_BYTES];
	ptrdiff_t slash = view_find_last(view_of(member->name), '/');
	bool is_relative = member->kind == ARCHIVE_SYMLINK && member->target[0] != '/';
	int folder_len = is_relative && slash >= 0 ? (int)slash + 1 : 0;
	int len = snprintf(joined, sizeof(joined), "%.*s%s", folder_len, member->name,
			   member->target);

	return len >= 0 && (size_t)len < sizeof(joined) && clean_name(out, view_of(joined));
}

MUST_CHECK static bool read_content(struct bytes *out, struct archive_reader *reader,
				    struct err *err)
{
	char chunk[16 << 10];
	size_t len = 0;

	do {
		if (!archive_reader_read(reader, chunk, sizeof(chunk), &len, err) ||
		    !bytes_append(out, chunk, len, err))
			return false;
	} while (len > 0);
	return true;
}

MUST_CHECK static bool make_room(struct members *members, struct err *err)
{
	if (members->count < members->capacity)
		return true;
	if (members->count >= MEMBER_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d members", MEMBER_COUNT_MAX);
	size_t capacity = members->capacity ? members->capacity * 2 : 64;
	struct member *list = reallocarray(members->list, capacity, sizeof(*list));

	if (!list)
		return err_memory(err, "an archive's members");
	members->list = list;
	members->capacity = capacity;
	return true;
}

MUST_CHECK static bool add_member(struct members *members, const struct archive_member *found,
				  struct archive_reader *reader, struct err *err)
{
	bool is_link = found->kind == ARCHIVE_SYMLINK || found->kind == ARCHIVE_HARD_LINK;
	char name[NAME_BYTES] = "", target[NAME_BYTES] = "";

	if (!make_room(members, err))
		return false;
	struct member *member = &members->list[members->count++];

	*member = (struct member){ .content = bytes_capped(KEPT_BYTES_MAX) };
	if (!clean_name(name, view_of(found->name)) || (is_link && !clean_target(target, found)))
		name[0] = '\0'; /* nothing that is asked for; its place still counts */
	member->name = view_copy(view_of(name));
	member->target = is_link ? view_copy(view_of(target)) : NULL;
	if (!member->name || (is_link && !member->target))
		return err_memory(err, "an archive's members");
	member->is_file = found->kind == ARCHIVE_FILE;
	member->size_bytes = found->size_bytes;
	member->is_kept = member->is_file && found->size_bytes <= KEPT_BYTES_MAX &&
			  members->kept_bytes + found->size_bytes <= KEPT_TOTAL_BYTES_MAX;
	if (!member->is_kept)
		return true;
	members->kept_bytes += (size_t)found->size_bytes;
	return read_content(&member->content, reader, err);
}

bool members_open(struct members **out, const char *path, struct err *err)
{
	CLEANUP(members_freep) struct members *members = calloc(1, sizeof(*members));
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;
	bool is_end = false;

	if (!members)
		return err_memory(err, path);
	members->path = view_copy(view_of(path));
	if (!members->path)
		return err_memory(err, path);
	if (!archive_reader_open(&reader, path, err))
		return false;
	while (!is_end) {
		struct archive_member found = { 0 };

		if (!archive_reader_next(reader, &found, &is_end, err) ||
		    (!is_end && !add_member(members, &found, reader, err)))
			return false;
	}
	*out = ptr_take(&members);
	return true;
}

void members_freep(struct members **members)
{
	if (!*members)
		return;
	for (size_t i = 0; i < (*members)->count; i++) {
		free((*members)->list[i].name);
		free((*members)->list[i].target);
		bytes_freep(&(*members)->list[i].content);
	}
	free((*members)->list);
	free((*members)->path);
	free(*members);
	*members = NULL;
}

/* The last member of a name is the one that counts, as when tar unpacks. */
static const struct member *last_named(const struct members *members, const char *name)
{
	for (size_t i = members->count; i > 0; i--)
		if (strcmp(members->list[i - 1].name, name) == 0)
			return &members->list[i - 1];
	return NULL;
}

MUST_CHECK static bool find_file(const struct members *members, const char *raw,
				 const struct member **out, struct err *err)
{
	char name[NAME_BYTES];

	if (!clean_name(name, view_of(raw)) || !name[0])
		return err_set(err, ERR_FORMAT, "%.200s is no name in an archive", raw);
	const struct member *member = last_named(members, name);

	for (int hops = 0; member && member->target && hops < LINK_HOP_COUNT_MAX; hops++)
		member = last_named(members, member->target);
	if (!member || !member->is_file)
		return err_set(err, ERR_NOT_FOUND, "there is no %.200s in it", raw);
	*out = member;
	return true;
}

bool members_find(const struct members *members, const char *name, size_t *place,
		  uint64_t *size_bytes, struct err *err)
{
	const struct member *member = NULL;

	if (!find_file(members, name, &member, err))
		return false;
	*place = (size_t)(member - members->list);
	*size_bytes = member->size_bytes;
	return true;
}

bool members_slurp(const struct members *members, const char *name, struct bytes *out,
		   struct err *err)
{
	CLEANUP(member_stream_freep) struct member_stream *stream = NULL;
	const struct member *member = NULL;

	if (!find_file(members, name, &member, err))
		return false;
	if (member->is_kept)
		return bytes_append(out, member->content.data, member->content.len, err);
	return member_stream_open(&stream, members, (size_t)(member - members->list), err) &&
	       read_content(out, stream->reader, err);
}

bool member_stream_open(struct member_stream **out, const struct members *members, size_t place,
			struct err *err)
{
	CLEANUP(member_stream_freep) struct member_stream *stream = calloc(1, sizeof(*stream));
	struct archive_member found = { 0 };
	bool is_end = false;

	if (!stream)
		return err_memory(err, members->path);
	if (!archive_reader_open(&stream->reader, members->path, err))
		return false;
	for (size_t i = 0; i <= place && !is_end; i++)
		if (!archive_reader_next(stream->reader, &found, &is_end, err))
			return false;
	if (is_end || found.size_bytes != members->list[place].size_bytes)
		return err_set(err, ERR_IO, "%s changes while it is read", members->path);
	*out = ptr_take(&stream);
	return true;
}

bool member_stream_read(struct member_stream *stream, void *buffer, size_t capacity, size_t *len,
			struct err *err)
{
	return archive_reader_read(stream->reader, buffer, capacity, len, err);
}

void member_stream_freep(struct member_stream **stream)
{
	if (!*stream)
		return;
	archive_reader_freep(&(*stream)->reader);
	free(*stream);
	*stream = NULL;
}
