#include "base/digest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* FIPS 180-2, appendix B.1: "abc". */
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START_TEST(digest_of_abc_is_the_published_one)
{
	struct digest digest = digest_of("abc", 3);
	char text[DIGEST_TEXT_BYTES], hex[DIGEST_HEX_BYTES];

	digest_text(&digest, text);
	digest_hex(&digest, hex);
	ck_assert_str_eq(text, ABC);
	ck_assert_str_eq(hex, ABC + strlen("sha256:"));
}
END_TEST

START_TEST(running_hash_goes_on_after_a_look)
{
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	struct err err = { 0 };
	char text[DIGEST_TEXT_BYTES];

	ck_assert(sha256_new(&hash, &err));
	struct digest none = sha256_now(hash);

	sha256_add(hash, "a", 1);
	sha256_now(hash);
	sha256_add(hash, "bc", 2);
	struct digest abc = sha256_now(hash);

	digest_text(&none, text);
	ck_assert_str_eq(text, EMPTY);
	digest_text(&abc, text);
	ck_assert_str_eq(text, ABC);
}
END_TEST

/* Pieces of all lengths around a block, at all phases of both hashes. */
START_TEST(two_at_once_are_what_each_is_alone)
{
	enum { BYTES = 5000 };
	CLEANUP(sha256_freep) struct sha256 *first = NULL, *second = NULL;
	static uint8_t data[2 * BYTES];
	struct err err = { 0 };
	size_t start = (size_t)_i, at = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + i / 256);
	ck_assert(sha256_new(&first, &err) && sha256_new(&second, &err));
	sha256_add(second, data + BYTES, start);
	for (size_t len = 1 + start % 3; at + start + len <= BYTES; at += len, len += 13)
		sha256_add_both(first, data + at, second, data + BYTES + start + at, len);
	struct digest found = sha256_now(first), wanted = digest_of(data, at);

	ck_assert(digest_equal(&found, &wanted));
	found = sha256_now(second);
	wanted = digest_of(data + BYTES, start + at);
	ck_assert(digest_equal(&found, &wanted));
}
END_TEST

START_TEST(two_at_once_on_whole_blocks_are_what_each_is_alone)
{
	CLEANUP(sha256_freep) struct sha256 *first = NULL, *second = NULL;
	static uint8_t data[2][64 * 40];
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(data[0]); i++) {
		data[0][i] = (uint8_t)(i * 7);
		data[1][i] = (uint8_t)(i * 11 + i / 64);
	}
	ck_assert(sha256_new(&first, &err) && sha256_new(&second, &err));
	sha256_add_both(first, data[0], second, data[1], 64 * 3);
	sha256_add_both(first, data[0] + 64 * 3, second, data[1] + 64 * 3, 64 * 37);
	for (int i = 0; i < 2; i++) {
		struct digest found = sha256_now(i ? second : first);
		struct digest wanted = digest_of(data[i], sizeof(data[i]));

		ck_assert(digest_equal(&found, &wanted));
	}
}
END_TEST

START_TEST(text_and_digest_are_each_others_inverse)
{
	struct digest digest, abc = digest_of("abc", 3), other = digest_of("abd", 3);
	struct err err = { 0 };

	ck_assert(digest_parse(&digest, view_of(ABC), &err));
	ck_assert(digest_equal(&digest, &abc));
	ck_assert(!digest_equal(&digest, &other));
}
END_TEST

#define HEX_30 "0123456789abcdef0123456789abcd"
#define HEX_62 HEX_30 HEX_30 "ef"

static const struct {
	const char *text;
	enum err_kind kind;
} refused[] = {
	{ "", ERR_FORMAT },
	{ "sha256:", ERR_FORMAT },
	{ "sha256", ERR_FORMAT },
	{ HEX_62 "ab", ERR_FORMAT },
	{ "sha256:" HEX_62 "a", ERR_FORMAT },
	{ "sha256:" HEX_62 "abc", ERR_FORMAT },
	{ "sha256:" HEX_62 "AB", ERR_FORMAT },
	{ "sha256:" HEX_62 "g0", ERR_FORMAT },
	{ "SHA256:" HEX_62 "ab", ERR_FORMAT },
	{ "sha512:" HEX_62 "ab" HEX_62 "ab", ERR_UNSUPPORTED },
	{ "blake3:" HEX_62 "ab", ERR_UNSUPPORTED },
};

enum { REFUSED_COUNT = sizeof(refused) / sizeof(refused[0]) };

START_TEST(anything_else_is_refused_and_out_untouched)
{
	struct digest digest = digest_of("before", 6), before = digest;
	struct err err = { 0 };

	ck_assert(!digest_parse(&digest, view_of(refused[_i].text), &err));
	ck_assert_int_eq(err.kind, refused[_i].kind);
	ck_assert(digest_equal(&digest, &before));
}
END_TEST

/* Version 8 and the variant of RFC 9562, all else as it stands in the digest. */
START_TEST(uuid_is_the_digest_but_for_its_version)
{
	static const uint8_t expected[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x8f, 0xff,
					    0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct digest digest;
	uint8_t uuid[DIGEST_UUID_BYTES];

	memset(&digest, 0xff, sizeof(digest));
	digest_uuid(&digest, uuid);
	ck_assert_mem_eq(uuid, expected, sizeof(uuid));
}
END_TEST

START_TEST(other_algorithm_is_named)
{
	struct digest digest;
	struct err err = { 0 };

	ck_assert(!digest_parse(&digest, view_of("sha512:" HEX_62), &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "sha512:0123"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest");
	TCase *tests = tcase_create("digest");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, digest_of_abc_is_the_published_one);
	tcase_add_test(tests, running_hash_goes_on_after_a_look);
	tcase_add_loop_test(tests, two_at_once_are_what_each_is_alone, 0, 130);
	tcase_add_test(tests, two_at_once_on_whole_blocks_are_what_each_is_alone);
	tcase_add_test(tests, text_and_digest_are_each_others_inverse);
	tcase_add_loop_test(tests, anything_else_is_refused_and_out_untouched, 0, REFUSED_COUNT);
	tcase_add_test(tests, uuid_is_the_digest_but_for_its_version);
	tcase_add_test(tests, other_algorithm_is_named);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
