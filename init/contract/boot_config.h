/* What the host bakes for the guest: /.vmbake/boot.json of an image, /.vmbake/initrd.json of an
 * initrd. The one thing that both sides share; parse and print are each other's inverse.
 *
 * On the host the strings are the caller's; what was parsed is owned by the config's arena. The
 * format number changes when an older guest would misread a newer document.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"

enum {
	BOOT_CONFIG_FORMAT = 2,
	BOOT_CONFIG_BYTES_MAX = 4 << 20, /* execve takes no more than 2 MiB of strings anyway */
};

#define BOOT_CONFIG_PATH "/.vmbake/boot.json"
#define INITRD_CONFIG_PATH "/.vmbake/initrd.json"

struct text_list {
	const char *const *items; /* items[count], then NULL; NULL when not given */
	size_t count;
};

/* A kernel module. In boot.json each one is loaded, in order; in initrd.json only those that are
 * wanted, that have a device here, or that the root needs. */
struct boot_module {
	const char *name; /* with '_' only */
	const char *path; /* absolute, uncompressed */
	const char *params; /* "" or "a=1 b=2" */
	struct text_list needs; /* names of modules in the list that are loaded before */
	struct text_list aliases; /* globs over a device's modalias, and "fs-TYPE" */
	bool is_wanted; /* load it whatever the machine has */
};

struct module_list {
	const struct boot_module *modules; /* modules[count], needs before needers */
	size_t count;
};

struct boot_node {
	const char *path; /* below /dev */
	uint32_t mode; /* with S_IFCHR or S_IFBLK */
	uint32_t major, minor, uid, gid;
};

enum gpu_policy { GPU_NONE, GPU_OPTIONAL, GPU_REQUIRED };

/* What the image demands and could not be decided when it was baked; see require.h. */
struct boot_requirement {
	const char *name; /* of the variable it comes from */
	const char *predicate;
};

/* What only the driver's libraries could say of a GPU, by its PCI ids. NULL: not known. */
struct boot_gpu_model {
	uint16_t vendor, device;
	const char *arch; /* compute capability, "9.0" */
	const char *brand; /* "tesla", "geforce", … */
};

/* Started when there is an NVSwitch. */
struct boot_fabric_manager {
	const char *path; /* absolute; NULL: none was baked */
	const char *config; /* absolute; NULL: the program's own defaults */
};

/* The driver that was baked in. Its modules are loaded only when there is a GPU. */
struct boot_gpu {
	enum gpu_policy policy;
	const char *version; /* of module, firmware and libraries: "535.309.01"; NULL: none */
	const char *cuda; /* the highest that the driver can do: "12.2"; NULL: not known */
	struct module_list modules; /* in order; none with GPU_NONE */
	const struct boot_requirement *requirements; /* requirements[requirement_count] */
	size_t requirement_count;
	const struct boot_gpu_model *models; /* models[model_count] */
	size_t model_count;
	struct boot_fabric_manager fabric_manager;
};

struct boot_user {
	uint32_t uid, gid;
	const uint32_t *groups; /* groups[group_count], supplementary */
	size_t group_count;
	const char *home;
};

struct boot_config {
	struct text_list entrypoint, cmd, env;
	struct boot_user user;
	const char *working_dir; /* absolute */
	unsigned stop_signal; /* 1 to 64 */
	struct module_list modules;
	const struct boot_node *nodes; /* nodes[node_count] */
	size_t node_count;
	struct boot_gpu gpu;
	struct arena arena; /* owned; empty on the host */
};

/* Errors: ERR_UNSUPPORTED  another format number, or over a cap
 *         ERR_FORMAT       anything else that is off; the key is named */
MUST_CHECK bool boot_config_parse(struct boot_config *out, struct view text, struct err *err);
MUST_CHECK bool boot_config_print(struct bytes *out, const struct boot_config *config,
				  struct err *err);
void boot_config_freep(struct boot_config *config);

struct initrd_config {
	struct module_list modules;
	struct arena arena;
};

MUST_CHECK bool initrd_config_parse(struct initrd_config *out, struct view text, struct err *err);
MUST_CHECK bool initrd_config_print(struct bytes *out, const struct initrd_config *config,
				    struct err *err);
void initrd_config_freep(struct initrd_config *config);
