/* Each tests/cases/layers/NAME.case: its layers become tars, go through layer_pack and merge as
 * any layer does, and must amount to the tree or the failure that the case says.
 *
 * usage: merge_case_test [NAME...]    from the project's folder; all cases when none is named
 */
#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/stream.h"
#include "layers/content.h"
#include "layers/crc.h"
#include "layers/merge.h"
#include "layers/pack.h"
#include "tests/kit/layers/case_tar.h"
#include "tests/kit/layers/flat.h"
#include "tests/unit/folder.h"

static glob_t paths;
static const char *path; /* of the case that runs */
static struct bytes text, notes, difference;
static struct case_file file;
static struct index indexes[CASE_LAYERS_MAX];
static int data_fds[CASE_LAYERS_MAX];
static struct tree *tree;
static struct err err;

static void begin(void)
{
	make_folder();
	text = bytes_capped(1 << 20);
	notes = bytes_capped(1 << 20);
	difference = bytes_capped(1 << 20);
	err = (struct err){ 0 };
	ck_assert(tree_new(&tree, &err));
}

static void end(void)
{
	tree_freep(&tree);
	for (size_t i = 0; i < file.layer_count; i++) {
		index_closep(&indexes[i]);
		if (data_fds[i] > 0)
			close(data_fds[i]);
	}
	case_freep(&file);
	bytes_freep(&text);
	bytes_freep(&notes);
	bytes_freep(&difference);
	remove_folder();
}

static void take_note(void *context, const char *sentence)
{
	struct err unused;

	if (!bytes_print(context, &unused, "%s\n", sentence))
		abort();
}

static struct memory memory;

struct memory_stream {
	struct stream stream;
	struct view rest;
};

static bool read_memory(struct stream *stream, void *buffer, size_t capacity, size_t *len,
			struct err *unused)
{
	struct memory_stream *self = (struct memory_stream *)stream;

	(void)unused;
	*len = self->rest.len < capacity ? self->rest.len : capacity;
	if (*len > 0)
		memcpy(buffer, self->rest.ptr, *len);
	self->rest = view_from(self->rest, *len);
	return true;
}

static bool pack(size_t number)
{
	struct bytes tar = bytes_capped(64 << 20);
	struct report report = { .note = take_note, .context = &notes };
	char name[32];

	case_tar(&tar, &file.layers[number]);
	struct memory_stream source = { { .read = read_memory }, bytes_view(&tar) };
	struct digest diff_id = digest_of(tar.data, tar.len);

	snprintf(name, sizeof(name), "%zu", number);
	ck_assert_int_eq(mkdirat(dir_fd, name, 0700), 0);
	CLEANUP(fd_closep) int layer_fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(layer_fd, 0);
	bool ok = layer_pack(&source.stream, &diff_id, layer_fd, &pack_caps_default, &memory,
			     &report, &err);

	bytes_freep(&tar);
	return ok && file_open(&data_fds[number], layer_fd, "data", O_RDONLY, &err) &&
	       index_open(&indexes[number], layer_fd, "index", &err) &&
	       merge_layer(tree, &indexes[number], (uint32_t)number, &err);
}

static bool build(void)
{
	for (size_t i = 0; i < file.layer_count; i++) {
		if (!pack(i))
			return err_wrap(&err, "layer %zu", i + 1);
	}
	return true;
}

/* What lies in data, not only what the index says of it. */
static void check_body(uint32_t number)
{
	const struct tree_inode *inode = tree_inode(tree, number);
	uint32_t crc = 0;
	char piece[4096];

	if (inode->name_count == 0 || !inode->entry || inode->entry->kind != ENTRY_FILE)
		return;
	for (uint64_t at = 0; at < inode->entry->size && at < 1 << 20; at += sizeof(piece)) {
		uint64_t left = inode->entry->size - at;
		size_t len = left < sizeof(piece) ? (size_t)left : sizeof(piece);

		ck_assert_msg(content_read(tree, data_fds, number, at, piece, len, &err), "%s: %s",
			      path, err.msg);
		crc = crc32c_add(crc, piece, len);
	}
	if (inode->entry->size <= 1 << 20)
		ck_assert_uint_eq(crc, inode->entry->body_crc32c);
}

static void check_tree(void)
{
	struct flat got, wanted;

	for (uint32_t number = TREE_ROOT; number <= tree_inode_max(tree); number++)
		check_body(number);
	flat_from_tree(&got, tree);
	flat_from_case(&wanted, &file);
	flat_compare(&difference, &got, &wanted);
	ck_assert_msg(difference.len == 0, "%s: %s", path, difference.data);
	flat_freep(&got);
	flat_freep(&wanted);
}

static void check_notes(void)
{
	for (size_t i = 0; i < file.notes.count; i++) {
		struct view part = file.notes.entries[i].path;

		ck_assert_msg(notes.len > 0 && memmem(notes.data, notes.len, part.ptr, part.len),
			      "%s: no note says '%.*s'", path, VIEW_ARGS(part));
	}
	if (file.notes.count == 0)
		ck_assert_msg(notes.len == 0, "%s: it does not expect: %s", path, notes.data);
}

static void check_failure(void)
{
	ck_assert_msg(err.kind == file.failure, "%s: kind %s: %s", path, err_kind_name(err.kind),
		      err.msg);
	ck_assert_msg(memmem(err.msg, strlen(err.msg), file.failure_part.ptr,
			     file.failure_part.len),
		      "%s: '%.*s' is not in '%s'", path, VIEW_ARGS(file.failure_part), err.msg);
}

START_TEST(the_case_holds)
{
	path = paths.gl_pathv[_i];
	if (!file_slurp(&text, AT_FDCWD, path, &err))
		ck_abort_msg("%s", err.msg);
	case_parse(&file, bytes_view(&text), path);
	bool is_built = build();

	if (file.failure != ERR_NONE) {
		ck_assert_msg(!is_built, "%s: built", path);
		check_failure();
	} else {
		ck_assert_msg(is_built, "%s: %s", path, err.msg);
		check_tree();
		check_notes();
	}
}
END_TEST

static void find_cases(int count, char **names)
{
	char pattern[256];

	for (int i = 0; i < count; i++) {
		snprintf(pattern, sizeof(pattern), "tests/cases/layers/%s.case", names[i]);
		glob(pattern, i > 0 ? GLOB_APPEND : 0, NULL, &paths);
	}
}

int main(int argc, char **argv)
{
	static char all[] = "*";
	char *every[] = { all };

	find_cases(argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : every);
	if (paths.gl_pathc == 0) {
		fprintf(stderr, "no such case in tests/cases/layers\n");
		return EXIT_FAILURE;
	}
	Suite *suite = suite_create("merge_case");
	TCase *cases = tcase_create("cases");
	SRunner *runner = srunner_create(suite);

	memory_init(&memory, 1);
	tcase_add_checked_fixture(cases, begin, end);
	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, the_case_holds, 0, (int)paths.gl_pathc);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	globfree(&paths);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
