/* How fast are layers? Figures for tests/bench/layers_bench.sh.
 *
 * layers_bench make COUNT        a tar of so many small files, to standard output
 * layers_bench list FILE         read its headers, skip its bodies
 * layers_bench pack FILE FOLDER  unpack it into a stored layer in that empty folder
 * layers_bench hash              two hashes at once, beside one after the other
 * layers_bench merge             50,000 entries over 5 layers, most of them new, some replaced
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"
#include "layers/merge.h"
#include "layers/pack.h"
#include "tests/kit/layers/tar_writer.h"

enum { FILES_A_FOLDER = 100, LAYERS = 5, ENTRIES_A_LAYER = 10000, MERGE_RUNS = 20 };

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say(const char *what, uint64_t count, double took)
{
	printf("%s: %" PRIu64 " entries in %.3f s, %.0f a second\n", what, count, took,
	       (double)count / took);
}

static void file_name(char out[100], uint64_t layer, uint64_t number)
{
	snprintf(out, 100, "usr/share/package%" PRIu64 "-%" PRIu64 "/file%" PRIu64, layer,
		 number / FILES_A_FOLDER, number);
}

static bool make(uint64_t count, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(64 << 20);
	char name[100];

	for (uint64_t i = 0; i < count; i++) {
		file_name(name, 0, i);
		writer_add_file(&out, name, i % 8 ? "a small file of few bytes\n" : "");
		if (out.len > 32 << 20) {
			if (!file_write(STDOUT_FILENO, out.data, out.len, "the tar", err))
				return false;
			bytes_clear(&out);
		}
	}
	writer_add_zeros(&out, 2);
	return file_write(STDOUT_FILENO, out.data, out.len, "the tar", err);
}

static bool list(const char *path, struct err *err)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	CLEANUP(tar_freep) struct tar_reader *reader = NULL;
	struct tar_entry entry = { 0 };
	bool is_end = false;
	uint64_t count = 0;

	if (!file_map_open(&map, AT_FDCWD, path, err))
		return false;
	struct input input = { .ptr = map.data, .len = map.len };
	double start = seconds();

	if (!tar_open(&reader, &input, &(struct tar_caps)TAR_CAPS_DEFAULT, err))
		return false;
	for (;; count++) {
		if (!tar_next(reader, &entry, &is_end, err))
			return false;
		if (is_end)
			break;
	}
	say("listing", count, seconds() - start);
	return true;
}

struct file_stream {
	struct stream stream;
	int fd;
};

static bool read_file(struct stream *stream, void *buffer, size_t capacity, size_t *len,
		      struct err *err)
{
	struct file_stream *self = (struct file_stream *)stream;

	return file_read_some(self->fd, buffer, capacity, len, "the tar", err);
}

/* Piece by piece, so that the peak of memory is layer_pack's. */
MUST_CHECK static bool hash_file(int fd, struct digest *out, struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	char piece[64 << 10];
	size_t len = 1;

	if (!sha256_new(&hash, err))
		return false;
	while (len > 0) {
		if (!file_read_some(fd, piece, sizeof(piece), &len, "the tar", err))
			return false;
		sha256_add(hash, piece, len);
	}
	*out = sha256_now(hash);
	return lseek(fd, 0, SEEK_SET) == 0 || err_os(err, "rewind the tar");
}

/* Beside the bound: 64 MiB, and for each entry 250 bytes and its name. */
static void say_memory(const struct index *index)
{
	uint64_t allowed = (64 << 20) + index->entry_count * 250 + index->strings.len;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("peak of memory: %ld MiB, allowed %" PRIu64 " MiB\n", usage.ru_maxrss >> 10,
	       allowed >> 20);
}

static bool pack(const char *path, const char *folder, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1, folder_fd = -1;
	CLEANUP(index_closep) struct index index = { 0 };
	struct digest diff_id;

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY, err) || !hash_file(fd, &diff_id, err) ||
	    !file_open(&folder_fd, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, err))
		return false;
	struct file_stream source = { { .read = read_file }, fd };
	CLEANUP(memory_closep) struct memory memory;

	memory_init(&memory, 1);
	double start = seconds();

	if (!layer_pack(&source.stream, &diff_id, folder_fd, &pack_caps_default, &memory,
			NULL, err))
		return false;
	double took = seconds() - start;

	if (!index_open(&index, folder_fd, "index", err))
		return false;
	say("unpacking", index.entry_count, took);
	say_memory(&index);
	return true;
}

/* A tenth replaces files of the layer below, a hundredth removes some. */
static bool make_layer(struct bytes *out, struct index *index, uint64_t number, struct err *err)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	struct digest none = { { 0 } };
	char name[100];

	*out = bytes_capped(64 << 20);
	if (!index_builder_new(&builder, err))
		return false;
	for (uint64_t i = 0; i < ENTRIES_A_LAYER; i++) {
		bool is_old = number > 0 && i % 10 == 0, is_gone = is_old && i % 100 == 0;
		struct entry entry = { .kind = is_gone ? ENTRY_WHITEOUT : ENTRY_FILE };

		file_name(name, is_old ? number - 1 : number, i);
		entry.path = view_of(name);
		if (!index_builder_add(builder, &entry, err))
			return false;
	}
	return index_builder_finish(builder, 0, &none, out, err) &&
	       index_parse(index, bytes_view(out), err);
}

static bool merge_once(const struct index *indexes, double *best, struct err *err)
{
	CLEANUP(tree_freep) struct tree *tree = NULL;
	double start = seconds();

	if (!tree_new(&tree, err))
		return false;
	for (uint32_t i = 0; i < LAYERS; i++) {
		if (!merge_layer(tree, &indexes[i], i, err))
			return false;
	}
	double took = seconds() - start;

	if (took < *best)
		*best = took;
	return true;
}

static bool merge(struct err *err)
{
	static struct bytes bytes[LAYERS]; /* the process ends soon */
	static struct index indexes[LAYERS];
	double best = 1e9;

	for (uint64_t i = 0; i < LAYERS; i++) {
		if (!make_layer(&bytes[i], &indexes[i], i, err))
			return false;
	}
	for (int i = 0; i < MERGE_RUNS; i++) {
		if (!merge_once(indexes, &best, err))
			return false;
	}
	say("merging, best of 20", LAYERS * ENTRIES_A_LAYER, best);
	return true;
}

/* Pieces as inflate gives them: they end anywhere. */
enum { HASHED_BYTES = 1 << 30, PIECE_BYTES = 100 * 1000 - 1 };

static double hash_pieces(struct sha256 *first, struct sha256 *second, const uint8_t *pieces,
			  bool at_once)
{
	double start = seconds();

	for (size_t at = 0; at < HASHED_BYTES; at += PIECE_BYTES) {
		if (at_once) {
			sha256_add_both(first, pieces, second, pieces + PIECE_BYTES, PIECE_BYTES);
			continue;
		}
		sha256_add(first, pieces, PIECE_BYTES);
		sha256_add(second, pieces + PIECE_BYTES, PIECE_BYTES);
	}
	return seconds() - start;
}

static bool hash(struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *first = NULL, *second = NULL;
	CLEANUP(freep) uint8_t *pieces = calloc(2, PIECE_BYTES);

	if (!pieces)
		return err_memory(err, "two pieces");
	if (!sha256_new(&first, err) || !sha256_new(&second, err))
		return false;
	sha256_add(second, pieces, 1); /* the two are not between blocks at the same time */
	double both = hash_pieces(first, second, pieces, true);
	double apart = hash_pieces(first, second, pieces, false);

	printf("two hashes at once: %.2f GB/s, one after the other: %.2f GB/s, %.2f times faster\n",
	       2.0 * HASHED_BYTES / both / 1e9, 2.0 * HASHED_BYTES / apart / 1e9, apart / both);
	return true;
}

static bool run(int argc, char **argv, struct err *err)
{
	uint64_t count = 0;

	if (argc == 3 && strcmp(argv[1], "make") == 0 &&
	    view_number(view_of(argv[2]), 10, UINT32_MAX, &count))
		return make(count, err);
	if (argc == 3 && strcmp(argv[1], "list") == 0)
		return list(argv[2], err);
	if (argc == 4 && strcmp(argv[1], "pack") == 0)
		return pack(argv[2], argv[3], err);
	if (argc == 2 && strcmp(argv[1], "hash") == 0)
		return hash(err);
	if (argc == 2 && strcmp(argv[1], "merge") == 0)
		return merge(err);
	return err_set(err, ERR_USAGE, "make COUNT, list FILE, pack FILE FOLDER, hash, or merge");
}

int main(int argc, char **argv)
{
	struct err err = { 0 };

	if (run(argc, argv, &err))
		return 0;
	fprintf(stderr, "layers_bench: %s\n", err.msg);
	return 1;
}
