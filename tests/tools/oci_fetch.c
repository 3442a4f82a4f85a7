/* How fast does a blob arrive? Figures for tests/bench/oci_bench.sh.
 *
 * oci_fetch IMAGE FOLDER [CONNECTIONS]
 * receives the first layer of IMAGE into FOLDER as a build does, to its verified end, and reads it
 * all; what came stays there as HEX.part. Prints the milliseconds that took, without resolving.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/image.h"

enum { BUFFER_BYTES = 1 << 20 };

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

MUST_CHECK static bool read_all(struct blob *blob, struct err *err)
{
	CLEANUP(freep) char *buffer = malloc(BUFFER_BYTES);
	struct stream *stream = blob_stream(blob);
	size_t len = 1;

	if (!buffer)
		return err_memory(err, "a buffer");
	while (len > 0)
		if (!stream->read(stream, buffer, BUFFER_BYTES, &len, err))
			return false;
	return true;
}

MUST_CHECK static bool fetch(const char *name, const char *folder, unsigned connections,
			     struct err *err)
{
	CLEANUP(image_source_freep) struct image_source *source = NULL;
	CLEANUP(image_freep) struct image image = { 0 };
	CLEANUP(blob_freep) struct blob *blob = NULL;
	CLEANUP(fd_closep) int dir_fd = -1;
	CLEANUP(freep) struct reference *reference = calloc(1, sizeof(*reference));
	struct platform platform = platform_of_host();
	const struct source_options options = {
		.retries = 5,
		.blob_connections = connections,
		.user_agent = "vmbake-bench",
	};

	if (!reference)
		return err_memory(err, "a reference");
	if (!file_open(&dir_fd, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, err) ||
	    !reference_parse(reference, name, err) ||
	    !image_source_open(&source, reference, &options, err) ||
	    !image_resolve(&image, source, &platform, err))
		return false;
	double start = milliseconds();

	if (!blob_open(&blob, source, &image.layers[0], dir_fd, err) || !read_all(blob, err))
		return false;
	printf("%.0f\n", milliseconds() - start);
	return true;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	unsigned connections = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;

	if (argc < 3) {
		fputs("usage: oci_fetch IMAGE FOLDER [CONNECTIONS]\n", stderr);
		return 2;
	}
	if (fetch(argv[1], argv[2], connections, &err))
		return EXIT_SUCCESS;
	fprintf(stderr, "oci_fetch: %s\n", err.msg);
	return EXIT_FAILURE;
}
