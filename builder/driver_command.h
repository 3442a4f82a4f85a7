/* vmbake driver import | list | inspect | rm: each does its work and prints what came of it, for
 * people or, as_json, as one JSON object.
 */
#pragma once

#include "driver_store.h"
#include "drivers/import/import.h"

/* Errors: those of driver_import; findings are printed also then. No module_dirs: ERR_USAGE. */
MUST_CHECK bool driver_command_import(struct store *store, const struct import_request *request,
				      bool as_json, struct err *err);
MUST_CHECK bool driver_command_list(struct store *store, bool as_json, struct err *err);
/* given: as driver_store_find takes it */
MUST_CHECK bool driver_command_inspect(struct store *store, const char *given, bool as_json,
				       struct err *err);
/* All are looked up before the first is removed. */
MUST_CHECK bool driver_command_rm(struct store *store, const char *const *given, size_t count,
				  bool as_json, struct err *err);

/* Findings as a JSON array: [{"rule":…,"severity":…,"message":…}]. Owned. */
struct json_t *driver_findings_json(const struct finding_list *findings);
