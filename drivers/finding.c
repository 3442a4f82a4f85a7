#include "finding.h"

#include <stdarg.h>
#include <stdlib.h>

static const char *const rule_ids[RULE_COUNT] = {
	[RULE_KERNEL_RELEASE] = "kernel-release",
	[RULE_VERMAGIC] = "vermagic",
	[RULE_MODVERSIONS_CRC] = "modversions-crc",
	[RULE_UNDEFINED_SYMBOL] = "undefined-symbol",
	[RULE_MODULE_SIGNATURE] = "module-signature",
	[RULE_MODULE_COMPRESSION] = "module-compression",
	[RULE_MODULE_DEPENDS] = "module-depends",
	[RULE_KERNEL_CONFIG] = "kernel-config",
	[RULE_MODULE_DEBUG] = "module-debug",
	[RULE_FIRMWARE_MISSING] = "firmware-missing",
	[RULE_FIRMWARE_VERSION] = "firmware-version",
	[RULE_USERSPACE_VERSION] = "userspace-version",
	[RULE_FABRICMANAGER_VERSION] = "fabricmanager-version",
	[RULE_LICENCE_MISSING] = "licence-missing",
	[RULE_DIGEST_MISMATCH] = "digest-mismatch",
	[RULE_GPU_UNSUPPORTED] = "gpu-unsupported",
	[RULE_GPU_FLAVOR] = "gpu-flavor",
	[RULE_GPU_LEGACY_BRANCH] = "gpu-legacy-branch",
	[RULE_DRIVER_MISSING] = "driver-missing",
	[RULE_REQUIRE_CUDA] = "require-cuda",
	[RULE_REQUIRE_UNKNOWN] = "require-unknown",
	[RULE_COMPAT_SHADOW] = "compat-shadow",
	[RULE_COMPAT_NEEDED] = "compat-needed",
	[RULE_LIBC_MISMATCH] = "libc-mismatch",
	[RULE_GLIBC_TOO_OLD] = "glibc-too-old",
	[RULE_NEEDED_MISSING] = "needed-missing",
	[RULE_LEFTOVER_ZERO_BYTE] = "leftover-zero-byte",
	[RULE_LEFTOVER_FOREIGN] = "leftover-foreign",
	[RULE_STUB_IN_PATH] = "stub-in-path",
};

static const char *const severity_names[] = {
	[SEVERITY_UNKNOWN] = "unknown",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
};

void finding_list_freep(struct finding_list *list)
{
	free(list->items);
	arena_freep(&list->arena);
	*list = (struct finding_list){ 0 };
}

bool finding_add(struct finding_list *list, enum rule rule, enum severity severity,
		 struct err *err, const char *format, ...)
{
	char sentence[1024];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (len < 0)
		return err_set(err, ERR_INTERNAL, "a format that printf refuses: %s", format);
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct finding *items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return err_memory(err, "a list of findings");
		list->items = items;
		list->capacity = capacity;
	}
	char *copy = arena_copy(&list->arena, sentence, strlen(sentence));

	if (!copy)
		return err_memory(err, "a list of findings");
	list->items[list->count++] = (struct finding){ rule, severity, copy };
	return true;
}

const char *rule_id(enum rule rule)
{
	return rule_ids[rule];
}

const char *severity_name(enum severity severity)
{
	return severity_names[severity];
}

size_t finding_count(const struct finding_list *list, enum severity severity)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->items[i].severity == severity;
	return count;
}
