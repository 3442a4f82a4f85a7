/* The device nodes of the NVIDIA driver. It makes none itself, and an entrypoint that is not root
 * cannot make them later: so all that the driver tells of in /proc become nodes now. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "init/contract/boot_config.h"

enum { GPU_NODE_COUNT_MAX = 4096 };

struct gpu_nodes {
	struct boot_node *nodes; /* nodes[count], in the arena */
	size_t count;
	size_t gpu_count; /* how many of them are /dev/nvidiaN; these come first */
};

/* What the loaded driver says, as nodes with its own mode and owner (0666 root by default).
 * root_fd: where proc/ and sys/ are
 * Errors: ERR_IO, ERR_UNSUPPORTED (too many) */
MUST_CHECK bool gpu_nodes_list(struct gpu_nodes *out, int root_fd, struct arena *arena,
			       struct err *err);

/* /dev/char/MAJOR:MINOR for each, as udev would make: runc and systemd look there. */
MUST_CHECK bool gpu_nodes_link(const struct gpu_nodes *nodes, struct err *err);

/* Pure parts. The number before exactly that name among the character devices of /proc/devices;
 * false when it is not there. */
bool gpu_devices_major(struct view devices, const char *name, uint32_t *out);
/* The number behind "KEY:" in a "KEY: value" text; false when it is not there or no number. */
bool gpu_text_number(struct view text, const char *key, uint32_t *out);
