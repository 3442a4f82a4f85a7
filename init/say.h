/* What the guest says on the console: one line a sentence, "vmbake: …". */
#pragma once

#include "base/err.h"

/* Written whole, in one call, to stderr, which is the console. */
void say(const char *format, ...) PRINTF(1, 2);
