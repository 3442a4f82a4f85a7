/* NVIDIA's fabric manager: the one foreign daemon that init runs, and only on machines with an
 * NVSwitch, whose links carry nothing until it has set them up. */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "init/contract/boot_config.h"

enum fabric_mode {
	FABRIC_OF_THIS_MACHINE = 0, /* GPUs and switches are all here */
	FABRIC_OF_OTHERS = 1, /* switches only: a service machine for those that have the GPUs */
};

#define FABRIC_MANAGER_CONFIG_PATH "/run/vmbake/fabricmanager.cfg"
#define FABRIC_MANAGER_LOG_PATH "/run/vmbake/fabricmanager.log"

/* Start it with the baked configuration, in the foreground and with what it writes below
 * /run/vmbake (the root may be read-only), and wait until it says that it is ready. One that stays
 * silent is told on the console and no failure: its words change with its version.
 * Errors: ERR_IO  it does not start, or has ended by then */
MUST_CHECK bool fabric_manager_start(pid_t *pid, const struct boot_fabric_manager *baked,
				     enum fabric_mode mode, uint32_t timeout_seconds,
				     struct err *err);

/* Pure parts. The baked configuration ("KEY=VALUE" lines and comments), with our values. */
MUST_CHECK bool fabric_manager_config(struct bytes *out, struct view baked, enum fabric_mode mode,
				      struct err *err);
bool fabric_manager_is_ready(struct view log);
