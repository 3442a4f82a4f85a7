/* The command line: one table of options, one of commands; help is printed from the same tables.
 *
 * Parsing never prints and never exits: a wrong word is ERR_USAGE with a sentence.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum command {
	COMMAND_NONE, /* only --help or --version was given */
	COMMAND_BUILD,
	COMMAND_WARM,
	COMMAND_RUN,
	COMMAND_INSPECT,
	COMMAND_INITRD,
	COMMAND_DRIVER_IMPORT,
	COMMAND_DRIVER_LIST,
	COMMAND_DRIVER_INSPECT,
	COMMAND_DRIVER_RM,
	COMMAND_VERIFY,
	COMMAND_CACHE_LIST,
	COMMAND_CACHE_GC,
	COMMAND_CACHE_CHECK,
	COMMAND_COUNT,
};

enum progress_style {
	PROGRESS_AUTO, /* tty where stderr is one, else plain; none with --json */
	PROGRESS_TTY,
	PROGRESS_PLAIN,
	PROGRESS_JSON,
	PROGRESS_NONE,
};

enum { OPTION_LIST_MAX = 256 }; /* a driver is a set of .deb files */

struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

/* How much free space: a share, an amount, or the default. */
struct free_space {
	bool is_given, is_percent;
	uint64_t amount; /* bytes or percent */
};

/* The journal's size, none at all, or the default. */
struct journal_choice {
	bool is_none;
	uint64_t bytes; /* 0: the default */
};

/* What build is told of driver, guest kernel and GPU; NULL and false: not given. */
struct driver_options {
	const char *driver; /* "auto", "none", a version, the name of a bundle, or its folder */
	const char *kernel, *kernel_config; /* files */
	const char *kernel_release;
	const char *gpu_id; /* "10de:2330" */
	const char *gpu_class; /* "datacenter", "consumer" */
	const char *gpu_policy; /* "none", "optional", "required" */
	const char *capabilities;
	bool keep_leftovers, allow_musl;
};

/* What cache gc and cache check are told. */
struct cache_options {
	uint64_t older_than_seconds, max_bytes; /* UINT64_MAX: not given */
	struct free_space keep_free;
	bool dry_run, drivers, repair;
};

/* What run is told of the machine; NULL, 0 and false: not given. Its kernel stands in
 * driver_options, the image and the words for the entrypoint are operands. */
struct machine_options {
	const char *initrd, *append, *folder;
	const char *vmm, *accel; /* words */
	struct option_list gpus; /* PCI addresses */
	struct option_list sets, env; /* "KEY=VALUE", "NAME=VALUE" or "NAME" */
	const char *user, *working_dir, *hostname, *entrypoint;
	uint64_t memory_bytes, cpu_count, timeout_seconds;
	bool has_terminal, writes, only_prints;
};

struct options {
	enum command command;
	struct option_list operands;
	bool wants_help, wants_version, json, plain_http, keep_blobs;
	const char *output, *platform, *store, *modules;
	struct option_list loads, module_folders, kernel_module_folders;
	struct driver_options driver;
	struct machine_options machine;
	uint64_t size_bytes; /* 0: not given */
	struct free_space free;
	struct journal_choice journal;
	uint64_t inode_count; /* 0: not given */
	const char *label;
	bool read_only_fs, verity, force;
	uint64_t jobs, retries; /* defaults are filled in */
	uint64_t blob_connections; /* 0: not given, as are the next six */
	const char *credentials, *auth_file, *hosts_dir, *policy;
	uint64_t max_entries, max_bytes, max_ratio, max_path, max_header, max_xattrs;
	uint64_t lock_timeout_seconds; /* UINT64_MAX: wait for ever */
	enum progress_style progress;
	struct cache_options cache;
	struct option_list lists; /* files of warm */
	bool layers_only, quiet;
};

/* argv's strings are borrowed. Options may stand before and after operands; "--" ends them.
 * Errors: ERR_USAGE */
MUST_CHECK bool options_parse(struct options *out, int argc, const char *const *argv,
			      struct err *err);

/* One line of warm's lists: an image, and options of its own, spelled as on the command line.
 * defaults: what the command line gave, which the line's add to or replace
 * words:    borrowed, as argv; out->operands.items[0] is the image
 * Errors: ERR_USAGE */
MUST_CHECK bool options_parse_line(struct options *out, const struct options *defaults,
				   const char *const *words, size_t word_count, struct err *err);

/* --lock-timeout as store_open takes it; -1: wait for ever. */
int64_t options_lock_timeout_ms(const struct options *options);

/* What --help prints for a command, or for vmbake as a whole (COMMAND_NONE). */
void options_print_help(FILE *stream, enum command command);
