#include "init/partition.h"

#include <string.h>

#include "suite.h"

static char table[PARTITION_TABLE_BYTES];
static char uuid[PARTITION_UUID_BYTES];

static struct view whole(void)
{
	return (struct view){ table, sizeof(table) };
}

static void put_mbr(void)
{
	memset(table, 0, sizeof(table));
	memcpy(table + 440, "\x78\x56\x34\x12", 4);
	memcpy(table + 510, "\x55\xaa", 2);
}

/* Entries of 128 bytes, the second in use: 12345678-9ABC-DEF0-1122-334455667788. */
static void put_gpt(size_t sector_bytes)
{
	char *header = table + sector_bytes, *entry = table + 2 * sector_bytes + 128;

	put_mbr();
	memcpy(header, "EFI PART", 8);
	header[72] = 2;
	memcpy(header + 80, "\x80\0\0\0\x80\0\0\0", 8);
	memcpy(entry + 16, "\x78\x56\x34\x12\xbc\x9a\xf0\xde\x11\x22\x33\x44\x55\x66\x77\x88", 16);
}

START_TEST(mbr_partition_is_its_disks_signature_and_a_number)
{
	put_mbr();
	ck_assert(partition_uuid(whole(), 1, uuid));
	ck_assert_str_eq(uuid, "12345678-01");
	ck_assert(partition_uuid(whole(), 12, uuid));
	ck_assert_str_eq(uuid, "12345678-0c");
	ck_assert(!partition_uuid(whole(), 0, uuid));
	ck_assert(!partition_uuid((struct view){ table, 511 }, 1, uuid));
}
END_TEST

START_TEST(gpt_partition_has_a_guid)
{
	put_gpt(_i == 0 ? 512 : 4096);
	ck_assert(partition_uuid(whole(), 2, uuid));
	ck_assert_str_eq(uuid, "12345678-9abc-def0-1122-334455667788");
}
END_TEST

START_TEST(gpt_that_points_outside_is_not_followed)
{
	put_gpt(512);
	memset(table + 512 + 72, 0xff, 8);
	ck_assert(partition_uuid(whole(), 2, uuid)); /* what the protective MBR says */
	ck_assert_str_eq(uuid, "12345678-02");
	put_gpt(512);
	memset(table + 512 + 84, 0xff, 4);
	ck_assert(partition_uuid(whole(), 2, uuid));
	ck_assert_str_eq(uuid, "12345678-02");
}
END_TEST

START_TEST(disk_without_a_table_has_no_partitions)
{
	memset(table, 0, sizeof(table));
	ck_assert(!partition_uuid(whole(), 1, uuid));
	ck_assert(!partition_uuid((struct view){ 0 }, 1, uuid));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("partition");

	tcase_add_test(tests, mbr_partition_is_its_disks_signature_and_a_number);
	tcase_add_loop_test(tests, gpt_partition_has_a_guid, 0, 2);
	tcase_add_test(tests, gpt_that_points_outside_is_not_followed);
	tcase_add_test(tests, disk_without_a_table_has_no_partitions);
	return suite_run(tests, "partition");
}
