#include "drivers/import/run_file.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct run_file run;
static struct err err;

/* A payload that starts like gzip; what cksum and md5sum say of these bytes. */
#define PAYLOAD "\x1f\x8b" "made payload"
#define CRC "3424804414"
#define MD5 "29ab5809da942725664d1682b33cbded"

/* As NVIDIA's makeself writes them, cut down to what counts. */
#define NVIDIAS(crc, md5)                                                                     \
	"#! /bin/sh\nCRCsum=" crc "\nMD5=" md5 "\nskip=9\nlabel=\"made\"\n"               \
	"sum1=`tail -n +4 $0 | cksum | awk '{print $1}'`\n\x7f" "ELF skip=2\nCRCsum=1\n"    \
	PAYLOAD
#define OLDER(crc, md5)                                                                       \
	"#!/bin/sh\nskip=7\nCRCsum=" crc "\nMD5=" md5 "\nlabel=\"made\"\n"                \
	"sum1=`tail -n +6 $0 | cksum | awk '{print $1}'`\n" PAYLOAD

static const struct {
	const char *text, *reason;
} good[] = {
	{ "#!/bin/sh\nskip=4\nCRCsum=" CRC "\n" PAYLOAD, "line 4 is the payload's first" },
	{ "#!/bin/sh\nCRCsum=\"" CRC "\"\nMD5=\"" MD5 "\"\nskip=\"4\"\n" PAYLOAD,
	  "makeself 2: line 4 is the script's last" },
	{ "#!/bin/sh\nfilesizes=\"14\"\nlabel=\"a b\"\nskip=\"4\"\n" PAYLOAD "behind",
	  "what is behind the payload is not of it" },
	{ "#!/bin/sh\nfilesizes=\"0\"\nskip=\"3\"\n" PAYLOAD, "no size is none" },
	{ NVIDIAS("4196804626", "112d21d1d2e82fc9da214ff18613e498"),
	  "NVIDIA's: sums of all from line 4 on, and a decompressor in lines 7 and 8" },
	{ OLDER("3092807896", "cbfae171177bdd9419e79db5fa8c9e46"), "release 304: from line 6 on" },
	{ "#!/bin/sh\nCRCsum=\"0000000000\"\nMD5=\"00000000000000000000000000000000\"\n"
	  "skip=\"4\"\n" PAYLOAD, "zeros are no checksums" },
};

START_TEST(the_payload_is_found)
{
	ck_assert_msg(run_file_parse(&run, view_of(good[_i].text), &err), "%s", err.msg);
	ck_assert_msg(view_equal(run.payload, PAYLOAD), "%s", good[_i].reason);
	ck_assert_msg(run_file_check(&run, &err), "%s", err.msg);
}
END_TEST

static const struct {
	const char *text, *sentence;
	enum err_kind kind;
} bad[] = {
	{ "", "not a self-extracting archive", ERR_FORMAT },
	{ "\x7f" "ELF", "not a self-extracting archive", ERR_FORMAT },
	{ "#!/bin/sh\necho hello\n", "payload starts", ERR_FORMAT },
	{ "#!/bin/sh\nskip=0\n" PAYLOAD, "payload starts", ERR_FORMAT },
	{ "#!/bin/sh\nskip=99999999999999999999\n" PAYLOAD, "payload starts", ERR_FORMAT },
	{ "#!/bin/sh\nskip=3\n", "ends before", ERR_FORMAT },
	{ "#!/bin/sh\nskip=300\n" PAYLOAD, "ends before", ERR_FORMAT },
	{ "#!/bin/sh\nskip=3\nLZIP\n&SY", "neither", ERR_UNSUPPORTED },
	{ "#!/bin/sh\nfilesizes=\"15\"\nskip=4\n" PAYLOAD, "cut off", ERR_INTEGRITY },
	{ "#!/bin/sh\nfilesizes=\"15\"\nskip=\"3\"\n" PAYLOAD, "cut off", ERR_INTEGRITY },
};

START_TEST(what_is_off_is_named)
{
	ck_assert(!run_file_parse(&run, view_of(bad[_i].text), &err));
	ck_assert_msg(err.kind == bad[_i].kind, "%s", err.msg);
	ck_assert_msg(strstr(err.msg, bad[_i].sentence), "%s", err.msg);
}
END_TEST

static const struct {
	const char *text, *sentence;
} damaged[] = {
	{ "#!/bin/sh\nCRCsum=\"1\"\nskip=\"3\"\n" PAYLOAD, "CRC" },
	{ "#!/bin/sh\nCRCsum=" CRC "\nskip=\"3\"\n" PAYLOAD "x", "CRC" },
	{ "#!/bin/sh\nMD5=\"" MD5 "\"\nskip=\"3\"\n" PAYLOAD "x", "MD5" },
	{ NVIDIAS(CRC, MD5), "CRC" },
	{ NVIDIAS("4196804626", "112d21d1d2e82fc9da214ff18613e498") "x", "CRC" },
	{ NVIDIAS("4196804626", MD5), "MD5" },
};

START_TEST(damage_is_told)
{
	ck_assert(run_file_parse(&run, view_of(damaged[_i].text), &err));
	ck_assert(!run_file_check(&run, &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	ck_assert_msg(strstr(err.msg, damaged[_i].sentence), "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drivers/run_file");
	TCase *tests = tcase_create("run_file");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, the_payload_is_found, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tests, what_is_off_is_named, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_loop_test(tests, damage_is_told, 0, sizeof(damaged) / sizeof(damaged[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
