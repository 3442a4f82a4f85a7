/* vmbake build: an image reference becomes an ext4 file. The whole way, in order. */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/report.h"
#include "fs/image.h"
#include "fs/verity.h"
#include "layers/memory.h"
#include "oci/image.h"
#include "options.h"

struct json_t;

/* Where the time went, in milliseconds of wall time. */
struct build_times {
	uint64_t resolve_ms, unpack_ms, merge_ms, write_ms, commit_ms;
};

struct build_result {
	char path[PATH_MAX]; /* of the ext4 file */
	struct digest key; /* over everything that decides its bytes */
	struct image image; /* owned: what it was made of */
	struct image_facts facts; /* of the finished file system */
	struct verity verity; /* with has_verity */
	struct image_result written; /* zeros when is_cached */
	size_t fetched_layers; /* that the store did not have */
	bool has_verity; /* a dm-verity tree is behind the file system */
	bool is_cached; /* the store had the whole image */
	struct build_times times;
};
#define BUILD_RESULT_NONE (struct build_result){ 0 }
void build_result_freep(struct build_result *result);

/* What builds share that are made by threads side by side. */
struct build_share {
	struct memory memory; /* made for the layers of all of them */
	pthread_mutex_t ext4; /* held in libext2fs: the zeros for all its images are one buffer,
			       * which closing any of them frees (ext2fs_zero_blocks2) */
};
void build_share_init(struct build_share *share, unsigned layer_count);
void build_share_closep(struct build_share *share);

/* What can be known to be wrong of the options, and of the image's name in operands[0], before
 * anything is opened, made or fetched; build_image looks first as well.
 * Errors: ERR_USAGE, and those of reference_parse */
MUST_CHECK bool build_check(const struct options *options, struct err *err);

/* driver: what was found out about drivers, for --json; owned. Written also after a failure, which
 *         it may explain; NULL when none was looked at.
 * share:  with other builds at the same time; NULL: there are none
 * Errors: any; on failure there is no output file and the store is as whole as before */
MUST_CHECK bool build_image(struct build_result *out, struct json_t **driver,
			    const struct options *options, struct build_share *share,
			    struct report *report, struct err *err);
