/* A driver's source, whatever it is: what is taken out of it lies where it says. The first byte
 * says whether the rest is a file as it stands ('f': .deb, .run, archive) or the members of an
 * archive as in base_made_tar.h ('t'). */
#include <assert.h>

#include "drivers/import/source.h"
#include "tests/fuzz/base_made_tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct intake *intake, const struct part *part, uint64_t data_bytes)
{
	CLEANUP(part_map_closep) struct part_map map = { 0 };
	struct err err = { 0 };

	assert(part->name[0] && !strchr(part->name, '/') && part->path[0] != '/');
	assert(strcmp(part->path, "..") != 0 && strncmp(part->path, "../", 3) != 0);
	for (size_t i = 0; i < part->extent_count; i++)
		assert((part->extents[i].data_block + part->extents[i].block_count) *
			       INDEX_BLOCK_BYTES <= data_bytes);
	must(part_map_open(&map, intake, part, &err));
	struct digest digest = digest_of(map.base ? map.base : "", map.len);

	assert(digest_equal(&digest, &part->digest));
}

static void take(const char *path, int data_fd)
{
	CLEANUP(intake_freep) struct intake intake = INTAKE_NONE;
	struct source source = { 0 };
	uint64_t data_bytes = 0;
	struct err err = { 0 };

	must(intake_open(&intake, data_fd, NULL, &err));
	bool is_taken = source_take(&source, &intake, path, &err);

	assert(is_taken ? source.type != NULL : err.kind != ERR_NONE && err.msg[0]);
	must(intake_finish(&intake, &data_bytes, &err));
	for (size_t i = 0; i < intake.part_count; i++)
		check_part(&intake, &intake.parts[i], data_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int source_fd, data_fd;
	char path[TAR_PATH_BYTES], data_path[TAR_PATH_BYTES];
	struct view rest = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	made_file(&source_fd, path);
	made_file(&data_fd, data_path);
	if (data[0] == 't')
		put_tar(source_fd, rest);
	else
		put(source_fd, rest.ptr, rest.len);
	take(path, data_fd);
	return 0;
}
