/* The exit report for machines: one JSON line on a virtio-serial port or a vsock connection, beside
 * the line for people on the console. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "ending.h"
#include "gpu_verdict.h"
#include "stages.h"

struct exit_report {
	const struct ending *ending;
	const char *failure; /* why the entrypoint never ran, or NULL */
	bool had_oom_kill;
	const struct gpu_verdict *gpu;
	const struct stages *stages;
};

/* {"vmbake-exit":1,"code":N or "signal":N,"oom-killed":…,"failure":…,"gpu":{…},"stages-us":{…}} and
 * a newline. Pure. */
MUST_CHECK bool exit_report_print(struct bytes *out, const struct exit_report *report,
				  struct err *err);

/* The port of that name, for requests to come in and the report to go out; -1 when there is none,
 * which is told. */
int exit_channel_open(int root_fd, const char *port_name);

/* Send over the open port (-1: not), and to port vsock_port of the host (0: not). Waits no longer
 * than 2 seconds for a host that does not read. What fails is told on the console. */
void exit_report_send(int port_fd, uint32_t vsock_port, struct view line);
