/* Docker archives, those from before 2016 too: members as in base_made_tar.h. What an image says
 * of its layers can be opened and read. */
#include <assert.h>

#include "oci/docker_archive.h"
#include "tests/fuzz/base_made_tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_layer(struct docker_archive *archive, const struct layer *layer)
{
	CLEANUP(member_stream_freep) struct member_stream *stream = NULL;
	uint64_t size_bytes = 0, total = 0;
	char buffer[4096];
	struct err err = { 0 };
	size_t len = 1;

	if (!docker_archive_layer(archive, &layer->digest, &stream, &size_bytes, &err))
		return;
	while (len > 0 && member_stream_read(stream, buffer, sizeof(buffer), &len, &err))
		total += len;
	assert(len > 0 || total == size_bytes);
}

static void read_image(const char *path, const char *tag)
{
	CLEANUP(docker_archive_freep) struct docker_archive *archive = NULL;
	CLEANUP(image_freep) struct image image = { 0 };
	struct err err = { 0 };

	if (!docker_archive_open(&archive, path, &err) ||
	    !docker_archive_image(archive, tag, &image, &err)) {
		assert(err.kind != ERR_NONE && err.msg[0]);
		return;
	}
	assert(image.platform.os[0]);
	for (size_t i = 0; i < image.layer_count; i++)
		read_layer(archive, &image.layers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd;
	char path[TAR_PATH_BYTES];

	put_tar(made_file(&fd, path), (struct view){ (const char *)data, size });
	read_image(path, "");
	read_image(path, "a:1");
	return 0;
}
