/* The user's terminal while its keys go to the guest: they come as they are typed, and what comes
 * from the guest's own terminal is not echoed twice. */
#pragma once

#include <termios.h>

#include "base/err.h"

struct raw_terminal {
	int fd; /* borrowed; -1: nothing to put back */
	struct termios before;
};
#define RAW_TERMINAL_NONE (struct raw_terminal){ .fd = -1 }

/* Errors: ERR_USAGE  the descriptor is no terminal */
MUST_CHECK bool raw_terminal_open(struct raw_terminal *out, int fd, struct err *err);
void raw_terminal_closep(struct raw_terminal *terminal);
