/* What an image's config says about its process, made ready for the guest: names become numbers,
 * looked up in the image's own files, at build and not at boot. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "init/contract/boot_config.h"
#include "layers/tree.h"
#include "oci/image.h"

struct process_config {
	struct boot_config boot; /* its strings are borrowed from the image and from the arena */
	struct arena arena; /* owned */
};

/* config must outlive out. data_fds as in layers/content.h.
 * Errors: ERR_FORMAT  a user or group that the image does not know, a stop signal that is none */
MUST_CHECK bool process_config_make(struct process_config *out, const struct image_config *config,
				    const struct tree *tree, const int *data_fds, struct err *err);
void process_config_freep(struct process_config *process);

/* "SIGTERM", "TERM", "15", "SIGRTMIN+3" → 1 to 64; NULL or "" is SIGTERM, as docker has it. */
MUST_CHECK bool process_stop_signal(const char *text, unsigned *out, struct err *err);
