/* drivers_needed FOLDER PATH...      what needed_check says of these files of an image whose root
 * is that folder: a line "RULE SEVERITY: SENTENCE" for each finding drivers_needed --time FOLDER
 * PATH...   how long that takes, in microseconds, best of 20
 */
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/image/needed.h"
#include "tests/kit/drivers/made_root.h"

enum { LINK_BYTES = 4096, ROUNDS = 20 };

static void must(bool is_done, const struct err *err)
{
	if (is_done)
		return;
	fprintf(stderr, "drivers_needed: %s\n", err->msg);
	exit(1);
}

static void add(struct made_root *root, const FTSENT *entry, const char *path)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	char target[LINK_BYTES];
	struct err err = { 0 };

	if (entry->fts_info == FTS_F) {
		must(file_map_open(&map, AT_FDCWD, entry->fts_accpath, &err), &err);
		made_root_file(root, path, (struct view){ (const char *)map.data, map.len });
	} else if (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE) {
		ssize_t len = readlink(entry->fts_accpath, target, sizeof(target) - 1);

		must(len > 0 || err_os(&err, "read the symlink %s", path), &err);
		target[len] = '\0';
		made_root_symlink(root, path, target);
	}
}

static void add_folder(struct made_root *root, char *folder)
{
	char *const folders[] = { folder, NULL };
	size_t len = strlen(folder);
	struct err err = { 0 };
	FTS *walk = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);

	must(walk || err_os(&err, "open %s", folder), &err);
	for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk))
		if (entry->fts_level > 0)
			add(root, entry, entry->fts_path + len + 1);
	fts_close(walk);
}

static void check(struct finding_list *findings, const struct made_root *root, char **paths,
		  size_t count)
{
	struct needed_subject *subjects = calloc(count + 1, sizeof(*subjects));
	struct err err = { 0 };

	must(subjects || err_memory(&err, "subjects"), &err);
	for (size_t i = 0; i < count; i++)
		subjects[i] = (struct needed_subject){ .path = paths[i] };
	must(needed_check(findings, root->tree, &root->data_fd, subjects, count, &err), &err);
	free(subjects);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void print_time(const struct made_root *root, char **paths, size_t count)
{
	double best = 1e18;

	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
		double start = now_us();

		check(&findings, root, paths, count);
		best = now_us() - start < best ? now_us() - start : best;
	}
	printf("%.0f us for %zu files in a tree of %u names\n", best, count,
	       tree_name_max(root->tree));
}

int main(int argc, char **argv)
{
	bool is_timed = argc > 1 && strcmp(argv[1], "--time") == 0;
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	CLEANUP(made_root_freep) struct made_root root;
	int first = is_timed ? 2 : 1;

	made_root_begin(&root);
	if (argc <= first) {
		fprintf(stderr, "usage: drivers_needed [--time] FOLDER PATH...\n");
		return 2;
	}
	add_folder(&root, argv[first]);
	made_root_finish(&root);
	check(&findings, &root, argv + first + 1, (size_t)(argc - first - 1));
	for (size_t i = 0; i < findings.count; i++)
		printf("%s %s: %s\n", rule_id(findings.items[i].rule),
		       severity_name(findings.items[i].severity), findings.items[i].sentence);
	if (is_timed)
		print_time(&root, argv + first + 1, (size_t)(argc - first - 1));
	return 0;
}
