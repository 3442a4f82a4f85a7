/* The layer that vmbake itself puts on top of an image: /.vmbake with the init, its configuration
 * and where the image came from, and what a machine mounts things on: folders, and empty files in
 * /etc.
 */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "init/contract/boot_config.h"
#include "layers/synthetic.h"
#include "layers/tree.h"

struct guest_layer_content {
	const struct boot_config *config; /* becomes /.vmbake/boot.json */
	struct view image_json; /* becomes /.vmbake/image.json */
	struct view driver_json; /* becomes /.vmbake/driver.json; ptr NULL: no driver, no file */
	const char *architecture; /* as OCI says it, "amd64" */
};

/* tree:         the merged image, to see which folders it lacks; what is there is left alone,
 *               except that /.vmbake becomes ours as a whole
 * time_seconds: mtime of all entries
 * Errors: ERR_UNSUPPORTED  no init for that architecture, a configuration over its cap
 *         ERR_IO, ERR_SPACE */
MUST_CHECK bool guest_layer_make(struct synthetic_layer *out, const struct tree *tree,
				 const struct guest_layer_content *content, int64_t time_seconds,
				 struct err *err);

/* What of this program ends up in an image besides the configuration: the init.
 * Errors: ERR_UNSUPPORTED  no init for that architecture */
MUST_CHECK bool guest_layer_init_digest(struct digest *out, const char *architecture,
					struct err *err);
