/* Which folders the loader's cache is made of: ld.so.conf with what it includes, then the folders
 * that the image's own loader has built in, each with its glibc-hwcaps folders; in the order in
 * which ldconfig goes through them.
 *
 * Foreign bytes: depth and number of included files, folders and matches are capped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"
#include "image_files.h"
#include "init/contract/boot_config.h"

#define LOADER_CONF_PATH "/etc/ld.so.conf"

enum {
	LOADER_CONF_BYTES_MAX = 1 << 20, /* one file */
	LOADER_CONF_FILES_MAX = 1000,
	LOADER_CONF_DEPTH_MAX = 16, /* of includes */
	LOADER_FOLDERS_MAX = 10 * 1000,
};

enum loader_conf_kind { LOADER_CONF_FOLDER, LOADER_CONF_INCLUDE };

struct loader_conf_line {
	enum loader_conf_kind kind;
	struct view text; /* the folder without slashes at its end; or patterns, parted by blanks */
};

/* The next line that says something; comments, empty lines and hwcap lines say nothing.
 * *text moves on; false when there are no more. */
bool loader_conf_next(struct view *text, struct loader_conf_line *line);

struct loader_folder {
	const char *path; /* as it is configured: what the cache's paths start with */
	uint32_t inode;
	const char *hwcaps; /* "x86-64-v3"; NULL: no glibc-hwcaps folder */
	bool is_configured; /* by ld.so.conf; false: built in */
};

/* ld.so.conf, or a file that it includes. */
struct loader_conf_file {
	const char *path; /* absolute */
	uint32_t inode;
};

struct loader_folders {
	struct loader_folder *items; /* items[count], each directory once */
	size_t count, capacity;
	struct loader_conf_file *files; /* files[file_count], that were read; the arena's */
	size_t file_count;
	struct arena arena; /* owned, as is items */
};
void loader_folders_freep(struct loader_folders *folders);

/* built_in: the folders of the loader itself, in its order
 * Errors: ERR_FORMAT  over a cap
 * Source: glibc elf/ldconfig.c (parse_conf, add_dir), sysdeps/x86_64/dl-cache.h,
 *         sysdeps/unix/sysv/linux/aarch64/dl-cache.h (add_system_dir) */
MUST_CHECK bool loader_folders_read(struct loader_folders *out, const struct image_files *files,
				    uint16_t machine, const struct text_list *built_in,
				    struct err *err);

/* Is that directory one of them (not of the glibc-hwcaps ones)? */
bool loader_folders_have(const struct loader_folders *folders, uint32_t inode);
