#include "case_tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWNER_MAX = 07777777, NAME_FIELD_BYTES = 100 };

static void add_number(struct bytes *records, const char *key, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	writer_record(records, key, text, strlen(text));
}

/* PAX writes a sign and a magnitude; an entry counts nanoseconds forward. */
static void add_mtime(struct bytes *records, const struct case_entry *entry)
{
	int64_t seconds = entry->mtime_seconds;
	uint32_t ns = entry->mtime_ns;
	bool is_negative = seconds < 0;
	char text[64];

	if (is_negative && ns > 0) {
		seconds++;
		ns = 1000000000 - ns;
	}
	snprintf(text, sizeof(text), "%s%" PRIu64 ".%09u", is_negative ? "-" : "",
		 is_negative ? -(uint64_t)seconds : (uint64_t)seconds, ns);
	writer_record(records, "mtime", text, strlen(text));
}

static void add_own_records(struct bytes *records, const struct case_entry *entry)
{
	for (size_t i = 0; i < entry->record_count; i++) {
		struct view key = entry->records[i].key, value = entry->records[i].value;
		char name[300];

		snprintf(name, sizeof(name), "%.*s", VIEW_ARGS(key));
		writer_record(records, name, value.ptr, value.len);
	}
}

static void add_needed_records(struct bytes *records, const struct case_entry *entry)
{
	if (entry->path.len > NAME_FIELD_BYTES)
		writer_record(records, "path", entry->path.ptr, entry->path.len);
	if (entry->target.len > NAME_FIELD_BYTES)
		writer_record(records, "linkpath", entry->target.ptr, entry->target.len);
	if (entry->uid > OWNER_MAX)
		add_number(records, "uid", entry->uid);
	if (entry->gid > OWNER_MAX)
		add_number(records, "gid", entry->gid);
	if (entry->mtime_seconds < 0 || entry->mtime_ns > 0)
		add_mtime(records, entry);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		char key[300];

		snprintf(key, sizeof(key), "SCHILY.xattr.%.*s",
			 VIEW_ARGS(entry->xattrs[i].name));
		writer_record(records, key, entry->xattrs[i].value.ptr,
			      entry->xattrs[i].value.len);
	}
}

static void add_long(struct bytes *out, char type, struct view text)
{
	if (text.len > NAME_FIELD_BYTES)
		writer_add_text(out, WRITER_GNU, type, text.ptr, text.len);
}

static void add_extensions(struct bytes *out, const struct case_entry *entry)
{
	struct bytes records = bytes_capped(8 << 20);

	if (entry->format == WRITER_GNU) {
		add_long(out, 'L', entry->path);
		add_long(out, 'K', entry->target);
	} else if (entry->special == CASE_ENTRY) {
		add_needed_records(&records, entry);
	}
	add_own_records(&records, entry);
	if (records.len > 0)
		writer_add_text(out, WRITER_USTAR, entry->special == CASE_GLOBAL ? 'g' : 'x',
				records.data, records.len);
	bytes_freep(&records);
}

static int64_t fitting(const struct case_entry *entry, int64_t number, int64_t max)
{
	return entry->format == WRITER_GNU || (number >= 0 && number <= max) ? number : 0;
}

static void add_header(struct bytes *out, const struct case_entry *entry)
{
	static const char types[] = "?0521346"; /* by kind */
	char type = entry->type >= 0 ? entry->type : types[entry->kind];
	struct writer_header header = writer_header(entry->format, type, "", entry->size);

	writer_bytes(&header, FIELD_NAME, entry->path.ptr, entry->path.len);
	writer_bytes(&header, FIELD_LINK, entry->target.len > 0 ? entry->target.ptr : "",
		     entry->target.len);
	writer_number(&header, FIELD_MODE, entry->mode);
	writer_number(&header, FIELD_UID, fitting(entry, entry->uid, OWNER_MAX));
	writer_number(&header, FIELD_GID, fitting(entry, entry->gid, OWNER_MAX));
	writer_number(&header, FIELD_MTIME, fitting(entry, entry->mtime_seconds, 077777777777));
	if (entry->kind == ENTRY_CHAR || entry->kind == ENTRY_BLOCK) {
		writer_number(&header, FIELD_DEVMAJOR, entry->rdev_major);
		writer_number(&header, FIELD_DEVMINOR, entry->rdev_minor);
	}
	writer_add(out, header, entry->sum);
}

/* A body shorter than its size goes on in zeros. */
static void add_body(struct bytes *out, const struct case_entry *entry)
{
	size_t at = out->len;

	writer_add_body(out, NULL, entry->size);
	if (entry->body.len > 0)
		memcpy(out->data + at, entry->body.ptr, entry->body.len);
}

void case_tar(struct bytes *out, const struct case_list *layer)
{
	bool has_end = false;

	for (size_t i = 0; i < layer->count; i++) {
		const struct case_entry *entry = &layer->entries[i];

		has_end = entry->special == CASE_ZEROS || entry->special == CASE_CUT;
		if (entry->special == CASE_ZEROS)
			writer_add_zeros(out, entry->size);
		else if (entry->special == CASE_CUT)
			out->len -= entry->size < out->len ? entry->size : out->len;
		else
			add_extensions(out, entry);
		if (entry->special == CASE_ENTRY) {
			add_header(out, entry);
			add_body(out, entry);
		}
	}
	if (!has_end)
		writer_add_zeros(out, 2);
}
