/* What one machine wants to be different from what was baked, so that one image serves many:
 * a JSON document (init/settings.schema.json) from a settings disk, and vmbake.* of the kernel
 * command line over it. The guest finds both by init/settings_source.h; the host makes and checks
 * them with the same code.
 *
 * A broken document is an error as a whole: there is no half-configured machine.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "init/contract/boot_config.h"

struct json_t;

/* NAME and VALUE of an object of strings, in document order. */
struct setting_pair {
	const char *name, *value;
};
struct setting_pairs {
	const struct setting_pair *items; /* items[count] */
	size_t count;
};

struct setting_route {
	const char *to; /* "default", "10.1.0.0/16" */
	const char *via; /* NULL: on the link */
};

struct setting_interface {
	const char *name; /* "eth0"; NULL: by mac, or the first one that is no loopback */
	const char *mac; /* "52:54:00:12:34:56" or NULL */
	struct text_list addresses; /* "10.0.2.15/24", "fd00::2/64" */
	const struct setting_route *routes; /* routes[route_count] */
	size_t route_count;
	uint32_t mtu; /* 0: leave it */
};

struct setting_mount {
	const char *source; /* "SERIAL=x", "LABEL=x", "UUID=x", "/dev/vdb", "tmpfs" */
	const char *target; /* absolute */
	const char *type; /* NULL: find out */
	const char *options; /* for the file system; "" when none */
	bool is_read_only;
};

enum shutdown { SHUTDOWN_AUTO, SHUTDOWN_POWER_OFF, SHUTDOWN_REBOOT };

struct settings {
	struct text_list entrypoint, cmd; /* not given: the image's */
	struct setting_pairs env; /* over the image's */
	const char *user, *working_dir; /* NULL: the image's */
	bool has_terminal; /* the console becomes the controlling terminal */
	const char *hostname;
	const struct setting_interface *interfaces; /* interfaces[interface_count] */
	size_t interface_count;
	struct text_list dns, dns_search, dns_options;
	struct text_list hosts; /* lines of /etc/hosts: "10.0.0.1 name alias" */
	const struct setting_mount *mounts; /* mounts[mount_count] */
	size_t mount_count;
	const char *shm_size; /* tmpfs's size=, or NULL */
	struct setting_pairs rlimits; /* "nofile" → "1024:2048" */
	struct setting_pairs sysctls; /* "net.core.somaxconn" → "1024" */
	struct text_list capabilities; /* "all", "docker", or names */
	bool no_new_privs;
	const char *report_port; /* a virtio-serial port's name */
	uint32_t report_vsock_port; /* on CID 2; 0: none */
	uint32_t grace_seconds; /* between the stop signal and SIGKILL */
	enum shutdown shutdown;
	bool has_gpu_policy;
	enum gpu_policy gpu_policy;
	bool gpu_scan; /* false: load the driver without looking for a GPU */
	uint32_t gpu_timeout_seconds; /* for the first open of a GPU */
	bool lock_modules; /* no module is loaded any more once the entrypoint runs */
	bool grow; /* the root's file system to the size of its device */
	const char *overlay; /* NULL, "tmpfs", or a drive: for what is written over the root */
	struct arena arena; /* owned */
};

/* What holds when nothing is set. */
struct settings settings_default(void);

/* Put a document over what was set before: a key that is there replaces, the objects env, rlimits
 * and sysctls add. settings is unspecified on failure.
 * Errors: ERR_FORMAT, with the key named; ERR_UNSUPPORTED past a cap */
MUST_CHECK bool settings_apply(struct settings *settings, const struct json_t *document,
			       struct err *err);
void settings_freep(struct settings *settings);
