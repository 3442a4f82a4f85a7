#include "fs/xattrs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <ext2fs/ext2_ext_attr.h>
#include <ext2fs/ext2fs.h>

#include "tests/kit/fs/image_check.h"
#include "tests/kit/fs/made_tree.h"
#include "tests/kit/fs/scratch.h"

static struct made_tree made;
static struct err err;
static struct encoded_xattrs encoded;

static void begin(void)
{
	err = (struct err){ 0 };
	made_tree_begin(&made, -1);
}

static void end(void)
{
	made_tree_freep(&made);
}

/* One file with these, encoded. */
static bool encode(const struct xattr *xattrs, size_t count)
{
	made_tree_add(&made, &(struct entry){ .kind = ENTRY_FILE,
					      .path = view_of("f"),
					      .xattrs = xattrs,
					      .xattr_count = count });
	made_tree_finish(&made);
	return xattrs_encode(&encoded, &made.index, &made.index.entries[0], &err);
}

/* The image with them is sound, and libext2fs reads them back as they were. */
static void check_image(void)
{
	struct image_options options = made_options();
	struct image_result result;
	CLEANUP(fd_closep) int fd = scratch_file();

	ck_assert_msg(made_tree_write(&made, fd, &options, &result, &err), "%s", err.msg);
	image_check(fd, made.tree, options.time_seconds, "the image");
}

static struct xattr pair(const char *name, const char *value)
{
	return (struct xattr){ view_of(name), view_of(value) };
}

START_TEST(small_ones_lie_in_the_inode)
{
	struct xattr xattrs[] = { pair("user.a", "1"), pair("security.capability", "abcdefgh") };

	ck_assert_msg(encode(xattrs, 2), "%s", err.msg);
	ck_assert(encoded.in_inode && !encoded.in_block);
	check_image();
}
END_TEST

START_TEST(large_ones_lie_in_the_block)
{
	CLEANUP(freep) char *value = made_body(300, 1);
	struct xattr xattr = { view_of("user.a"), { value, 300 } };

	ck_assert_msg(encode(&xattr, 1), "%s", err.msg);
	ck_assert(!encoded.in_inode && encoded.in_block);
	check_image();
}
END_TEST

START_TEST(many_lie_in_both)
{
	CLEANUP(freep) char *value = made_body(300, 1);
	struct xattr xattrs[] = { pair("user.small", "value"),
				  { view_of("user.large"), { value, 300 } },
				  { view_of("security.x"), { value, 299 } },
				  { view_of("user.empty"), { NULL, 0 } },
				  { view_of("user.nul"), { "a\0b", 3 } } };

	ck_assert_msg(encode(xattrs, 5), "%s", err.msg);
	ck_assert(encoded.in_inode && encoded.in_block);
	check_image();
}
END_TEST

/* 4,096 less header, end, entry and name: the most that one value may be. */
START_TEST(the_largest_value_fits_and_one_byte_more_does_not)
{
	enum { MOST = 4096 - 32 - 4 - 20 };
	CLEANUP(freep) char *value = made_body(MOST + 1, 1);
	struct xattr xattr = { view_of("user.name"), { value, MOST } };

	ck_assert_msg(encode(&xattr, 1), "%s", err.msg);
	check_image();
	end();
	begin();
	xattr.value.len++;
	ck_assert(!encode(&xattr, 1));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(a_name_that_ext4_has_no_place_for_is_refused)
{
	struct xattr xattr = pair("btrfs.compression", "zstd");

	ck_assert(!encode(&xattr, 1));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "btrfs.compression"));
}
END_TEST

START_TEST(a_name_over_255_bytes_is_refused)
{
	CLEANUP(freep) char *name = made_body(270, 1);
	struct xattr xattr = { { name, 5 + 256 }, view_of("v") };

	memcpy(name, "user.", 5);
	ck_assert(!encode(&xattr, 1));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

/* version, then tag, permissions, id; all little-endian. ext4 does not keep the ids of entries that
 * need none, and libext2fs gives them back as 0, where the kernel says -1. */
#define ACL_HEAD "\x02\0\0\0"
#define ACL_ENTRY(tag, permissions, id) tag "\0" permissions "\0" id
#define NO_ID "\0\0\0\0"
static const char acl[] = ACL_HEAD ACL_ENTRY("\x01", "\x06", NO_ID)
	ACL_ENTRY("\x02", "\x07", "\xe8\x03\0\0") ACL_ENTRY("\x04", "\x04", NO_ID)
	ACL_ENTRY("\x08", "\x05", "\x01\0\x01\0") ACL_ENTRY("\x10", "\x07", NO_ID)
	ACL_ENTRY("\x20", "\x04", NO_ID);

START_TEST(acls_are_read_back_as_they_were)
{
	struct xattr xattr = { view_of("system.posix_acl_access"), { acl, sizeof(acl) - 1 } };

	ck_assert_msg(encode(&xattr, 1), "%s", err.msg);
	check_image();
}
END_TEST

static const struct {
	const char *value;
	size_t len;
} bad_acls[] = {
	{ "", 0 },
	{ "\x02\0\0", 3 },
	{ "\x01\0\0\0", 4 },
	{ ACL_HEAD "x", 5 },
	{ ACL_HEAD "\x01\0\x06\0\xff\xff\xff", 11 },
};

START_TEST(each_malformed_acl_is_refused)
{
	struct xattr xattr = { view_of("system.posix_acl_access"),
			       { bad_acls[_i].value, bad_acls[_i].len } };

	ck_assert(!encode(&xattr, 1));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

/* The kernel searches a block by prefix, length, then bytes, and gives up early. */
START_TEST(entries_in_a_block_are_in_the_kernel_s_order)
{
	CLEANUP(freep) char *value = made_body(200, 1);
	struct view large = { value, 200 };
	struct xattr xattrs[] = { { view_of("security.a"), large }, { view_of("user.bb"), large },
				  { view_of("user.ba"), large },    { view_of("user.c"), large },
				  { view_of("trusted.x"), large } };
	static const char *const wanted[] = { "c", "ba", "bb", "x", "a" };
	const uint8_t *at = encoded.block + 32;

	ck_assert_msg(encode(xattrs, 5), "%s", err.msg);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(at[0], strlen(wanted[i]));
		ck_assert_mem_eq(at + 16, wanted[i], at[0]);
		at += 16 + ((at[0] + 3u) & ~3u);
	}
	check_image();
}
END_TEST

START_TEST(hashes_are_libext2fs_s)
{
	CLEANUP(freep) char *value = made_body(200, 1);
	struct xattr xattrs[] = { { view_of("user.odd"), { value, 199 } },
				  { view_of("user.even"), { value, 200 } } };
	_Alignas(8) uint8_t block[INDEX_BLOCK_BYTES]; /* as the library likes it */
	uint8_t *at = block + 32;

	ck_assert_msg(encode(xattrs, 2), "%s", err.msg);
	memcpy(block, encoded.block, sizeof(block));
	for (size_t i = 0; i < 2; i++) {
		struct ext2_ext_attr_entry *entry = (struct ext2_ext_attr_entry *)(void *)at;

		ck_assert_uint_eq(entry->e_hash,
				  ext2fs_ext_attr_hash_entry(entry, block + entry->e_value_offs));
		at += 16 + ((at[0] + 3u) & ~3u);
	}
}
END_TEST

START_TEST(names_that_are_not_ascii_are_read_back)
{
	CLEANUP(freep) char *value = made_body(300, 1);
	struct xattr xattrs[] = { pair("user.\xc3\xa4", "small"),
				  { view_of("user.\xc3\xb6"), { value, 300 } } };

	ck_assert_msg(encode(xattrs, 2), "%s", err.msg);
	check_image();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xattrs");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, small_ones_lie_in_the_inode);
	tcase_add_test(all, large_ones_lie_in_the_block);
	tcase_add_test(all, many_lie_in_both);
	tcase_add_test(all, the_largest_value_fits_and_one_byte_more_does_not);
	tcase_add_test(all, a_name_that_ext4_has_no_place_for_is_refused);
	tcase_add_test(all, a_name_over_255_bytes_is_refused);
	tcase_add_test(all, acls_are_read_back_as_they_were);
	tcase_add_loop_test(all, each_malformed_acl_is_refused, 0,
			    sizeof(bad_acls) / sizeof(bad_acls[0]));
	tcase_add_test(all, entries_in_a_block_are_in_the_kernel_s_order);
	tcase_add_test(all, hashes_are_libext2fs_s);
	tcase_add_test(all, names_that_are_not_ascii_are_read_back);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
