/* One thing leaves the store: not while a process makes it or has it open, and so that its name is
 * gone at once. Killed at any point, this leaves the thing whole or a draft that the next process
 * clears.
 */
#pragma once

#include "base/err.h"
#include "builder/store.h"
#include "thing.h"

enum removal {
	REMOVAL_DONE, /* or was gone already */
	REMOVAL_BUSY, /* a process makes it or has it open: left alone */
};

enum removal_mode {
	REMOVAL_TRIAL, /* only find out which it would be; nothing changes */
	REMOVAL_OF_UNUSED,
	REMOVAL_OF_DAMAGED, /* also when it is open: who has it open keeps what he has */
};

/* store: opened as it is, for it to wait for nobody
 * Errors: ERR_IO */
MUST_CHECK bool removal_try(struct store *store, const struct thing *thing, enum removal_mode mode,
			    enum removal *out, struct err *err);
