/* Device nodes that no driver makes for itself. */
#pragma once

#include "base/err.h"
#include "init/contract/boot_config.h"

/* Make them with owner and mode, and the folders on the way. One that is there is replaced. */
MUST_CHECK bool nodes_make(const struct boot_node *nodes, size_t count, struct err *err);
