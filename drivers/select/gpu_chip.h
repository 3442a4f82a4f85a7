/* Which chip a PCI device id stands for, and what follows from it: architecture, compute
 * capability, and which kernel modules can drive it. Pure: tables only.
 *
 * What the tables do not know stays unknown; a driver's own supported-gpus list knows better.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

enum chip_architecture {
	CHIP_UNKNOWN,
	CHIP_KEPLER,
	CHIP_MAXWELL,
	CHIP_PASCAL,
	CHIP_VOLTA,
	CHIP_TURING,
	CHIP_AMPERE,
	CHIP_ADA,
	CHIP_HOPPER,
	CHIP_BLACKWELL,
	CHIP_ARCHITECTURE_COUNT,
};

struct gpu_chip {
	uint16_t device; /* PCI device id; vendor is 10de */
	enum chip_architecture architecture;
	const char *compute; /* "9.0"; NULL: unknown */
	unsigned first_branch; /* of drivers that know it, 570; 0: unknown */
	unsigned last_branch; /* 580; 0: none has dropped it */
	bool needs_open; /* only the open kernel modules drive it */
	bool refuses_open; /* they do not: it has no GSP */
};

struct gpu_chip gpu_chip_of(uint16_t device);

/* "10de:2330", in hex digits of either case.
 * Errors: ERR_USAGE        another form
 *         ERR_UNSUPPORTED  another vendor */
MUST_CHECK bool gpu_chip_parse(struct gpu_chip *out, struct view text, struct err *err);

const char *chip_architecture_name(enum chip_architecture architecture); /* "hopper" */

/* The brand that NVML gives a product of that name ("NVIDIA GeForce RTX 4090" → "geforcertx"), for
 * predicates on brand; NULL: the name does not tell. */
const char *gpu_chip_brand(const char *product_name);
