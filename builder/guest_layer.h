/* The layer that vmbake itself puts on top of an image: /.vmbake with the init, its configuration
 * and where the image came from, and what a machine mounts things on: folders, and empty files in
 * /etc.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "init/boot_config.h"
#include "layers/index.h"
#include "layers/tree.h"

struct guest_layer {
	struct index index; /* in index_bytes; as if it came from a stored layer */
	struct bytes index_bytes; /* owned */
	int data_fd; /* owned: the bodies, in memory */
};
#define GUEST_LAYER_NONE (struct guest_layer){ .data_fd = -1 }

/* tree:         the merged image, to see which folders it lacks; what is there is left alone,
 *               except that /.vmbake becomes ours as a whole
 * image_json:   becomes /.vmbake/image.json
 * architecture: as OCI says it, "amd64"
 * time_seconds: mtime of all entries
 * Errors: ERR_UNSUPPORTED  no init for that architecture, a configuration over its cap
 *         ERR_IO, ERR_SPACE */
MUST_CHECK bool guest_layer_make(struct guest_layer *out, const struct tree *tree,
				 const struct boot_config *config, struct view image_json,
				 const char *architecture, int64_t time_seconds, struct err *err);
void guest_layer_freep(struct guest_layer *layer);

/* What of this program ends up in an image besides the configuration: the init.
 * Errors: ERR_UNSUPPORTED  no init for that architecture */
MUST_CHECK bool guest_layer_init_digest(struct digest *out, const char *architecture,
					struct err *err);
