#include "builder/cache/inventory.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/kit/builder/made_store.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DRIVER "535.309.01-proprietary-amd64-78da1489e3dd"

static char folder[MADE_FOLDER_BYTES];
static struct store store;
static struct inventory inventory;

static void setup(void)
{
	made_folder(folder);
	made_store_open(&store, folder);
}

static void teardown(void)
{
	inventory_freep(&inventory);
	store_closep(&store);
	made_folder_remove(folder);
}

static void look(void)
{
	struct err err = { 0 };

	inventory_freep(&inventory);
	ck_assert_msg(inventory_take(&inventory, &store, &err), "%s", err.msg);
}

/* Paths that are things, and what of. */
static const struct {
	const char *path;
	enum thing_kind kind;
	bool is_part;
	const char *name;
} ours[] = {
	{ "images/" HEX ".ext4", THING_IMAGE, false, "sha256:" HEX },
	{ "images/." HEX ".ext4.vmbake", THING_DRAFT, false, "." HEX ".ext4.vmbake" },
	{ "blobs/sha256/" HEX, THING_BLOB, false, "sha256:" HEX },
	{ "blobs/sha256/" HEX ".part", THING_BLOB, true, "sha256:" HEX },
	{ "kernels/" HEX, THING_KERNEL, false, "sha256:" HEX },
	{ "kernels/." HEX ".vmbake", THING_DRAFT, false, "." HEX ".vmbake" },
	{ "locks/layer-" HEX, THING_LOCK, false, "layer-" HEX },
	{ "locks/image-" HEX, THING_LOCK, false, "image-" HEX },
	{ "locks/driver-" DRIVER, THING_LOCK, false, "driver-" DRIVER },
};
enum { OUR_COUNT = sizeof(ours) / sizeof(ours[0]) };

START_TEST(file_of_ours_is_a_thing)
{
	char name[THING_NAME_BYTES];

	made_file(&store, ours[_i].path, "12345");
	made_time(&store, ours[_i].path, 1000);
	look();
	ck_assert_uint_eq(inventory.count, 1);
	ck_assert_uint_eq(inventory.foreign_count, 0);
	ck_assert_int_eq(inventory.items[0].kind, ours[_i].kind);
	ck_assert_int_eq(inventory.items[0].is_part, ours[_i].is_part);
	ck_assert_int_eq(inventory.items[0].last_use, 1000);
	ck_assert_uint_gt(inventory.items[0].bytes, 0);
	thing_name(&inventory.items[0], name);
	ck_assert_str_eq(name, ours[_i].name);
}
END_TEST

START_TEST(layer_has_its_entries_and_the_time_of_its_data)
{
	const struct digest diff_id = { .sha256 = { 7 } };
	char path[THING_PATH_BYTES];

	made_layer(&store, &diff_id, true);
	look();
	ck_assert_uint_eq(inventory.count, 1);
	ck_assert_int_eq(inventory.items[0].kind, THING_LAYER);
	ck_assert(inventory.items[0].knows_entries);
	ck_assert_uint_eq(inventory.items[0].entry_count, 1);
	ck_assert_uint_ge(inventory.items[0].bytes, 8192);
	thing_main_file(&inventory.items[0], path);
	made_time(&store, path, 1000);
	look();
	ck_assert_int_eq(inventory.items[0].last_use, 1000);
}
END_TEST

/* Files, symlinks ("> target") and folders ("…/") that vmbake does not make. */
static const char *const foreign[] = {
	"README",
	"images/" HEX,
	"images/" HEX ".ext4.bak",
	"images/x.ext4",
	"images/." HEX ".ext4.vmbak",
	"images/0" HEX ".ext4",
	"images/" HEX ".ext4/",
	"images/" HEX ".ext4> /etc/passwd",
	"blobs/README",
	"blobs/sha512/",
	"blobs/sha256/" HEX ".tmp",
	"blobs/sha256/" HEX "/",
	"layers/sha256/" HEX,
	"layers/sha256/" HEX "> /etc",
	"layers/sha256/ABCDEF6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/",
	"layers/lost+found/",
	"drivers/mine/",
	"drivers/535-78da1489e3d/",
	"kernels/vmlinux",
	"tmp/somebodys/",
	"tmp/0123456789abcdef",
	"locks/other-" HEX,
	"locks/layer-12",
	"locks/layer-" HEX "/",
};
enum { FOREIGN_COUNT = sizeof(foreign) / sizeof(foreign[0]) };

START_TEST(what_is_not_ours_is_foreign)
{
	char path[256];
	char *target = NULL;
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", foreign[_i]);

	target = strstr(path, "> ");
	if (target) {
		*target = '\0';
		ck_assert_int_eq(symlinkat(target + 2, store.dir_fd, path), 0);
	} else if (path[len - 1] == '/') {
		path[len - 1] = '\0';
		ck_assert_int_eq(mkdirat(store.dir_fd, path, 0755), 0);
	} else {
		made_file(&store, path, "1");
	}
	look();
	ck_assert_uint_eq(inventory.count, 0);
	ck_assert_uint_eq(inventory.foreign_count, 1);
	ck_assert_str_eq(inventory.foreign[0], path);
}
END_TEST

/* Who put something into a layer's folder would lose it with the layer. */
START_TEST(layer_with_something_else_in_it_is_foreign)
{
	const struct digest diff_id = { .sha256 = { 7 } };
	char hex[DIGEST_HEX_BYTES], path[THING_PATH_BYTES];

	made_layer(&store, &diff_id, true);
	digest_hex(&diff_id, hex);
	snprintf(path, sizeof(path), "layers/sha256/%s/diary", hex);
	made_file(&store, path, "dear");
	look();
	ck_assert_uint_eq(inventory.count, 0);
	ck_assert_uint_eq(inventory.foreign_count, 1);
}
END_TEST

START_TEST(a_file_systems_own_folder_is_passed_over)
{
	ck_assert_int_eq(mkdirat(store.dir_fd, "lost+found", 0700), 0);
	look();
	ck_assert_uint_eq(inventory.foreign_count, 0);
}
END_TEST

START_TEST(store_without_folders_is_empty)
{
	struct err err = { 0 };

	ck_assert(file_remove_tree(store.dir_fd, "images", &err));
	ck_assert(file_remove_tree(store.dir_fd, "blobs", &err));
	look();
	ck_assert_uint_eq(inventory.count, 0);
}
END_TEST

START_TEST(draft_counts_what_is_in_it)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	struct err err = { 0 };

	ck_assert(store_draft_open(&store, &draft, &err));
	ck_assert(file_make_dirs(draft.dir_fd, "a/b/c", 0755, &err));
	ck_assert(file_write_whole(draft.dir_fd, "a/b/c/f", 0644, view_of("x"), &err));
	look();
	ck_assert_uint_eq(inventory.count, 1);
	ck_assert_int_eq(inventory.items[0].kind, THING_DRAFT);
	ck_assert_uint_ge(inventory.items[0].bytes, 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, file_of_ours_is_a_thing, 0, OUR_COUNT);
	tcase_add_test(all, layer_has_its_entries_and_the_time_of_its_data);
	tcase_add_loop_test(all, what_is_not_ours_is_foreign, 0, FOREIGN_COUNT);
	tcase_add_test(all, layer_with_something_else_in_it_is_foreign);
	tcase_add_test(all, a_file_systems_own_folder_is_passed_over);
	tcase_add_test(all, store_without_folders_is_empty);
	tcase_add_test(all, draft_counts_what_is_in_it);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
