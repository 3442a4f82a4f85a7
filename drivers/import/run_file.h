/* The head of a self-extracting archive as makeself writes it, NVIDIA's .run among them: a shell
 * script with the payload behind it. Nothing of it is run: a few assignments are read. Foreign
 * bytes. Pure.
 *
 * NVIDIA's (makeself 1.6.0-nv) says skip=N for `tail -n +N`, makeself 2.x skip="N" for
 * `head -n N | wc -c`: line N is the payload's first or the script's last. Which one it is, the
 * payload's own magic tells. Between NVIDIA's script and its payload stands a decompressor, bytes
 * of any kind that are counted as lines too.
 * Checksums are over the payload in makeself 2.x. NVIDIA's are over all from the script's fourth
 * line on (up to release 304 its sixth), as its own `tail -n +4 $0 | cksum` says.
 * Source: makeself.sh of NVIDIA's releases 304, 390 and 440, which lies in each .run
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct run_file {
	struct view payload; /* a tar, plain or packed */
	struct view summed; /* what crc and md5 are of */
	struct view label; /* "NVIDIA Accelerated Graphics Driver for Linux-x86_64 535.309.01" */
	struct view crc, md5; /* as they stand there; empty when there is none */
};

/* Errors: ERR_FORMAT       not such a file, or no payload where it says
 *         ERR_UNSUPPORTED  a payload packed some other way */
MUST_CHECK bool run_file_parse(struct run_file *out, struct view file, struct err *err);

/* Errors: ERR_INTEGRITY  a checksum differs: damaged, or cut off */
MUST_CHECK bool run_file_check(const struct run_file *run, struct err *err);
