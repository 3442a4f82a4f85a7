#include "builder/store.h"

#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"

static char folder[64];

static void setup(void)
{
	memcpy(folder, "/tmp/store_test.XXXXXX", sizeof("/tmp/store_test.XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
	struct err err = { 0 };

	ck_assert(file_remove_tree(AT_FDCWD, folder, &err));
}

static void open_store(struct store *store)
{
	struct err err = { 0 };

	*store = STORE_NONE;
	ck_assert_msg(store_open(store, folder, 0, &err), "%s", err.msg);
}

static const struct digest diff_id = { .sha256 = { 7 } };

/* A layer of one block in a draft; kept when told to. */
static void make_layer(struct store *store, bool keep)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	CLEANUP(bytes_freep) struct bytes index = bytes_capped(1 << 20);
	static const char block[INDEX_BLOCK_BYTES] = "body";
	struct extent extent = { 0, 0, 1 };
	struct entry file = { .kind = ENTRY_FILE, .path = view_of("f"), .size = 4,
			      .extents = &extent, .extent_count = 1 };
	struct err err = { 0 };

	ck_assert(store_draft_open(store, &draft, &err));
	ck_assert(index_builder_new(&builder, &err));
	ck_assert(index_builder_add(builder, &file, &err));
	ck_assert(index_builder_finish(builder, sizeof(block), &diff_id, &index, &err));
	ck_assert(file_write_whole(draft.dir_fd, "index", 0644, bytes_view(&index), &err));
	ck_assert(file_write_whole(draft.dir_fd, "data", 0644,
				   (struct view){ block, sizeof(block) }, &err));
	if (keep)
		ck_assert(store_draft_keep_layer(store, &draft, &diff_id, &err));
}

static bool is_layer_there(struct store *store)
{
	CLEANUP(stored_layer_closep) struct stored_layer layer = STORED_LAYER_NONE;
	struct err err = { 0 };
	bool is_there = false;

	ck_assert_msg(store_find_layer(store, &diff_id, NULL, &layer, &is_there, &err), "%s",
		      err.msg);
	return is_there;
}

static bool is_empty(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "test -z \"$(ls -A '%s/%s')\"", folder, path);
	return system(command) == 0;
}

START_TEST(kept_layer_is_found_and_a_discarded_one_leaves_nothing)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;

	open_store(&store);
	make_layer(&store, false);
	ck_assert(!is_layer_there(&store));
	ck_assert(is_empty("tmp"));
	make_layer(&store, true);
	ck_assert(is_layer_there(&store));
	ck_assert(is_empty("tmp"));
}
END_TEST

START_TEST(damaged_layer_is_not_there_and_is_replaced)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	char command[256];

	open_store(&store);
	make_layer(&store, true);
	snprintf(command, sizeof(command), "truncate -s 0 '%s'/layers/sha256/*/data", folder);
	ck_assert_int_eq(system(command), 0);
	ck_assert(!is_layer_there(&store));
	make_layer(&store, true);
	ck_assert(is_layer_there(&store));
}
END_TEST

/* The child dies without a chance to clean up. */
START_TEST(draft_of_a_killed_process_is_cleared_by_the_next)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	struct store_draft draft = STORE_DRAFT_NONE;
	struct err err = { 0 };
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		open_store(&store);
		if (!store_draft_open(&store, &draft, &err))
			_exit(1);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	open_store(&store);
	ck_assert(is_empty("tmp"));
}
END_TEST

START_TEST(draft_of_a_living_process_stays)
{
	CLEANUP(store_closep) struct store store = STORE_NONE, second = STORE_NONE;
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	struct err err = { 0 };

	open_store(&store);
	ck_assert(store_draft_open(&store, &draft, &err));
	open_store(&second);
	ck_assert(!is_empty("tmp"));
}
END_TEST

START_TEST(second_lock_on_a_layer_is_busy)
{
	CLEANUP(store_closep) struct store store = STORE_NONE, second = STORE_NONE;
	CLEANUP(fd_closep) int first_fd = -1, second_fd = -1;
	struct err err = { 0 };

	open_store(&store);
	open_store(&second);
	ck_assert(store_lock_layer(&store, &diff_id, &first_fd, &err));
	ck_assert(!store_lock_layer(&second, &diff_id, &second_fd, &err));
	ck_assert_int_eq(err.kind, ERR_BUSY);
	fd_closep(&first_fd);
	ck_assert(store_lock_layer(&second, &diff_id, &second_fd, &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, kept_layer_is_found_and_a_discarded_one_leaves_nothing);
	tcase_add_test(all, damaged_layer_is_not_there_and_is_replaced);
	tcase_add_test(all, draft_of_a_killed_process_is_cleared_by_the_next);
	tcase_add_test(all, draft_of_a_living_process_stays);
	tcase_add_test(all, second_lock_on_a_layer_is_busy);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
