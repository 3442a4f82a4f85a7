/* What the kernel logs from a moment on: the reason behind an error number. */
#pragma once

#include "base/bytes.h"

/* A place in the log: its present end. -1 when there is no log to read. */
int kernel_log_mark(void);

/* All lines logged since the mark, one message a line, appended to out up to its cap. */
void kernel_log_read(int fd, struct bytes *out);

/* Append the message of a /dev/kmsg record ("prio,seq,time,flag[,…];text\n KEY=value\n…") as one
 * line. Where it has several lines they come escaped, and NVIDIA's driver, which breaks its
 * sentences anywhere, starts each with "NVRM:": they become one sentence. Pure.
 * Source: Documentation/ABI/testing/dev-kmsg */
MUST_CHECK bool kernel_log_add(struct bytes *out, struct view record, struct err *err);
