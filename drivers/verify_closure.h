/* Will the loader find all that the driver's libraries and programs need, in the versions that they
 * need? Asked of the final tree as the image's own loader would look: RPATH and RUNPATH, its cache,
 * then the folders it has built in. Part of verify. */
#pragma once

#include "verify_files.h"

MUST_CHECK bool verify_closure(struct finding_list *findings, const struct verify_subject *subject,
			       const struct injected_list *files, struct err *err);
