#include "option_table.h"

#define EVERYWHERE (~ON_LINE)
#define ON_BAKE (ON(COMMAND_BUILD) | ON(COMMAND_WARM) | ON_LINE)
#define ON_IMAGE (ON_BAKE | ON(COMMAND_INSPECT) | ON(COMMAND_DRIVER_IMPORT))
#define ON_FETCH (ON_BAKE | ON(COMMAND_DRIVER_IMPORT))
#define ON_FETCH_RUN (ON_FETCH & ~ON_LINE) /* what all images of a run share */
#define ON_STORE                                                                       \
	(ON(COMMAND_BUILD) | ON(COMMAND_WARM) | ON(COMMAND_DRIVER_IMPORT) |          \
	 ON(COMMAND_DRIVER_LIST) | ON(COMMAND_DRIVER_INSPECT) | ON(COMMAND_DRIVER_RM) | \
	 ON(COMMAND_VERIFY))
#define ON_CHECK (ON_BAKE | ON(COMMAND_VERIFY))
#define ON_CACHE (ON(COMMAND_CACHE_LIST) | ON(COMMAND_CACHE_GC) | ON(COMMAND_CACHE_CHECK))
#define ON_KERNEL (ON_CHECK | ON(COMMAND_DRIVER_IMPORT))

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "output", 'o', KIND_TEXT, ON(COMMAND_BUILD) | ON(COMMAND_INITRD), FIELD(output), "FILE",
	  "write here; build: or to a block device (default is the store's images/)" },
	{ "force", 0, KIND_FLAG, ON(COMMAND_BUILD), FIELD(force), NULL,
	  "overwrite what is on the block device that --output names" },
	{ "file", 'f', KIND_LIST, ON(COMMAND_WARM), FIELD(lists), "LIST",
	  "images, one a line, with options of its own behind it; - is standard input" },
	{ "layers-only", 0, KIND_FLAG, ON(COMMAND_WARM) | ON_LINE, FIELD(layers_only), NULL,
	  "stop when the layers are unpacked, for images that build -o will make" },
	{ "quiet", 'q', KIND_FLAG, ON(COMMAND_WARM), FIELD(quiet), NULL,
	  "say nothing unless something fails" },
	{ "platform", 0, KIND_TEXT, ON_IMAGE, FIELD(platform),
	  "OS/ARCH[/VARIANT]", "which image of an index (default: linux on this machine's)" },
	{ "size", 0, KIND_SIZE, ON_BAKE, FIELD(size_bytes), "N[KMGT]",
	  "size of the whole image (default: content and free space)" },
	{ "free", 0, KIND_FREE, ON_BAKE, FIELD(free), "N[KMGT]|N%",
	  "free space in the image (default: 25% or 1G, whichever is more)" },
	{ "journal", 0, KIND_JOURNAL, ON_BAKE, FIELD(journal), "N[KMGT]|none",
	  "size of the journal (default: as mke2fs would)" },
	{ "inodes", 0, KIND_NUMBER, ON_BAKE, FIELD(inode_count), "N",
	  "inodes in all (default: a quarter to spare, at least one for each 16K free)" },
	{ "label", 0, KIND_TEXT, ON_BAKE, FIELD(label), "TEXT",
	  "name of the file system, up to 16 bytes (default: none)" },
	{ "read-only-fs", 0, KIND_FLAG, ON_BAKE, FIELD(read_only_fs), NULL,
	  "for many machines that only read it: no journal, no free space" },
	{ "verity", 0, KIND_FLAG, ON_BAKE, FIELD(verity), NULL,
	  "put a dm-verity hash tree behind it, and print its root hash" },
	{ "modules", 0, KIND_TEXT, ON(COMMAND_INITRD), FIELD(modules), "DIR",
	  "the guest kernel's modules, as /lib/modules/RELEASE" },
	{ "load", 0, KIND_LIST, ON(COMMAND_INITRD), FIELD(loads), "NAME",
	  "one more module to pack and load; may be repeated" },
	{ "driver", 0, KIND_TEXT, ON_BAKE, FIELD(driver.driver),
	  "auto|none|VERSION|NAME|DIR",
	  "which imported NVIDIA driver (default: auto, the newest that fits)" },
	{ "kernel", 0, KIND_TEXT, ON_KERNEL, FIELD(driver.kernel), "FILE",
	  "the guest's kernel: vmlinux, bzImage or Image" },
	{ "kernel-release", 0, KIND_TEXT, ON_CHECK, FIELD(driver.kernel_release),
	  "RELEASE", "the guest kernel's release, where its file is not at hand" },
	{ "kernel-config", 0, KIND_TEXT, ON_KERNEL, FIELD(driver.kernel_config), "FILE",
	  "its configuration (default: the kernel's own, or config-RELEASE beside it)" },
	{ "gpu-id", 0, KIND_TEXT, ON_CHECK, FIELD(driver.gpu_id),
	  "10de:XXXX", "the GPU's PCI id, to check the driver against" },
	{ "gpu", 0, KIND_TEXT, ON_BAKE, FIELD(driver.gpu_policy),
	  "none|optional|required",
	  "what a machine without a working GPU does (default: optional)" },
	{ "gpu-class", 0, KIND_TEXT, ON_CHECK, FIELD(driver.gpu_class),
	  "datacenter|consumer",
	  "datacenter: CUDA's compat package may stand in for a newer driver" },
	{ "capabilities", 0, KIND_TEXT, ON_BAKE, FIELD(driver.capabilities), "LIST",
	  "parts of the driver, as NVIDIA_DRIVER_CAPABILITIES (default: the image's)" },
	{ "keep-leftovers", 0, KIND_FLAG, ON_CHECK, FIELD(driver.keep_leftovers), NULL,
	  "leave another driver's files in the image" },
	{ "allow-musl", 0, KIND_FLAG, ON_BAKE, FIELD(driver.allow_musl), NULL,
	  "put a driver into an image whose C library cannot run it" },
	{ "modules", 0, KIND_LIST, ON(COMMAND_DRIVER_IMPORT), FIELD(module_folders), "DIR",
	  "the driver's kernel modules, one release's or several; may be repeated" },
	{ "kernel-modules", 0, KIND_LIST, ON(COMMAND_DRIVER_IMPORT), FIELD(kernel_module_folders),
	  "DIR", "the kernel's own modules that those depend on, as /lib/modules/RELEASE" },
	{ "plain-http", 0, KIND_FLAG, ON_IMAGE, FIELD(plain_http), NULL,
	  "allow HTTP without TLS to registries off this machine" },
	{ "keep-blobs", 0, KIND_FLAG, ON_FETCH, FIELD(keep_blobs), NULL,
	  "keep compressed layers in the store once they are unpacked" },
	{ "jobs", 'j', KIND_COUNT, ON_FETCH_RUN | ON(COMMAND_VERIFY) | ON(COMMAND_CACHE_CHECK),
	  FIELD(jobs), "N", "layers and copies at a time (default: one a core)" },
	{ "retry", 0, KIND_NUMBER_OR_NONE, ON_IMAGE, FIELD(retries), "N",
	  "attempts in a row that bring nothing new before giving up (default: 5)" },
	{ "blob-connections", 0, KIND_COUNT, ON_FETCH, FIELD(blob_connections), "N",
	  "connections at a time for one large layer (default: 4)" },
	{ "creds", 0, KIND_TEXT, ON_IMAGE, FIELD(credentials),
	  "USER:PASSWORD", "log in so (default: as skopeo, podman or docker did)" },
	{ "authfile", 0, KIND_TEXT, ON_IMAGE, FIELD(auth_file),
	  "FILE", "the one file to look for credentials in" },
	{ "hosts-dir", 0, KIND_TEXT, ON_IMAGE, FIELD(hosts_dir),
	  "DIR", "mirrors and certificates (default: /etc/containerd/certs.d)" },
	{ "policy", 0, KIND_TEXT, ON_IMAGE, FIELD(policy), "FILE",
	  "which images must be signed (default: containers/policy.json)" },
	{ "max-entries", 0, KIND_NUMBER, ON_FETCH, FIELD(max_entries), "N",
	  "refuse images of more entries (default: 10000000)" },
	{ "max-bytes", 0, KIND_SIZE, ON_FETCH, FIELD(max_bytes), "N[KMGT]",
	  "refuse images whose files are larger in all (default: 1T)" },
	{ "max-ratio", 0, KIND_NUMBER, ON_FETCH, FIELD(max_ratio), "N",
	  "refuse layers that inflate to more times their size (default: 10000)" },
	{ "max-path", 0, KIND_NUMBER, ON_FETCH, FIELD(max_path), "N",
	  "refuse longer paths in layers, in bytes (default, and the most Linux has: 4095)" },
	{ "max-header", 0, KIND_SIZE, ON_FETCH, FIELD(max_header), "N[KMGT]",
	  "refuse longer PAX headers and names in layers (default: 1M)" },
	{ "max-xattrs", 0, KIND_SIZE, ON_FETCH, FIELD(max_xattrs), "N[KMGT]",
	  "refuse files with larger xattrs in layers (default: 256K)" },
	{ "lock-timeout", 0, KIND_NUMBER_OR_NONE, ON_STORE, FIELD(lock_timeout_seconds),
	  "SECONDS", "how long to wait for another vmbake's work (default: for ever)" },
	{ "older-than", 0, KIND_AGE, ON(COMMAND_CACHE_GC), FIELD(cache.older_than_seconds), "AGE",
	  "remove what was not used for so long: 30d, 12h (default without a limit: 30d)" },
	{ "max-bytes", 0, KIND_SIZE, ON(COMMAND_CACHE_GC), FIELD(cache.max_bytes), "N[KMGT]",
	  "then what was used least recently, until no more than that is left" },
	{ "keep-free", 0, KIND_FREE, ON(COMMAND_CACHE_GC), FIELD(cache.keep_free), "N[KMGT]|N%",
	  "the same, until so much of the store's file system is free" },
	{ "drivers", 0, KIND_FLAG, ON(COMMAND_CACHE_GC), FIELD(cache.drivers), NULL,
	  "remove drivers too, which only an import brings back" },
	{ "dry-run", 0, KIND_FLAG, ON(COMMAND_CACHE_GC), FIELD(cache.dry_run), NULL,
	  "say what would go, and change nothing" },
	{ "repair", 0, KIND_FLAG, ON(COMMAND_CACHE_CHECK), FIELD(cache.repair), NULL,
	  "remove what is damaged; the next build makes it anew" },
	{ "store", 0, KIND_TEXT, ON_STORE | ON_CACHE, FIELD(store), "DIR",
	  "where layers are kept (default: $VMBAKE_STORE, /var/lib/vmbake, ~/.cache/vmbake)" },
	{ "json", 0, KIND_FLAG, EVERYWHERE, FIELD(json), NULL,
	  "print the result, or the error, as one JSON object" },
	{ "progress", 0, KIND_PROGRESS, ON_FETCH_RUN | ON(COMMAND_CACHE_CHECK), FIELD(progress),
	  "STYLE", "auto, tty, plain, json or none (default: auto)" },
	{ "help", 'h', KIND_FLAG, EVERYWHERE, FIELD(wants_help), NULL, "print this" },
	{ "version", 'V', KIND_FLAG, ON(COMMAND_NONE), FIELD(wants_version), NULL,
	  "print the version" },
};

static const struct command_row commands[COMMAND_COUNT] = {
	[COMMAND_BUILD] = { "build", "IMAGE",
			    "turn a container image into an ext4 image that boots", 1, 1 },
	[COMMAND_INSPECT] = { "inspect", "FILE.ext4|IMAGE",
			      "say what is in it and where it is from", 1, 1 },
	[COMMAND_INITRD] = { "initrd", "", "pack the modules that a kernel needs to find its root",
			     0, 0 },
	[COMMAND_DRIVER_IMPORT] = { "driver import", "SOURCE...",
				    "make a bundle of a driver and its kernel modules", 1,
				    OPTION_LIST_MAX },
	[COMMAND_DRIVER_LIST] = { "driver list", "", "the bundles in the store", 0, 0 },
	[COMMAND_DRIVER_INSPECT] = { "driver inspect", "BUNDLE", "what is in a bundle", 1, 1 },
	[COMMAND_VERIFY] = { "verify", "FILE.ext4",
			     "check an image and its driver, before a machine has to", 1, 1 },
	[COMMAND_CACHE_LIST] = { "cache list", "", "what the store holds, and when it was used", 0,
				 0 },
	[COMMAND_CACHE_GC] = { "cache gc", "", "remove from the store what is not used", 0, 0 },
	[COMMAND_CACHE_CHECK] = { "cache check", "", "hold the store against its checksums", 0,
				  0 },
	[COMMAND_WARM] = { "warm", "[IMAGE...]",
			   "make images ahead, so that build has them at once", 0,
			   OPTION_LIST_MAX },
	[COMMAND_DRIVER_RM] = { "driver rm", "BUNDLE...", "remove bundles from the store", 1,
				OPTION_LIST_MAX },
};

const struct option_row *option_table_rows(size_t *count)
{
	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct command_row *option_table_command(enum command command)
{
	return &commands[command];
}
