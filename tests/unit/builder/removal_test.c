#include "builder/cache/removal.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "builder/cache/inventory.h"
#include "tests/kit/builder/made_store.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct digest diff_id = { .sha256 = { 7 } };
static char folder[MADE_FOLDER_BYTES];
static struct store store;
static struct inventory inventory;

static void setup(void)
{
	signal(SIGIO, SIG_IGN);
	made_folder(folder);
	made_store_open(&store, folder);
}

static void teardown(void)
{
	inventory_freep(&inventory);
	store_closep(&store);
	made_folder_remove(folder);
}

/* The one thing in the store. */
static const struct thing *find(void)
{
	struct err err = { 0 };

	inventory_freep(&inventory);
	ck_assert(inventory_take(&inventory, &store, &err));
	ck_assert_uint_eq(inventory.count, 1);
	return &inventory.items[0];
}

static enum removal try(const struct thing *thing, enum removal_mode mode)
{
	enum removal removal = REMOVAL_BUSY;
	struct err err = { 0 };

	ck_assert_msg(removal_try(&store, thing, mode, &removal, &err), "%s", err.msg);
	return removal;
}

static bool is_empty(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "test -z \"$(ls -A '%s/%s')\"", folder, path);
	return system(command) == 0;
}

static const char *const files[] = { "images/" HEX ".ext4",	"images/." HEX ".ext4.vmbake",
				     "blobs/sha256/" HEX,	"blobs/sha256/" HEX ".part",
				     "kernels/" HEX,		"kernels/." HEX ".vmbake",
				     "locks/layer-" HEX };
enum { FILE_COUNT = sizeof(files) / sizeof(files[0]) };

START_TEST(file_goes_and_leaves_no_lock)
{
	made_file(&store, files[_i], "1");
	ck_assert_int_eq(try(find(), REMOVAL_TRIAL), REMOVAL_DONE);
	ck_assert(made_is_there(&store, files[_i]));
	ck_assert(_i == FILE_COUNT - 1 || is_empty("locks"));
	ck_assert_int_eq(try(find(), REMOVAL_OF_UNUSED), REMOVAL_DONE);
	ck_assert(!made_is_there(&store, files[_i]));
	ck_assert(is_empty("locks"));
	ck_assert(is_empty("tmp"));
}
END_TEST

/* Its owner's flock for what is in the making, the mere open for what is read. */
START_TEST(file_in_use_stays)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	made_file(&store, files[_i], "1");
	ck_assert(file_open(&fd, store.dir_fd, files[_i], O_RDONLY, &err));
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(try(find(), REMOVAL_TRIAL), REMOVAL_BUSY);
	ck_assert_int_eq(try(find(), REMOVAL_OF_UNUSED), REMOVAL_BUSY);
	ck_assert(made_is_there(&store, files[_i]));
	ck_assert(_i == FILE_COUNT - 1 || is_empty("locks"));
	fd_closep(&fd);
	ck_assert_int_eq(try(find(), REMOVAL_OF_UNUSED), REMOVAL_DONE);
}
END_TEST

START_TEST(layer_goes_as_a_whole)
{
	made_layer(&store, &diff_id, true);
	ck_assert_int_eq(try(find(), REMOVAL_TRIAL), REMOVAL_DONE);
	ck_assert_int_eq(try(find(), REMOVAL_OF_UNUSED), REMOVAL_DONE);
	ck_assert(is_empty("layers/sha256"));
	ck_assert(is_empty("locks"));
	ck_assert(is_empty("tmp"));
}
END_TEST

START_TEST(layer_whose_key_is_held_stays_even_if_damaged)
{
	CLEANUP(fd_closep) int lock_fd = -1;
	struct err err = { 0 };

	made_layer(&store, &diff_id, true);
	const struct thing *thing = find();

	ck_assert(store_lock_layer(&store, &diff_id, &lock_fd, &err));
	ck_assert_int_eq(try(thing, REMOVAL_TRIAL), REMOVAL_BUSY);
	ck_assert_int_eq(try(thing, REMOVAL_OF_UNUSED), REMOVAL_BUSY);
	ck_assert_int_eq(try(thing, REMOVAL_OF_DAMAGED), REMOVAL_BUSY);
	ck_assert(made_is_there(&store, thing->path));
}
END_TEST

START_TEST(layer_that_is_open_goes_only_if_damaged)
{
	CLEANUP(stored_layer_closep) struct stored_layer layer = STORED_LAYER_NONE;
	struct err err = { 0 };
	char body[4];

	made_layer(&store, &diff_id, true);
	const struct thing *thing = find();

	ck_assert(store_open_layer(&store, &diff_id, &layer, &err));
	ck_assert_int_eq(try(thing, REMOVAL_TRIAL), REMOVAL_BUSY);
	ck_assert_int_eq(try(thing, REMOVAL_OF_UNUSED), REMOVAL_BUSY);
	ck_assert(is_empty("locks"));
	ck_assert_int_eq(try(thing, REMOVAL_OF_DAMAGED), REMOVAL_DONE);
	ck_assert(is_empty("layers/sha256"));
	ck_assert(file_pread(layer.data_fd, body, sizeof(body), 0, "data", &err));
}
END_TEST

START_TEST(draft_goes_once_nobody_holds_it)
{
	struct store_draft draft = STORE_DRAFT_NONE;
	struct err err = { 0 };

	ck_assert(store_draft_open(&store, &draft, &err));
	ck_assert_int_eq(try(find(), REMOVAL_OF_UNUSED), REMOVAL_BUSY);
	fd_closep(&draft.dir_fd); /* as if its process were killed */
	ck_assert_int_eq(try(find(), REMOVAL_TRIAL), REMOVAL_DONE);
	ck_assert(!is_empty("tmp"));
	ck_assert_int_eq(try(find(), REMOVAL_OF_UNUSED), REMOVAL_DONE);
	ck_assert(is_empty("tmp"));
}
END_TEST

START_TEST(what_went_meanwhile_is_gone)
{
	made_layer(&store, &diff_id, true);
	const struct thing *thing = find();
	struct err err = { 0 };

	ck_assert(file_remove_tree(store.dir_fd, thing->path, &err));
	ck_assert_int_eq(try(thing, REMOVAL_OF_UNUSED), REMOVAL_DONE);
	ck_assert(is_empty("locks"));
	ck_assert(is_empty("tmp"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("removal");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, file_goes_and_leaves_no_lock, 0, FILE_COUNT);
	tcase_add_loop_test(all, file_in_use_stays, 0, FILE_COUNT);
	tcase_add_test(all, layer_goes_as_a_whole);
	tcase_add_test(all, layer_whose_key_is_held_stays_even_if_damaged);
	tcase_add_test(all, layer_that_is_open_goes_only_if_damaged);
	tcase_add_test(all, draft_goes_once_nobody_holds_it);
	tcase_add_test(all, what_went_meanwhile_is_gone);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
