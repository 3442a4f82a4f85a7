#include "builder/store.h"

#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/kit/builder/made_store.h"

static char folder[MADE_FOLDER_BYTES];

static void setup(void)
{
	made_folder(folder);
}

static void teardown(void)
{
	made_folder_remove(folder);
}

static void open_store(struct store *store)
{
	made_store_open(store, folder);
}

static const struct digest diff_id = { .sha256 = { 7 } };

static void make_layer(struct store *store, bool keep)
{
	made_layer(store, &diff_id, keep);
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

/* A removal's files live on for who has them open, and its name is free at once. */
START_TEST(removed_layer_stays_readable_for_who_has_it)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	CLEANUP(stored_layer_closep) struct stored_layer layer = STORED_LAYER_NONE;
	char hex[DIGEST_HEX_BYTES], path[128], body[4];
	struct err err = { 0 };

	open_store(&store);
	make_layer(&store, true);
	ck_assert(store_open_layer(&store, &diff_id, &layer, &err));
	digest_hex(&diff_id, hex);
	snprintf(path, sizeof(path), "layers/sha256/%s", hex);
	{
		CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;

		ck_assert(store_remove(&store, path, &draft, &err));
		ck_assert(!is_layer_there(&store));
	}
	ck_assert(is_empty("tmp"));
	ck_assert_uint_eq(layer.index.entry_count, 1);
	ck_assert(file_pread(layer.data_fd, body, sizeof(body), 0, "data", &err));
	ck_assert_mem_eq(body, "body", 4);
}
END_TEST

START_TEST(looking_at_a_store_makes_and_clears_nothing)
{
	CLEANUP(store_closep) struct store store = STORE_NONE, seen = STORE_NONE;
	struct err err = { 0 };

	ck_assert(!store_open_as_is(&seen, "/nonexistent/store", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert(store_open_as_is(&seen, folder, &err));
	ck_assert(is_empty("."));
	ck_assert_int_eq(seen.tmp_fd, -1);
	open_store(&store);
	ck_assert_int_eq(mkdirat(store.tmp_fd, "0123456789abcdef", 0700), 0);
	store_closep(&seen);
	ck_assert(store_open_as_is(&seen, folder, &err));
	ck_assert(!is_empty("tmp"));
	ck_assert_int_ge(seen.tmp_fd, 0);
}
END_TEST

START_TEST(what_is_no_draft_stays_in_tmp)
{
	CLEANUP(store_closep) struct store store = STORE_NONE, second = STORE_NONE;

	open_store(&store);
	ck_assert_int_eq(mkdirat(store.tmp_fd, "somebodys", 0700), 0);
	ck_assert_int_eq(mkdirat(store.tmp_fd, "0123456789abcdef", 0700), 0);
	open_store(&second);
	ck_assert(made_is_there(&store, "tmp/somebodys"));
	ck_assert(!made_is_there(&store, "tmp/0123456789abcdef"));
}
END_TEST

START_TEST(finding_a_layer_is_a_use)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	char hex[DIGEST_HEX_BYTES], path[128];
	struct stat stat;

	open_store(&store);
	make_layer(&store, true);
	digest_hex(&diff_id, hex);
	snprintf(path, sizeof(path), "layers/sha256/%s/data", hex);
	made_time(&store, path, 1000);
	ck_assert(is_layer_there(&store));
	ck_assert_int_eq(fstatat(store.dir_fd, path, &stat, 0), 0);
	ck_assert_int_gt(stat.st_mtime, 1000);
}
END_TEST

START_TEST(discarded_lock_leaves_no_file_and_lets_others_in)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	CLEANUP(fd_closep) int first_fd = -1, second_fd = -1;
	struct err err = { 0 };

	open_store(&store);
	ck_assert(store_lock(&store, "driver", "some", &first_fd, &err));
	ck_assert(!is_empty("locks"));
	store_lock_discard(&store, "driver", "some", &first_fd);
	ck_assert(is_empty("locks"));
	ck_assert(store_lock(&store, "driver", "some", &second_fd, &err));
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
	tcase_add_test(all, removed_layer_stays_readable_for_who_has_it);
	tcase_add_test(all, looking_at_a_store_makes_and_clears_nothing);
	tcase_add_test(all, what_is_no_draft_stays_in_tmp);
	tcase_add_test(all, finding_a_layer_is_a_use);
	tcase_add_test(all, discarded_lock_leaves_no_file_and_lets_others_in);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
