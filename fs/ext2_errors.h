/* Texts for libext2fs's error codes, asked for before the library is used: from any thread, as
 * often as one likes. The library itself is not made for two threads that ask at once. */
#pragma once

void ext2_errors_load(void);
