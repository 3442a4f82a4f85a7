#include "builder/guest_layer.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "builder/init_binary.h"
#include "drivers/elf/elf.h"
#include "layers/content.h"
#include "layers/merge.h"
#include "layers/tree_walk.h"

static struct tree *tree;
static struct index lower;
static struct bytes lower_bytes;
static struct synthetic_layer guest;
static struct err err;

static const struct boot_config config = {
	.user = { .home = "/root" },
	.working_dir = "/",
	.stop_signal = 15,
};

static void start(void)
{
	guest = SYNTHETIC_LAYER_NONE;
	lower_bytes = bytes_capped(1 << 20);
	ck_assert(tree_new(&tree, &err));
}

static void end(void)
{
	tree_freep(&tree);
	synthetic_layer_freep(&guest);
	bytes_freep(&lower_bytes);
}

/* One image layer with this one entry. */
static void make_image(enum entry_kind kind, const char *path, const char *link)
{
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	const struct digest none = { 0 };
	const struct entry entry = { .kind = kind,
				     .path = view_of(path),
				     .link = view_of(link),
				     .mode = 0700,
				     .uid = 7 };

	ck_assert(index_builder_new(&builder, &err));
	ck_assert(index_builder_add(builder, &entry, &err));
	ck_assert(index_builder_finish(builder, 0, &none, &lower_bytes, &err));
	ck_assert(index_parse(&lower, bytes_view(&lower_bytes), &err));
	ck_assert(merge_layer(tree, &lower, 0, &err));
}

static struct guest_layer_content content_for(const char *architecture)
{
	return (struct guest_layer_content){ .config = &config,
					     .image_json = view_of("{}"),
					     .architecture = architecture };
}

static void add_guest(void)
{
	struct guest_layer_content content = content_for("amd64");

	ck_assert_msg(guest_layer_make(&guest, tree, &content, 1, &err), "%s", err.msg);
	ck_assert_msg(merge_layer(tree, &guest.index, 1, &err), "%s", err.msg);
}

static const struct tree_inode *find(const char *path)
{
	uint32_t inode = TREE_NONE;

	ck_assert(tree_walk(tree, view_of(path), false, &inode, &err));
	return inode == TREE_NONE ? NULL : tree_inode(tree, inode);
}

START_TEST(empty_image_gets_init_and_mount_points)
{
	add_guest();
	ck_assert_uint_eq(find("/.vmbake/init")->entry->mode, 0755);
	ck_assert_uint_eq(find("/tmp")->entry->mode, 01777);
	ck_assert(find("/proc")->is_dir && find("/sys")->is_dir && find("/dev")->is_dir &&
		  find("/run")->is_dir);
	ck_assert_int_eq(find("/proc")->entry->mtime_seconds, 1);
}
END_TEST

START_TEST(folder_that_the_image_has_keeps_its_attributes)
{
	make_image(ENTRY_DIR, "tmp", "");
	add_guest();
	ck_assert_uint_eq(find("/tmp")->entry->mode, 0700);
	ck_assert_uint_eq(find("/tmp")->entry->uid, 7);
}
END_TEST

START_TEST(files_that_init_covers_are_there_and_empty)
{
	add_guest();
	ck_assert_int_eq(find("/etc/resolv.conf")->entry->kind, ENTRY_FILE);
	ck_assert_uint_eq(find("/etc/hosts")->entry->size, 0);
}
END_TEST

START_TEST(image_whose_etc_is_no_folder_is_left_alone)
{
	make_image(ENTRY_SYMLINK, "etc", "nowhere");
	add_guest();
	ck_assert_int_eq(find("/etc")->entry->kind, ENTRY_SYMLINK);
}
END_TEST

START_TEST(symlink_in_a_mount_points_place_stays)
{
	make_image(ENTRY_SYMLINK, "run", "var/run");
	add_guest();
	ck_assert_int_eq(find("/run")->entry->kind, ENTRY_SYMLINK);
}
END_TEST

START_TEST(what_an_image_hides_in_our_folder_is_gone)
{
	make_image(ENTRY_DIR, ".vmbake/initrd.json", "");
	add_guest();
	ck_assert_ptr_null(find("/.vmbake/initrd.json"));
	ck_assert_ptr_nonnull(find("/.vmbake/image.json"));
}
END_TEST

START_TEST(link_in_our_folders_place_leads_nowhere)
{
	make_image(ENTRY_SYMLINK, ".vmbake", "elsewhere");
	add_guest();
	ck_assert(find("/.vmbake")->is_dir);
	ck_assert_ptr_null(find("/elsewhere"));
}
END_TEST

START_TEST(configuration_in_the_layer_is_the_one_given)
{
	CLEANUP(bytes_freep) struct bytes json = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	CLEANUP(boot_config_freep) struct boot_config parsed = { 0 };
	int fds[] = { -1, -1 };

	add_guest();
	fds[1] = guest.data_fd;
	ck_assert_msg(content_slurp(tree, fds, BOOT_CONFIG_PATH, &json, &err), "%s", err.msg);
	ck_assert(boot_config_parse(&parsed, bytes_view(&json), &err));
	ck_assert_str_eq(parsed.user.home, "/root");
}
END_TEST

START_TEST(same_inputs_give_the_same_layer)
{
	CLEANUP(synthetic_layer_freep) struct synthetic_layer again = SYNTHETIC_LAYER_NONE;
	struct guest_layer_content content = content_for("amd64");

	ck_assert(guest_layer_make(&guest, tree, &content, 1, &err));
	ck_assert(guest_layer_make(&again, tree, &content, 1, &err));
	ck_assert(view_same(bytes_view(&guest.index_bytes), bytes_view(&again.index_bytes)));
}
END_TEST

START_TEST(init_is_of_the_images_architecture)
{
	static const struct {
		const char *architecture;
		uint16_t machine;
	} rows[] = { { "amd64", EM_X86_64 }, { "arm64", EM_AARCH64 } };
	struct view init;
	struct elf elf;

	ck_assert(init_binary_find(&init, rows[_i].architecture, &err));
	ck_assert(elf_open(&elf, init, &err));
	ck_assert_int_eq(elf.machine, rows[_i].machine);
	ck_assert_int_eq(elf.type, ET_EXEC);
}
END_TEST

START_TEST(architecture_without_init_is_unsupported)
{
	struct guest_layer_content content = content_for("s390x");
	struct digest digest;

	ck_assert(!guest_layer_make(&guest, tree, &content, 1, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert(!guest_layer_init_digest(&digest, "s390x", &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest_layer");
	TCase *tests = tcase_create("guest_layer");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, empty_image_gets_init_and_mount_points);
	tcase_add_test(tests, folder_that_the_image_has_keeps_its_attributes);
	tcase_add_test(tests, files_that_init_covers_are_there_and_empty);
	tcase_add_test(tests, image_whose_etc_is_no_folder_is_left_alone);
	tcase_add_test(tests, symlink_in_a_mount_points_place_stays);
	tcase_add_test(tests, what_an_image_hides_in_our_folder_is_gone);
	tcase_add_test(tests, link_in_our_folders_place_leads_nowhere);
	tcase_add_test(tests, configuration_in_the_layer_is_the_one_given);
	tcase_add_test(tests, same_inputs_give_the_same_layer);
	tcase_add_loop_test(tests, init_is_of_the_images_architecture, 0, 2);
	tcase_add_test(tests, architecture_without_init_is_unsupported);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
