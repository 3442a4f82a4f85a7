/* The chosen driver becomes part of an image: placed on top of its layers, told to the guest, and
 * checked there before a byte is written. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/report.h"
#include "driver_choice.h"
#include "drivers/place/place.h"
#include "image_root.h"

struct driver_layers {
	struct placement placement; /* owned; its layers are part of the root's tree */
	struct bytes record; /* owned: /.vmbake/driver.json */
	struct finding_list findings; /* owned: of placing and verifying; warnings, after success */
	bool is_placed;
};
#define DRIVER_LAYERS_NONE \
	(struct driver_layers){ .record = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX) }
void driver_layers_freep(struct driver_layers *layers);

/* Nothing happens when no driver was chosen.
 * root:   merged; gets the driver's layers
 * Errors: ERR_MISMATCH  what layers->findings says, kept also then */
MUST_CHECK bool driver_layers_add(struct driver_layers *layers, struct image_root *root,
				  const struct driver_choice *choice, int64_t time_seconds,
				  struct report *report, struct err *err);

/* What was found out about drivers: the one that is in the image, findings, and each bundle that
 * was looked at; owned. NULL: none was. */
struct json_t *driver_layers_json(const struct driver_layers *layers,
				  const struct driver_choice *choice);

/* All rules of vmbake verify, on the tree as it will be.
 * boot:   what the guest will be told, the driver's part included
 * Errors: ERR_MISMATCH  as above */
MUST_CHECK bool driver_layers_verify(struct driver_layers *layers, const struct image_root *root,
				     const struct driver_choice *choice,
				     const struct boot_config *boot, unsigned jobs,
				     struct report *report, struct err *err);
