#include "init/disk.h"

#include <string.h>

#include "suite.h"

static char start[DISK_PROBE_BYTES];
static struct disk_facts facts;

static void read_facts(size_t len)
{
	disk_read_facts((struct view){ start, len }, &facts);
}

START_TEST(ext4_gives_its_label_and_uuid)
{
	memcpy(start + 1024 + 56, "\x53\xef", 2);
	memcpy(start + 1024 + 104, "\x01\x23\x45\x67\x89\xab\xcd\xef\0\0\0\0\0\0\0\xff", 16);
	memcpy(start + 1024 + 120, "sixteen-bytes-ok", 16);
	read_facts(sizeof(start));
	ck_assert_str_eq(facts.type, "ext4");
	ck_assert_str_eq(facts.label, "sixteen-bytes-ok");
	ck_assert_str_eq(facts.uuid, "01234567-89ab-cdef-0000-0000000000ff");
}
END_TEST

START_TEST(xfs_and_erofs_are_known)
{
	memcpy(start, "XFSB", 4);
	memcpy(start + 108, "data", 4);
	read_facts(sizeof(start));
	ck_assert_str_eq(facts.type, "xfs");
	ck_assert_str_eq(facts.label, "data");
	memset(start, 0, sizeof(start));
	memcpy(start + 1024, "\xe2\xe1\xf5\xe0", 4);
	read_facts(sizeof(start));
	ck_assert_str_eq(facts.type, "erofs");
}
END_TEST

START_TEST(short_or_unknown_starts_are_nothing)
{
	memcpy(start + 1024 + 56, "\x53\xef", 2);
	read_facts(sizeof(start) - 1);
	ck_assert_ptr_null(facts.type);
	memset(start, 0xff, sizeof(start));
	read_facts(sizeof(start));
	ck_assert_ptr_null(facts.type);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("disk");

	tcase_add_test(tests, ext4_gives_its_label_and_uuid);
	tcase_add_test(tests, xfs_and_erofs_are_known);
	tcase_add_test(tests, short_or_unknown_starts_are_nothing);
	return suite_run(tests, "disk");
}
