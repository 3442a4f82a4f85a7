#include "guest_kernel.h"

#include "base/cleanup.h"
#include "drivers/kernel/kernel_facts.h"

bool guest_kernel_open(struct kernel *out, struct store *store, const struct kernel_files *files,
		       struct report *report, struct err *err)
{
	CLEANUP(fd_closep) int dir_fd = -1;

	return store_open_kernels(store, &dir_fd, err) &&
	       kernel_facts_open(out, dir_fd, files, report, err);
}
