/* The way to a running guest beside its console: its exit report comes in, the request to stop goes
 * out. With QEMU both go over a virtio-serial port, as a socket; Cloud Hypervisor and Firecracker
 * have a vsock for the report, and an API that presses the power button or Ctrl-Alt-Del.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "init/contract/exit_record.h"
#include "vmm.h"

struct guest_link {
	const struct machine *machine; /* borrowed */
	int listen_fd; /* for the report over vsock */
	int report_fd; /* connected; -1: not yet, or no more */
	int api_fd; /* while a request is under way: a VMM may drop what is closed too early */
	bool is_over; /* the report's other end is gone */
	bool is_stop_wanted; /* to be sent once there is a connection */
	struct bytes heard;
};
#define GUEST_LINK_NONE \
	(struct guest_link){ .listen_fd = -1, .report_fd = -1, .api_fd = -1, \
			     .heard = bytes_capped(256 << 10) }
void guest_link_closep(struct guest_link *link);

/* Before the VMM is started.
 * out:    starts as GUEST_LINK_NONE
 * Errors: ERR_UNSUPPORTED  a path too long for a socket */
MUST_CHECK bool guest_link_open(struct guest_link *out, const struct machine *machine,
				struct err *err);

/* The descriptor to poll for reading, or -1. */
int guest_link_fd(const struct guest_link *link);
/* Whether to try again soon, as the VMM has not made its socket yet. */
bool guest_link_is_coming(const struct guest_link *link);
/* Connect, accept, read: what can be done without waiting. */
void guest_link_work(struct guest_link *link);

/* Ask the guest to stop, now or as soon as it can be reached. One that cannot be reached at all has
 * to be killed after its time. */
void guest_link_stop(struct guest_link *link);

/* What is said for it: a line on QEMU's port, a request to the others' API. */
const char *guest_link_stop_text(enum vmm vmm);

/* The first line that is a whole report. *line: as it was heard; borrowed from link */
bool guest_link_report(const struct guest_link *link, struct exit_record *out, struct view *line);
