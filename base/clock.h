/* A clock to measure time with: it only runs forwards, whatever is set. */
#pragma once

#include <stdint.h>

/* Milliseconds since some moment in the past. */
int64_t clock_now_ms(void);
