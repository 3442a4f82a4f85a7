/* /etc/hostname, /etc/hosts and /etc/resolv.conf, which docker too puts over what an image has. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "init/contract/settings.h"

/* Write those that settings speak of, and /etc/hosts when the image's is missing or empty. In a
 * read-only root they are bound over the image's own. Failures are told on the console: a machine
 * without a resolv.conf can still say why. */
void etc_files_make(const struct settings *settings);

/* Pure parts: the files' text. */
MUST_CHECK bool etc_hosts_print(struct bytes *out, const struct settings *settings,
				struct err *err);
MUST_CHECK bool etc_resolv_print(struct bytes *out, const struct settings *settings,
				 struct err *err);
