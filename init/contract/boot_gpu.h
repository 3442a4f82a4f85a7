/* The part of boot.json that speaks of the GPU; parse and print are each other's inverse. */
#pragma once

#include "base/json.h"
#include "boot_config.h"

/* All memory comes from the arena. Errors: ERR_FORMAT, with the key named; ERR_UNSUPPORTED past a
 * cap */
MUST_CHECK bool boot_gpu_read(struct arena *arena, const struct json_t *document,
			      struct boot_gpu *out, struct err *err);
struct json_t *boot_gpu_json(const struct boot_gpu *gpu);
