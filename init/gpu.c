#include "gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fabric_manager.h"
#include "gpu_nodes.h"
#include "gpu_open.h"
#include "gpu_require.h"
#include "gpu_scan.h"
#include "kernel_log.h"
#include "modules.h"
#include "nodes.h"
#include "say.h"

enum {
	LOG_BYTES_MAX = 1 << 20,
	CMDLINE_BYTES_MAX = 128 << 10,
};

/* What is under way; a step that fails says which row of the table it is, or leaves it to the
 * kernel's log. */
struct attempt {
	const struct gpu_request *request;
	enum gpu_failure failure;
};

static enum gpu_policy policy_of(const struct gpu_request *request)
{
	return request->settings->has_gpu_policy ? request->settings->gpu_policy :
						   request->boot->policy;
}

/* What can be known before the driver is loaded. */
MUST_CHECK static bool check_bus(struct attempt *attempt, const struct gpu_scan *scan,
				 struct err *err)
{
	for (size_t i = 0; i < scan->count; i++) {
		const struct gpu_device *device = &scan->devices[i];

		if (device->driver[0] != '\0' && strncmp(device->driver, "nvidia", 6) != 0) {
			attempt->failure = GPU_FAILURE_OTHER_DRIVER;
			return err_set(err, ERR_MISMATCH, "GPU %s is taken by %s", device->address,
				       device->driver);
		}
		if (device->is_unmapped) {
			attempt->failure = GPU_FAILURE_BAR;
			return err_set(err, ERR_MISMATCH, "GPU %s: BAR0 or BAR1 has no address",
				       device->address);
		}
	}
	return true;
}

MUST_CHECK static bool check_requirements(struct attempt *attempt, const struct gpu_scan *scan,
					  size_t *unknown_count, struct err *err)
{
	attempt->failure = GPU_FAILURE_REQUIREMENT;
	return attempt->request->ignores_requirements ||
	       gpu_require(unknown_count, attempt->request->boot, scan, err);
}

/* In order, to the first that fails: nvidia-uvm after a failed nvidia would only add a misleading
 * complaint about symbols. A GPU whose links lead nowhere would wait for a fabric that never comes
 * up, and CUDA say 802; the command line's parameters come later and win. */
MUST_CHECK static bool load(struct attempt *attempt, const struct gpu_scan *scan, struct err *err)
{
	static const char no_link[] = "nvidia.NVreg_NvLinkDisable=1 ";
	CLEANUP(modules_closep) struct modules modules = { 0 };
	CLEANUP(bytes_freep) struct bytes cmdline = bytes_capped(CMDLINE_BYTES_MAX);
	bool is_alone = scan->count == 1 && scan->gpu_count == 1;
	struct view given = attempt->request->cmdline;

	attempt->failure = GPU_FAILURE_MODULE;
	return (!is_alone || bytes_append(&cmdline, no_link, strlen(no_link), err)) &&
	       bytes_append(&cmdline, given.ptr, given.len, err) &&
	       modules_open(&modules, &attempt->request->boot->modules, bytes_view(&cmdline),
			    err) &&
	       modules_load_all(&modules, err);
}

MUST_CHECK static bool check_version(struct attempt *attempt, struct err *err)
{
	const char *wanted = attempt->request->boot->version;
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(4096);

	attempt->failure = GPU_FAILURE_VERSION;
	if (!wanted)
		return true;
	if (!file_slurp(&text, attempt->request->root_fd, "sys/module/nvidia/version", err))
		return false;
	struct view loaded = view_trim(bytes_view(&text));

	return view_equal(loaded, wanted) ||
	       err_set(err, ERR_MISMATCH, "driver %.*s is loaded, and %s was baked",
		       VIEW_ARGS(loaded), wanted);
}

/* CUDA says 999 when this fails, and nothing else. */
MUST_CHECK static bool check_uvm(struct attempt *attempt, const struct gpu_nodes *nodes,
				 struct err *err)
{
	attempt->failure = GPU_FAILURE_UVM;
	for (size_t i = 0; i < nodes->count; i++) {
		if (strcmp(nodes->nodes[i].path, "/dev/nvidia-uvm") != 0)
			continue;
		CLEANUP(fd_closep) int fd = open("/dev/nvidia-uvm", O_RDWR | O_CLOEXEC);

		return fd >= 0 || err_os(err, "open /dev/nvidia-uvm");
	}
	return true;
}

MUST_CHECK static bool start(struct attempt *attempt, struct err *err)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct gpu_nodes nodes;

	attempt->failure = GPU_FAILURE_NODES;
	if (!gpu_nodes_list(&nodes, attempt->request->root_fd, &arena, err) ||
	    !nodes_make(nodes.nodes, nodes.count, err) || !gpu_nodes_link(&nodes, err))
		return false;
	if (!gpu_open_all(&nodes, attempt->request->settings->gpu_timeout_seconds, err)) {
		attempt->failure = err->kind == ERR_BUSY ? GPU_FAILURE_TIMEOUT : GPU_FAILURE_OPEN;
		return false;
	}
	return check_uvm(attempt, &nodes, err);
}

/* The kernel's own words tell more than an error number, if they are about something known. */
static const struct gpu_symptom *diagnose(const struct attempt *attempt, int log_fd)
{
	CLEANUP(bytes_freep) struct bytes log = bytes_capped(LOG_BYTES_MAX);
	const struct gpu_symptom *symptom = NULL;

	kernel_log_read(log_fd, &log);
	if (attempt->failure != GPU_FAILURE_BAR && attempt->failure != GPU_FAILURE_OTHER_DRIVER &&
	    attempt->failure != GPU_FAILURE_REQUIREMENT)
		symptom = gpu_symptom_in_log(bytes_view(&log));
	return symptom ? symptom : gpu_symptom_of(attempt->failure);
}

MUST_CHECK static bool try(struct gpu_verdict *verdict, const struct gpu_request *request,
			   const struct gpu_scan *scan, struct err *err)
{
	struct attempt attempt = { .request = request };
	CLEANUP(fd_closep) int log_fd = kernel_log_mark();

	if ((!request->settings->gpu_scan || check_bus(&attempt, scan, err)) &&
	    check_requirements(&attempt, scan, &verdict->unknown_count, err) &&
	    load(&attempt, scan, err) && check_version(&attempt, err) && start(&attempt, err)) {
		verdict->state = GPU_READY;
		return true;
	}
	verdict->state = GPU_FAILED;
	verdict->symptom = diagnose(&attempt, log_fd);
	return err_wrap(err, "%s (GPU failure %u; %s)", verdict->symptom->sentence,
			verdict->symptom->failure, verdict->symptom->hint);
}

MUST_CHECK static bool find_and_try(struct gpu_verdict *verdict, const struct gpu_request *request,
				    bool is_required, struct err *err)
{
	struct gpu_scan scan;

	gpu_scan_bus(&scan, request->root_fd);
	verdict->gpu_count = scan.gpu_count;
	verdict->nvswitch_count = scan.count - scan.gpu_count;
	bool serves_fabric = verdict->nvswitch_count > 0 && request->boot->fabric_manager.path;

	if (scan.gpu_count > 0 || serves_fabric || !request->settings->gpu_scan)
		return try(verdict, request, &scan, err);
	if (!is_required) {
		verdict->state = GPU_ABSENT;
		say("no GPU on the bus: the driver is not loaded");
		return true;
	}
	verdict->state = GPU_FAILED;
	verdict->symptom = gpu_symptom_of(GPU_FAILURE_NO_GPU);
	return err_set(err, ERR_MISMATCH, "%s (GPU failure %u; %s)", verdict->symptom->sentence,
		       verdict->symptom->failure, verdict->symptom->hint);
}

/* What a failure means under this policy: the call succeeds, or not. */
MUST_CHECK static bool allow_failure(enum gpu_policy policy, const struct err *why,
				     struct err *err)
{
	if (policy == GPU_OPTIONAL) {
		say("going on without a GPU: %s", why->msg);
		return true;
	}
	*err = *why;
	err->kind = ERR_MISMATCH;
	return false;
}

bool gpu_make_ready(struct gpu_verdict *out, const struct gpu_request *request, struct err *err)
{
	enum gpu_policy policy = policy_of(request);
	struct err why = { 0 };

	*out = (struct gpu_verdict){ 0 };
	if (policy == GPU_NONE || find_and_try(out, request, policy == GPU_REQUIRED, &why))
		return true;
	return allow_failure(policy, &why, err);
}

void gpu_review(struct gpu_verdict *verdict, int log_fd)
{
	CLEANUP(bytes_freep) struct bytes log = bytes_capped(LOG_BYTES_MAX);

	if (verdict->state != GPU_READY && verdict->state != GPU_FAILED)
		return;
	kernel_log_read(log_fd, &log);
	if (gpu_verdict_review(verdict, bytes_view(&log)))
		say("%s (GPU failure %u; %s)", verdict->symptom->sentence,
		    verdict->symptom->failure, verdict->symptom->hint);
}

void gpu_lose_fabric(struct gpu_verdict *verdict)
{
	if (verdict->state != GPU_READY)
		return;
	verdict->state = GPU_FAILED;
	verdict->symptom = gpu_symptom_of(GPU_FAILURE_FABRIC);
}

bool gpu_start_fabric(pid_t *pid, struct gpu_verdict *verdict, const struct gpu_request *request,
		      struct err *err)
{
	const struct boot_fabric_manager *baked = &request->boot->fabric_manager;
	enum fabric_mode mode = verdict->gpu_count > 0 ? FABRIC_OF_THIS_MACHINE : FABRIC_OF_OTHERS;
	struct err why = { 0 };

	*pid = 0;
	if (verdict->state != GPU_READY || verdict->nvswitch_count == 0)
		return true;
	if (!baked->path) {
		say("there is an NVSwitch, but no fabric manager in the image: CUDA would say 802");
		return true;
	}
	if (fabric_manager_start(pid, baked, mode, request->settings->gpu_timeout_seconds, &why))
		return true;
	gpu_lose_fabric(verdict);
	(void)!err_wrap(&why, "%s (GPU failure %d; %s)", verdict->symptom->sentence,
			GPU_FAILURE_FABRIC, verdict->symptom->hint);
	return allow_failure(policy_of(request), &why, err);
}
