/* Cases of layers (tests/cases/layers/README.md) for scripts.
 *
 * layers_case random SEED calm|all   a random case, as text
 * layers_case tar FILE NUMBER        that layer as a tar; 1 is the lowest
 * layers_case count FILE             how many layers there are
 * layers_case index FILE NUMBER      that layer as an index, as tests/fuzz/layers_merge_fuzz.c has
 *                                    it: a count, entries and strings
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/kit/layers/case_index.h"
#include "tests/kit/layers/case_tar.h"
#include "tests/kit/layers/random_case.h"

static int usage(void)
{
	fprintf(stderr, "usage: layers_case random SEED calm|all\n"
			"       layers_case count FILE\n"
			"       layers_case tar|index FILE NUMBER\n");
	return 2;
}

static bool make_index(struct bytes *out, const struct case_list *layer, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(64 << 20);
	struct index index;

	case_index(&bytes, &index, layer);
	char count = (char)index.entry_count;

	return bytes_append(out, &count, 1, err) &&
	       bytes_append(out, index.entries, index.entry_count * sizeof(*index.entries), err) &&
	       bytes_append(out, index.strings.ptr, index.strings.len, err);
}

static bool make_layer(struct bytes *out, const char *what, const char *path, uint64_t number,
		       struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(16 << 20);
	CLEANUP(case_freep) struct case_file file = { 0 };

	if (!file_slurp(&text, AT_FDCWD, path, err))
		return false;
	case_parse(&file, bytes_view(&text), path);
	if (strcmp(what, "count") == 0)
		return bytes_print(out, err, "%zu\n", file.layer_count);
	if (number < 1 || number > file.layer_count)
		return err_set(err, ERR_USAGE, "%s has %zu layers", path, file.layer_count);
	if (strcmp(what, "index") == 0)
		return make_index(out, &file.layers[number - 1], err);
	case_tar(out, &file.layers[number - 1]);
	return true;
}

static bool make(struct bytes *out, int argc, char **argv, struct err *err)
{
	uint64_t number = 0;

	if (strcmp(argv[1], "count") == 0)
		return make_layer(out, argv[1], argv[2], 0, err);
	const char *digits = strcmp(argv[1], "random") == 0 ? argv[2] : argv[argc - 1];

	if (!view_number(view_of(digits), 10, UINT64_MAX, &number))
		return err_set(err, ERR_USAGE, "not a number: %s", digits);
	if (strcmp(argv[1], "random") != 0)
		return make_layer(out, argv[1], argv[2], number, err);
	random_case(out, number, strcmp(argv[3], "calm") == 0 ? RANDOM_CALM : RANDOM_ALL);
	return true;
}

int main(int argc, char **argv)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(64 << 20);
	struct err err = { 0 };

	if (argc != 4 && !(argc == 3 && strcmp(argv[1], "count") == 0))
		return usage();
	if (!make(&out, argc, argv, &err) ||
	    !file_write(STDOUT_FILENO, out.data, out.len, "standard output", &err)) {
		fprintf(stderr, "layers_case: %s\n", err.msg);
		return 1;
	}
	return 0;
}
