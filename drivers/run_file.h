/* The head of a self-extracting archive as makeself writes it, NVIDIA's .run among them: a shell
 * script with the payload behind it. Nothing of it is run: a few assignments are read. Foreign
 * bytes. Pure.
 *
 * NVIDIA's (makeself 1.6.0-nv) says skip=N for `tail -n +N`, makeself 2.x skip="N" for
 * `head -n N | wc -c`: line N is the payload's first or the script's last. Which one it is, the
 * payload's own magic tells.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct run_file {
	struct view payload; /* xz, zstd, gzip or plain tar */
	struct view label; /* "NVIDIA Accelerated Graphics Driver for Linux-x86_64 535.309.01" */
	struct view crc, md5; /* of the payload, as they stand there; empty when there is none */
};

/* Errors: ERR_FORMAT       not such a file, or no payload where it says
 *         ERR_UNSUPPORTED  a payload packed some other way */
MUST_CHECK bool run_file_parse(struct run_file *out, struct view file, struct err *err);

/* Errors: ERR_INTEGRITY  a checksum differs: damaged, or cut off */
MUST_CHECK bool run_file_check(const struct run_file *run, struct err *err);
