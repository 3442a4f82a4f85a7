/* What a check found: rows with a stable rule id, for people and for --json alike.
 *
 * The ids are part of the interface (DESIGN.md §6, exit 10): they are never renamed.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum rule {
	/* kernel and modules */
	RULE_KERNEL_RELEASE,
	RULE_VERMAGIC,
	RULE_MODVERSIONS_CRC,
	RULE_UNDEFINED_SYMBOL,
	RULE_MODULE_SIGNATURE,
	RULE_MODULE_COMPRESSION,
	RULE_MODULE_DEPENDS,
	RULE_KERNEL_CONFIG,
	RULE_MODULE_DEBUG, /* a warning: it is larger and slower than it need be */
	/* the driver in itself: one version throughout */
	RULE_FIRMWARE_MISSING,
	RULE_FIRMWARE_VERSION,
	RULE_USERSPACE_VERSION,
	RULE_FABRICMANAGER_VERSION,
	RULE_LICENCE_MISSING,
	RULE_DIGEST_MISMATCH,
	/* driver and GPU */
	RULE_GPU_UNSUPPORTED,
	RULE_GPU_FLAVOR,
	RULE_GPU_LEGACY_BRANCH,
	/* driver and image */
	RULE_DRIVER_MISSING, /* the image asks for a GPU and has none */
	RULE_REQUIRE_CUDA, /* any NVIDIA_REQUIRE_* that is not satisfied */
	RULE_REQUIRE_UNKNOWN, /* one that depends on the GPU */
	RULE_COMPAT_SHADOW,
	RULE_COMPAT_NEEDED,
	RULE_LIBC_MISMATCH,
	RULE_GLIBC_TOO_OLD,
	RULE_NEEDED_MISSING,
	RULE_LEFTOVER_ZERO_BYTE,
	RULE_LEFTOVER_FOREIGN,
	RULE_STUB_IN_PATH,
	RULE_COUNT,
};

enum severity {
	SEVERITY_UNKNOWN, /* could not be checked; the sentence says what was lacking */
	SEVERITY_WARNING,
	SEVERITY_ERROR, /* it will not work */
};

struct finding {
	enum rule rule;
	enum severity severity;
	const char *sentence; /* names both sides of what was compared; the list's own */
};

struct finding_list {
	struct finding *items; /* items[count] in the order of the checks; owned */
	size_t count, capacity;
	struct arena arena;
};
void finding_list_freep(struct finding_list *list);

MUST_CHECK bool finding_add(struct finding_list *list, enum rule rule, enum severity severity,
			    struct err *err, const char *format, ...) PRINTF(5, 6);

/* "kernel-release", … and "unknown", "warning", "error". */
const char *rule_id(enum rule rule);
const char *severity_name(enum severity severity);

size_t finding_count(const struct finding_list *list, enum severity severity);
