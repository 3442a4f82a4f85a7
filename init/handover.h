/* The initrd's half of the job: from the kernel to the root's own init. */
#pragma once

#include "base/err.h"

/* Returns only on failure. */
bool handover_run(struct err *err);
