/* A driver bundle: one NVIDIA driver of one version, flavor and architecture, with its kernel
 * modules for one or more guest kernels.
 *
 * In the store it is a folder of three files: `vmbake-driver.json` (the manifest, which this module
 * parses and prints; bundle.schema.json describes it) and the files as a stored layer, `data` and
 * `index`, so that an image gets them cloned. An image that holds a driver has the same
 * document as /.vmbake/driver.json, reduced to the files and the one kernel that are in it, each
 * `dest` then a plain absolute path. Foreign bytes; parse and print are each other's inverse.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/view.h"
#include "init/contract/boot_config.h"

enum {
	BUNDLE_SCHEMA_VERSION = 1,
	BUNDLE_MANIFEST_BYTES_MAX = 16 << 20,
	BUNDLE_FILES_MAX = 100 * 1000,
	BUNDLE_INDEX_BYTES_MAX = 1 << 30,
};

/* Where a file goes is the image's affair: `dest` starts with one of these, or with '/'. */
#define BUNDLE_LIBDIR "@libdir@/"
#define BUNDLE_LIBDIR32 "@libdir32@/"
#define BUNDLE_BINDIR "@bindir@/"

enum bundle_flavor { BUNDLE_PROPRIETARY, BUNDLE_OPEN }; /* of the kernel modules */

enum bundle_file_kind {
	BUNDLE_LIB, /* 64-bit ELF, or a library's text stub */
	BUNDLE_LIB32,
	BUNDLE_BIN,
	BUNDLE_CONFIG, /* ICDs, vendor JSON, application profiles: what libraries look for */
	BUNDLE_FIRMWARE, /* dest below /lib/firmware */
	BUNDLE_LICENCE,
	BUNDLE_FILE_KIND_COUNT,
};

struct bundle_file {
	const char *path; /* in the bundle's index, clean: "lib/libcuda.so.535.309.01" */
	const char *dest; /* "@libdir@/libcuda.so.535.309.01", "/etc/OpenCL/vendors/nvidia.icd" */
	enum bundle_file_kind kind;
	unsigned capabilities; /* enum capability: placed when one of them is asked for; a 32-bit
				* library when compat32 is, and one of the others */
	const char *soname; /* DT_SONAME; NULL when it has none */
	struct text_list links; /* more names beside dest that lead to it, SONAME among them:
				 * "libcuda.so.1", "libcuda.so"; may hold one '/' for a link into
				 * a folder beside it */
	struct text_list needed; /* DT_NEEDED */
	uint32_t mode;
	uint64_t size_bytes;
	struct digest digest;
};

struct bundle_module {
	const char *name; /* with '_' only: "nvidia_uvm" */
	const char *path; /* in the bundle's index: "modules/6.1.0-56-cloud-amd64/nvidia-uvm.ko" */
	const char *version; /* of .modinfo; NULL for one that gives none */
	const char *licence; /* of .modinfo */
	const char *params; /* "" or "NVreg_X=1 NVreg_Y=2" */
	struct text_list needs; /* modules of the same list that are loaded before */
	struct text_list firmware; /* below /lib/firmware, as .modinfo has it */
	unsigned capabilities; /* loaded when one of these is asked for; 0: never by itself */
	bool is_vendor; /* the driver's own; false: of the kernel, and needed by one of those */
	uint64_t size_bytes;
	struct digest digest;
};

struct bundle_kernel {
	const char *release; /* first word of vermagic */
	const char *vermagic;
	bool has_modversions; /* the modules carry CRCs */
	bool is_signed;
	const struct bundle_module *modules; /* modules[module_count] in order of loading */
	size_t module_count;
};

/* A chip of supported-gpus.json, reduced. */
struct bundle_gpu {
	uint16_t device; /* PCI device id; vendor is 10de */
	const char *name;
	const char *legacy_branch; /* "470.xx"; NULL: this branch drives it */
	bool is_open_capable; /* the open modules drive it */
};

struct bundle {
	/* driver */
	const char *version; /* "535.309.01": plain (version_is_plain) */
	enum bundle_flavor flavor;
	const char *architecture; /* as OCI says it: "amd64", "arm64" */
	const char *cuda; /* highest CUDA version, "12.2"; NULL: of no known branch */
	const char *source_type; /* "run", "redist", "deb", "oci", "dir" */
	const char *source; /* as it was named on the command line, without folders */
	const char *licence_path; /* in the index; NULL: the source has no licence text */

	const struct bundle_kernel *kernels; /* kernels[kernel_count], by release */
	size_t kernel_count;
	const struct bundle_file *files; /* files[file_count], by path */
	size_t file_count;
	const struct bundle_gpu *gpus; /* gpus[gpu_count], by device; 0: the source has no list */
	size_t gpu_count;

	struct digest index_digest; /* SHA-256 of the file `index`; zeros in an image */
	struct arena arena; /* owned; holds all of the above when it was parsed */
};

/* Errors: ERR_UNSUPPORTED  another schemaVersion, or over a cap
 *         ERR_FORMAT       anything else that is off: a path that is not clean, a dest that is
 *                          none, a version that is no version; the key or the file is named */
MUST_CHECK bool bundle_parse(struct bundle *out, struct view text, struct err *err);
MUST_CHECK bool bundle_print(struct bytes *out, const struct bundle *bundle, struct err *err);
void bundle_freep(struct bundle *bundle);

/* The name of its folder, "535.309.01-proprietary-amd64-0123456789ab": version, flavor, arch
 * and the start of manifest_digest, that of the manifest's bytes. */
enum { BUNDLE_NAME_BYTES = 128, BUNDLE_NAME_DIGITS = 12 };
void bundle_name(const struct bundle *bundle, const struct digest *manifest_digest,
		 char out[BUNDLE_NAME_BYTES]);

const char *bundle_flavor_name(enum bundle_flavor flavor); /* "proprietary", "open" */
const char *bundle_kind_name(enum bundle_file_kind kind);

/* The kernel of that release, or NULL. */
const struct bundle_kernel *bundle_find_kernel(const struct bundle *bundle, const char *release);
/* loaded[module_count]: which modules a guest will load: those that one of the capabilities wants,
 * and what those need. One that nobody loads may not fit, as nvidia-drm on a kernel without DRM.
 * capabilities: enum capability; 0: none is loaded */
void bundle_mark_loaded(bool *loaded, const struct bundle_kernel *kernel, unsigned capabilities);
/* The chip of that PCI device id, or NULL. */
const struct bundle_gpu *bundle_find_gpu(const struct bundle *bundle, uint16_t device);
