/* The injected files, each read once, by several threads: content against digest, and what the
 * later rules need of it. Part of verify. */
#pragma once

#include "drivers/elf/elf_mark.h"
#include "verify.h"

struct injected {
	const char *path; /* absolute */
	const struct bundle_file *file; /* NULL: a kernel module */
	struct digest wanted;
	uint64_t size_bytes;
	uint32_t inode; /* TREE_NONE: it is not there */
	bool is_same; /* as the record says */
	bool is_elf;
	char firmware_version[FIRMWARE_VERSION_BYTES_MAX + 1]; /* its own; "" when it has none */
	bool names_version; /* the driver's version stands in it: asked of programs only */
};

struct injected_list {
	struct injected *items; /* items[count]; owned */
	size_t count;
};
void injected_list_freep(struct injected_list *list);

/* Read all, and add what differs (rule digest-mismatch). */
MUST_CHECK bool verify_files(struct injected_list *out, struct finding_list *findings,
			     const struct verify_subject *subject, struct err *err);

/* The driver's parts against its version: libraries, firmware, programs, licence. */
MUST_CHECK bool verify_versions(struct finding_list *findings,
				const struct verify_subject *subject,
				const struct injected_list *files, struct err *err);
