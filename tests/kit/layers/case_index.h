/* One layer of a case as an index, in memory: what layer_pack makes of its tar, without the tar. */
#pragma once

#include "base/bytes.h"
#include "case_file.h"
#include "layers/index.h"

/* bytes: owned by the caller; index points into it. Ends the program where layer_pack would refuse
 * the entry. */
void case_index(struct bytes *bytes, struct index *index, const struct case_list *layer);
