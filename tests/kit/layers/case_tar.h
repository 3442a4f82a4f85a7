/* One layer of a case as a tar. What a header cannot say goes into PAX records, or into GNU's own
 * forms where the entry asks for them. */
#pragma once

#include "base/bytes.h"
#include "case_file.h"

/* Appended to out, with two zero blocks at the end unless the layer says otherwise. */
void case_tar(struct bytes *out, const struct case_list *layer);
