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

bool guest_kernel_open_named(struct kernel *out, const struct options *options,
			     struct report *report, struct err *err)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	const struct kernel_files files = { .kernel = options->driver.kernel,
					    .config = options->driver.kernel_config };
	struct err why = { 0 };

	if (store_open(&store, options->store, options_lock_timeout_ms(options), &why))
		return guest_kernel_open(out, &store, &files, report, err);
	return kernel_open(out, &files, err);
}
