#include "fs/inode.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ext2fs/ext2fs.h>

/* As libext2fs's own struct has it. */
static struct ext2_inode_large encode(const struct inode *inode)
{
	struct ext2_inode_large out;
	uint8_t bytes[INODE_BYTES];

	inode_encode(bytes, inode);
	memcpy(&out, bytes, sizeof(out));
	return out;
}

static const struct {
	int64_t seconds;
	uint32_t low, epoch;
} times[] = {
	{ 0, 0, 0 },
	{ 1, 1, 0 },
	{ -1, 0xffffffff, 0 },
	{ INT32_MIN, 0x80000000, 0 },
	{ INT32_MAX, 0x7fffffff, 0 },
	{ (int64_t)INT32_MAX + 1, 0x80000000, 1 }, /* 2038 */
	{ (int64_t)UINT32_MAX, 0xffffffff, 1 },
	{ (int64_t)UINT32_MAX + 1, 0, 1 },
	{ (int64_t)1 << 33, 0, 2 },
	{ ((int64_t)3 << 32) + INT32_MIN - 1, 0x7fffffff, 2 }, /* 2310 */
	{ (int64_t)3 << 32, 0, 3 }, /* 2378 */
	{ ((int64_t)3 << 32) + INT32_MAX, 0x7fffffff, 3 }, /* 2446 */
};

START_TEST(each_time_is_kept)
{
	struct inode inode = { .mode = S_IFREG,
			       .mtime_seconds = times[_i].seconds,
			       .mtime_ns = 999999999,
			       .image_time = UINT32_MAX };
	struct ext2_inode_large out = encode(&inode);

	ck_assert_uint_eq(out.i_mtime, times[_i].low);
	ck_assert_uint_eq(out.i_mtime_extra, 999999999u << 2 | times[_i].epoch);
	ck_assert_uint_eq(out.i_atime, out.i_mtime);
	ck_assert_uint_eq(out.i_atime_extra, out.i_mtime_extra);
	ck_assert_uint_eq(out.i_ctime, UINT32_MAX);
	ck_assert_uint_eq(out.i_ctime_extra, 1);
	ck_assert_uint_eq(out.i_crtime, UINT32_MAX);
	ck_assert_uint_eq(out.i_crtime_extra, 1);
}
END_TEST

static const struct {
	int64_t seconds, clamped_seconds;
	uint32_t clamped_ns;
	bool is_outside;
} clamps[] = {
	{ 0, 0, 5, false },
	{ INT32_MIN, INT32_MIN, 5, false },
	{ (int64_t)INT32_MIN - 1, INT32_MIN, 0, true },
	{ INT64_MIN, INT32_MIN, 0, true },
	{ 10737418239, 10737418239, 5, false },
	{ 10737418240, 10737418239, 999999999, true },
	{ 12884901887, 10737418239, 999999999, true },
	{ 12884901888, 12884901888, 5, false },
	{ 15032385535, 15032385535, 5, false },
	{ 15032385536, 15032385535, 999999999, true },
	{ INT64_MAX, 15032385535, 999999999, true },
};

START_TEST(each_time_is_clamped_to_what_ext4_holds)
{
	int64_t seconds = clamps[_i].seconds;
	uint32_t ns = 5;

	ck_assert_int_eq(inode_clamp_time(&seconds, &ns), clamps[_i].is_outside);
	ck_assert_int_eq(seconds, clamps[_i].clamped_seconds);
	ck_assert_uint_eq(ns, clamps[_i].clamped_ns);
}
END_TEST

START_TEST(owners_keep_all_their_bits)
{
	struct ext2_inode_large out =
		encode(&(struct inode){ .uid = 0xfedcba98, .gid = 0x89abcdef });

	ck_assert_uint_eq(inode_uid(out), 0xfedcba98);
	ck_assert_uint_eq(inode_gid(out), 0x89abcdef);
}
END_TEST

START_TEST(sizes_keep_all_their_bits)
{
	struct inode inode = { .mode = S_IFREG | 07777,
			       .size = 0x123456789ab,
			       .block_count = (uint64_t)1 << 30,
			       .xattr_block = 0x123456789abc,
			       .link_count = 65000 };
	struct ext2_inode_large out = encode(&inode);

	ck_assert_uint_eq(EXT2_I_SIZE(&out), 0x123456789ab);
	ck_assert_uint_eq(out.i_blocks, 0);
	ck_assert_uint_eq(out.osd2.linux2.l_i_blocks_hi, 2);
	ck_assert_uint_eq(out.i_file_acl, 0x56789abc);
	ck_assert_uint_eq(out.osd2.linux2.l_i_file_acl_high, 0x1234);
	ck_assert_uint_eq(out.i_links_count, 65000);
	ck_assert_uint_eq(out.i_mode, S_IFREG | 07777);
	ck_assert_uint_eq(out.i_extra_isize, 32);
}
END_TEST

START_TEST(too_many_links_of_a_directory_are_one)
{
	ck_assert_uint_eq(encode(&(struct inode){ .link_count = 65001 }).i_links_count, 1);
}
END_TEST

/* As the kernel's old_encode_dev and new_encode_dev. */
static const struct {
	uint32_t major, minor, first, second;
} devices[] = {
	{ 1, 3, 0x103, 0 },
	{ 255, 255, 0xffff, 0 },
	{ 0, 0, 0, 0 },
	{ 256, 0, 0, 256 << 8 },
	{ 1, 256, 0, 1 << 8 | 256 << 12 },
	{ 4095, 1048575, 0, 0xfff << 8 | 0xff | 0xfffu << 20 },
};

START_TEST(each_device_is_encoded_as_the_kernel_does)
{
	uint8_t root[EXTENT_ROOT_BYTES];
	uint32_t words[2];

	memset(root, 0xaa, sizeof(root));
	inode_encode_device(root, devices[_i].major, devices[_i].minor);
	memcpy(words, root, sizeof(words));
	ck_assert_uint_eq(words[0], devices[_i].first);
	ck_assert_uint_eq(words[1], devices[_i].second);
	ck_assert_uint_eq(root[EXTENT_ROOT_BYTES - 1], 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("inode");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, each_time_is_kept, 0, COUNT(times));
	tcase_add_loop_test(all, each_time_is_clamped_to_what_ext4_holds, 0, COUNT(clamps));
	tcase_add_test(all, owners_keep_all_their_bits);
	tcase_add_test(all, sizes_keep_all_their_bits);
	tcase_add_test(all, too_many_links_of_a_directory_are_one);
	tcase_add_loop_test(all, each_device_is_encoded_as_the_kernel_does, 0, COUNT(devices));
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
