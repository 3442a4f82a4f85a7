/* How a machine ended, as the guest tells it to the host: one JSON line on a port, and lines for
 * people on the console. Pure. exit_record_json and exit_record_parse are each other's inverse; to
 * the host the line is foreign.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

struct json_t;

struct ending {
	bool was_signaled;
	int code; /* exit code, or signal number */
};

struct exit_gpu {
	const char *verdict; /* "not-asked", "absent", "ready", "failed" */
	uint64_t gpu_count, unknown_count;
	unsigned code; /* of a failure (enum gpu_failure, init/gpu_verdict.h); 0: none */
	const char *symptom, *hint; /* NULL without code */
	bool is_drain;
};

struct exit_record {
	struct ending ending;
	bool had_oom_kill;
	const char *failure; /* why the entrypoint never ran, or NULL */
	struct exit_gpu gpu;
	struct arena arena; /* owned; empty in the guest */
};
void exit_record_freep(struct exit_record *record);

/* {"vmbake-exit":1,"code":N or "signal":N,"oom-killed":…,"failure":…,"gpu":{…}}; owned. */
struct json_t *exit_record_json(const struct exit_record *record);
/* What else is in the line is passed over. Errors: ERR_FORMAT */
MUST_CHECK bool exit_record_parse(struct exit_record *out, struct view line, struct err *err);

/* The console's lines. What the entrypoint prints may look like them: the last one counts. */
#define CONSOLE_PREFIX "vmbake: "
#define CONSOLE_EXIT_CODE "exited code="
#define CONSOLE_EXIT_SIGNAL "exited signal="
#define CONSOLE_FAILURE "failed: "

/* line: without its end. True: it says how the entrypoint ended. */
bool exit_line_parse(struct ending *out, struct view line);
/* What stands behind "vmbake: failed: "; ptr NULL: it is no such line. */
struct view failure_line_parse(struct view line);
