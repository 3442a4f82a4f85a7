/* The checksums that self-extracting archives carry in their header: POSIX cksum and MD5.
 *
 * They tell a damaged download from a whole one and nothing more: no trust hangs on them. Pure.
 */
#pragma once

#include <stdint.h>

#include "err.h"
#include "view.h"

/* As cksum(1) prints it: CRC-32 of polynomial 0x04C11DB7, high bit first, the length behind it. */
uint32_t checksum_posix(struct view bytes);

/* 32 lower-case hex digits and a NUL.   Errors: ERR_INTERNAL  an OpenSSL without MD5 */
enum { CHECKSUM_MD5_BYTES = 33 };
MUST_CHECK bool checksum_md5(struct view bytes, char out[CHECKSUM_MD5_BYTES], struct err *err);
