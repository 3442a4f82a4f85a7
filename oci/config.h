/* An image's config: the JSON blob that a manifest points at, made into the struct that builder/
 * reads. Pure: no I/O.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "image.h"
#include "manifest.h"

/* Fill image's platform, config and the layers' diff_ids; image->layers is there already.
 * fallback: the platform an index gave, for configs that name none; NULL: none
 * Errors: ERR_FORMAT  malformed; as many diff_ids as layers are needed
 * Source: OCI image-spec config.md; Docker image spec v1.2 */
MUST_CHECK bool config_read(struct image *image, struct view text, const struct platform *fallback,
			    struct err *err);
