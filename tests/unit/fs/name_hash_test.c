#include "fs/name_hash.h"

#include <check.h>
#include <stdlib.h>

#include <ext2fs/ext2fs.h>

#define LETTERS_32 "0123456789abcdef0123456789abcdef"
#define X_51 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const uint8_t seed_bytes[HASH_SEED_BYTES] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
						     0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
						     0xcc, 0xdd, 0xee, 0xff };
static const uint8_t zero_bytes[HASH_SEED_BYTES];

/* What debugfs says: dx_hash -h half_md4 [-s 00112233-4455-6677-8899-aabbccddeeff] NAME. */
static const struct {
	const uint8_t *seed;
	const char *name;
	struct name_hash hash;
} cases[] = {
	{ seed_bytes, "a", { 0x93752ee6, 0x578c30ba } },
	{ zero_bytes, "a", { 0xd5fa7d7a, 0xacb48187 } },
	{ seed_bytes, "abc", { 0xb1cd624a, 0x9519aec5 } },
	{ seed_bytes, "abcd", { 0xf4e4a464, 0x2b729f00 } },
	{ zero_bytes, "passwd", { 0xeadd3d7e, 0xcbee5b04 } },
	{ seed_bytes, "file-0000001.txt", { 0x05b3f5ca, 0x03c77d8b } },
	{ seed_bytes, LETTERS_32, { 0xaee06ebe, 0x74041f4c } },
	{ seed_bytes, LETTERS_32 "0", { 0xa7ddd780, 0x8c74e9aa } },
	{ seed_bytes, "\xc3\xa9", { 0x25006816, 0xc6f432af } },
	{ seed_bytes, "ab\x80", { 0x10a3a754, 0xabfd0430 } },
	{ zero_bytes, "ab\x80", { 0xd694b1ea, 0x13d8f7a3 } },
	{ seed_bytes, "na\xc3\xafve-\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e-name",
	  { 0x6aafa534, 0xfd522c44 } },
	{ seed_bytes, X_51 X_51 X_51 X_51 X_51, { 0x5966f920, 0x26281ca3 } },
	{ zero_bytes, X_51 X_51 X_51 X_51 X_51, { 0x2aa7169e, 0x655f9d9c } },
};

START_TEST(names_hash_as_debugfs_says)
{
	struct hash_seed seed = hash_seed_of(cases[_i].seed);
	struct name_hash hash = name_hash(&seed, view_of(cases[_i].name));

	ck_assert_uint_eq(hash.major, cases[_i].hash.major);
	ck_assert_uint_eq(hash.minor, cases[_i].hash.minor);
}
END_TEST

/* One of each length, with bytes of all values. */
START_TEST(names_of_any_length_hash_as_libext2fs_does)
{
	struct hash_seed seed = hash_seed_of(seed_bytes);
	uint32_t words[4], major = 0, minor = 0;
	char name[255];
	int len = _i;

	srandom((unsigned)len);
	for (int i = 0; i < len; i++)
		name[i] = (char)random();
	memcpy(words, seed_bytes, sizeof(words));
	ck_assert_int_eq(
		ext2fs_dirhash(EXT2_HASH_HALF_MD4, name, len, words, &major, &minor), 0);
	struct name_hash hash = name_hash(&seed, (struct view){ name, (size_t)len });

	ck_assert_uint_eq(hash.major, major);
	ck_assert_uint_eq(hash.minor, minor);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("name_hash");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, names_hash_as_debugfs_says, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(all, names_of_any_length_hash_as_libext2fs_does, 1, 256);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
