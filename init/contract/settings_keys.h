/* The names of machine settings, and one setting as it is spelled on a kernel command line, for the
 * guest that reads them and the host that makes them. Pure.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/view.h"

struct json_t;

/* In front of each on a kernel command line. */
#define SETTINGS_PREFIX "vmbake."

/* Those that either side names by itself; all there are stand in settings.schema.json. */
#define SETTING_CMD "cmd"
#define SETTING_ENTRYPOINT "entrypoint"
#define SETTING_ENV "env"
#define SETTING_HOSTNAME "hostname"
#define SETTING_OVERLAY "overlay"
#define SETTING_REPORT_PORT "report-port"
#define SETTING_REPORT_VSOCK_PORT "report-vsock-port"
#define SETTING_TERMINAL "terminal"
#define SETTING_USER "user"
#define SETTING_WORKDIR "workdir"

/* Put KEY, or KEY.NAME for one member of an object, into the document; what was there is replaced.
 * value:  a value that starts with '[' or '{' is JSON, lists may be given with commas, flags as on
 *         and off; ptr NULL: none was given, which switches a flag on
 * A key that is no setting is put all the same, as text, so that it can be told.
 * Errors: ERR_FORMAT  a value that the key cannot have; the key is named */
MUST_CHECK bool settings_put(struct json_t *document, struct view name, struct view value,
			     struct err *err);

/* The first key of the document that is none of ours, NULL when all are known. */
const char *settings_unknown_key(const struct json_t *document, void **position);
size_t settings_key_count(void);
