/* An image with one directory of many names, for scripts: /many, names of random letters, each an
 * empty file. The names go to standard output, one a line.
 *
 * fs_names IMAGE LEN COUNT SEED      LEN: 8 to 255; SEED: a text that the hashes follow from
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/view.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/many_names.h"

static void add_names(struct made_tree *made, uint32_t len, uint32_t count)
{
	struct many_names names;
	char path[300];

	made_tree_add_dir(made, "many");
	many_names_make(&names, len);
	for (uint32_t i = 0; i < count; i++) {
		struct entry entry = { .kind = ENTRY_FILE, .path = { path, 0 }, .mode = 0644 };

		entry.path.len = (size_t)snprintf(path, sizeof(path), "many/%.*s", (int)len,
						  names.text + i);
		made_tree_add_file(made, &entry, NULL, 0);
		printf("%s\n", path + strlen("many/"));
	}
	many_names_freep(&names);
}

MUST_CHECK static bool make(const char *path, uint32_t len, uint32_t count, const char *seed,
			    struct err *err)
{
	CLEANUP(made_tree_freep) struct made_tree made = MADE_TREE_NONE;
	CLEANUP(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct image_options options = made_options();
	struct image_result result;

	if (fd < 0)
		return err_os(err, "open %s", path);
	options.identity = digest_of(seed, strlen(seed));
	options.free_bytes = 256 << 20;
	made_tree_begin(&made, -1);
	add_names(&made, len, count);
	made_tree_finish(&made);
	return made_tree_write(&made, fd, &options, &result, err);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	uint64_t len = 0, count = 0;

	if (argc != 5 || !view_number(view_of(argv[2]), 10, 255, &len) || len < 8 ||
	    !view_number(view_of(argv[3]), 10, 4000000, &count)) {
		fprintf(stderr, "usage: fs_names IMAGE LEN COUNT SEED\n");
		return 2;
	}
	if (!make(argv[1], (uint32_t)len, (uint32_t)count, argv[4], &err)) {
		fprintf(stderr, "fs_names: %s\n", err.msg);
		return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
