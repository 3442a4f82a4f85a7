/* A case: layers as text, and what they must amount to. tests/cases/layers/README.md has the form.
 *
 * Reads the text into entries, nothing more: case_tar.h makes tars of them, flat.h compares trees.
 * The text is ours, so a mistake in it ends the program with the line.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"
#include "layers/index.h"
#include "tar_writer.h"

enum {
	CASE_XATTRS_MAX = 8,
	CASE_RECORDS_MAX = 8,
	CASE_LAYERS_MAX = 160,
};

struct case_record {
	struct view key, value;
};

/* What stands in a layer that is no entry. */
enum case_special {
	CASE_ENTRY,
	CASE_GLOBAL, /* a global PAX header with records */
	CASE_ZEROS, /* size zero blocks */
	CASE_CUT, /* drop size bytes off the end of what is there */
};

struct case_entry {
	unsigned line;
	enum case_special special;
	enum entry_kind kind;
	struct view path, target; /* as they stand: raw in a layer, clean in a tree */
	uint32_t mode, uid, gid, rdev_major, rdev_minor;
	int64_t mtime_seconds;
	uint32_t mtime_ns;
	struct view body;
	uint64_t size; /* of body, or so many zeros */
	bool has_mode, has_uid, has_gid, has_mtime; /* a tree may leave them open */
	bool is_made; /* in a tree: a directory that no entry describes */
	enum writer_format format;
	enum writer_sum sum;
	char type; /* instead of the kind's own; -1: the kind's own */
	struct xattr xattrs[CASE_XATTRS_MAX]; /* xattrs[xattr_count] */
	size_t xattr_count;
	struct case_record records[CASE_RECORDS_MAX]; /* PAX, records[record_count] */
	size_t record_count;
};

struct case_list {
	struct case_entry *entries; /* owned by the case's arena; entries[count] */
	size_t count, capacity;
};

struct case_file {
	struct arena arena; /* owned */
	struct case_list layers[CASE_LAYERS_MAX]; /* layers[layer_count], lowest first */
	size_t layer_count;
	struct case_list tree;
	struct case_list notes; /* path: a part of a note that must have come */
	enum err_kind failure; /* ERR_NONE: a tree is expected */
	struct view failure_part; /* of the sentence */
};

/* text is borrowed by the case. name: for the sentence of a mistake. Aborts on one. */
void case_parse(struct case_file *out, struct view text, const char *name);
void case_freep(struct case_file *file);
