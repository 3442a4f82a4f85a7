/* What is taken out of a driver's source: each file that may belong to a bundle is written to the
 * bundle's `data` the moment it is met, with its digest made beside; what turns out not to belong
 * is let go of afterwards. So every source is read once, front to back, whatever its form.
 *
 * Knows nothing of drivers but which names to let in (drivers/import/places.h).
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/report.h"
#include "base/stream.h"
#include "layers/body.h"
#include "layers/index.h"
#include "places.h"

/* A file as it was taken; all strings are the intake's. */
struct part {
	enum part_kind kind;
	const char *name; /* last component of path */
	const char *path; /* in the source, clean */
	const char *package_version; /* of the .deb it came in: "535.309.01"; NULL elsewhere */
	uint32_t mode;
	uint64_t size_bytes;
	struct digest digest;
	uint32_t body_crc32c;
	const struct extent *extents; /* extents[extent_count] in data */
	size_t extent_count;
};

/* A symlink of the source, by last components: "libcuda.so.1" → "libcuda.so.535.309.01". */
struct part_link {
	const char *name, *target;
};

struct intake {
	struct part *parts; /* parts[part_count], in the order they were met; owned */
	size_t part_count, part_capacity;
	struct part_link *links; /* links[link_count]; owned */
	size_t link_count, link_capacity;
	struct body_writer *bodies; /* owned */
	int data_fd; /* borrowed */
	char *buffer; /* owned */
	uint64_t taken_bytes;
	struct report *report; /* borrowed */
	struct arena arena;
};
#define INTAKE_NONE (struct intake){ .data_fd = -1 }

/* data_fd: an empty file, readable and writable, borrowed */
MUST_CHECK bool intake_open(struct intake *out, int data_fd, struct report *report,
			    struct err *err);
void intake_freep(struct intake *intake);

/* Take a file; part gives kind, path, package_version and mode, and is copied. A file of the same
 * kind, name and content as one before is taken once.
 * Errors: those of content; ERR_UNSUPPORTED  more files or bytes than a driver has */
MUST_CHECK bool intake_add(struct intake *intake, const struct part *part, struct stream *content,
			   struct err *err);
/* The same for bytes at hand; *index is the part's number. */
MUST_CHECK bool intake_add_bytes(struct intake *intake, const struct part *part,
				 struct view content, size_t *index, struct err *err);
/* One more name for a file that was taken before, by its path in the source.
 * Errors: ERR_FORMAT  there is no such file */
MUST_CHECK bool intake_add_again(struct intake *intake, const struct part *part,
				 const char *first_path, struct err *err);
MUST_CHECK bool intake_add_link(struct intake *intake, struct view name, struct view target,
				struct err *err);

/* After the last file: what is taken lies in data. */
MUST_CHECK bool intake_finish(struct intake *intake, uint64_t *data_bytes, struct err *err);

/* A part's content, readable once the intake is finished. */
struct part_map {
	void *base; /* NULL when the part is empty */
	size_t len;
};
MUST_CHECK bool part_map_open(struct part_map *out, const struct intake *intake,
			      const struct part *part, struct err *err);
void part_map_closep(struct part_map *map);

/* Give its room in data back, where the file system can. */
void intake_let_go(const struct intake *intake, const struct part *part);
