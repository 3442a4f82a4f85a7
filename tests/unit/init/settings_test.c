#include "init/contract/settings.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "init/contract/settings_disk.h"
#include "init/contract/settings_keys.h"
#include "init/settings_source.h"
#include "suite.h"

static struct settings settings;
static struct json_t *document;
static struct err err;

static void start(void)
{
	settings = settings_default();
}

static void end(void)
{
	settings_freep(&settings);
	json_freep(&document);
}

static bool apply(const char *json)
{
	json_freep(&document);
	ck_assert_msg(json_parse(&document, view_of(json), &err), "%s", err.msg);
	return settings_apply(&settings, document, &err);
}

static bool apply_cmdline(const char *text)
{
	json_freep(&document);
	return settings_from_cmdline(&document, view_of(text), &err) &&
	       settings_apply(&settings, document, &err);
}

START_TEST(nothing_set_means_the_defaults)
{
	ck_assert(apply("{}"));
	ck_assert(settings.gpu_scan && settings.lock_modules && !settings.grow);
	ck_assert_uint_eq(settings.grace_seconds, 10);
	ck_assert_ptr_null(settings.entrypoint.items);
}
END_TEST

START_TEST(later_document_replaces_keys_and_adds_variables)
{
	ck_assert(apply("{\"hostname\":\"a\",\"cmd\":[\"x\"],\"grow\":true,"
			"\"env\":{\"A\":\"1\"}}"));
	ck_assert(apply("{\"hostname\":\"b\",\"env\":{\"A\":\"2\",\"B\":\"3\"}}"));
	ck_assert_str_eq(settings.hostname, "b");
	ck_assert_str_eq(settings.cmd.items[0], "x");
	ck_assert(settings.grow);
	ck_assert_uint_eq(settings.env.count, 3);
	ck_assert_str_eq(settings.env.items[1].value, "2");
}
END_TEST

START_TEST(network_and_mounts_are_read_whole)
{
	ck_assert_msg(apply("{\"network\":[{\"mac\":\"52:54:00:00:00:01\",\"addresses\":"
			    "[\"10.0.0.2/24\"],\"mtu\":9000,\"routes\":[{\"to\":\"default\","
			    "\"via\":\"10.0.0.1\"}]}],\"mounts\":[{\"source\":\"LABEL=d\","
			    "\"target\":\"/d\",\"read-only\":true}]}"),
		      "%s", err.msg);
	ck_assert_uint_eq(settings.interfaces[0].mtu, 9000);
	ck_assert_ptr_null(settings.interfaces[0].name);
	ck_assert_str_eq(settings.interfaces[0].routes[0].via, "10.0.0.1");
	ck_assert(settings.mounts[0].is_read_only);
	ck_assert_str_eq(settings.mounts[0].options, "");
}
END_TEST

static const struct {
	const char *json, *part;
} broken[] = {
	{ "{\"cmd\":\"sleep\"}", "\"cmd\"" },
	{ "{\"env\":[\"A=b\"]}", "\"env\"" },
	{ "{\"env\":{\"A\":1}}", "\"A\" of \"env\"" },
	{ "{\"workdir\":\"srv\"}", "\"workdir\"" },
	{ "{\"grow\":\"on\"}", "\"grow\"" },
	{ "{\"shutdown\":\"halt\"}", "\"shutdown\" cannot be \"halt\"" },
	{ "{\"gpu\":\"maybe\"}", "\"gpu\"" },
	{ "{\"grace-seconds\":-1}", "\"grace-seconds\"" },
	{ "{\"grace-seconds\":86401}", "\"grace-seconds\"" },
	{ "{\"mounts\":[{\"source\":\"tmpfs\"}]}", "\"target\"" },
	{ "{\"mounts\":[{\"target\":\"/x\"}]}", "\"source\"" },
	{ "{\"network\":[{\"routes\":[{}]}]}", "\"to\"" },
	{ "{\"network\":{}}", "\"network\"" },
};

START_TEST(each_broken_document_is_refused_by_key)
{
	ck_assert(!apply(broken[_i].json));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_msg(strstr(err.msg, broken[_i].part), "%s", err.msg);
}
END_TEST

START_TEST(command_line_takes_words_lists_flags_and_json)
{
	ck_assert_msg(apply_cmdline("quiet vmbake.hostname=box vmbake.dns=1.1.1.1,8.8.8.8 "
				    "vmbake.grow vmbake.lock-modules=off vmbake.grace-seconds=3 "
				    "vmbake.cmd=[\"a\\u0020b\"] vmbake.env.A=1 "
				    "vmbake.env.B=\"x y\" vmbake.sysctls.net.core.somaxconn=7"),
		      "%s", err.msg);
	ck_assert_str_eq(settings.hostname, "box");
	ck_assert_uint_eq(settings.dns.count, 2);
	ck_assert(settings.grow && !settings.lock_modules);
	ck_assert_uint_eq(settings.grace_seconds, 3);
	ck_assert_str_eq(settings.cmd.items[0], "a b");
	ck_assert_str_eq(settings.env.items[1].value, "x y");
	ck_assert_str_eq(settings.sysctls.items[0].name, "net.core.somaxconn");
}
END_TEST

static const char *const broken_cmdlines[] = {
	"vmbake.grow=maybe",   "vmbake.grace-seconds=x", "vmbake.network=eth0",
	"vmbake.cmd=[\"a\"",   "vmbake.hostname.x=1",	 "vmbake.env=A",
	"vmbake.dns=[1]",      "vmbake.shutdown=",	 "vmbake.env={\"A\":[]}",
	"vmbake.env.=x",
};

START_TEST(each_broken_command_line_is_refused)
{
	ck_assert(!apply_cmdline(broken_cmdlines[_i]));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(report_goes_where_a_broken_command_line_says)
{
	const char *text = "vmbake.grow=maybe vmbake.report-port=port vmbake.report-vsock-port=9";

	settings_take_report(&settings, view_of(text));
	ck_assert_str_eq(settings.report_port, "port");
	ck_assert_uint_eq(settings.report_vsock_port, 9);
	settings_take_report(&settings, view_of("vmbake.report-vsock-port=4294967295"));
	ck_assert_uint_eq(settings.report_vsock_port, 9);
}
END_TEST

START_TEST(unknown_keys_are_named_one_by_one)
{
	void *position = NULL;

	ck_assert(apply_cmdline("vmbake.hostnam=x vmbake.hostname=y vmbake.wat.a=1"));
	ck_assert_str_eq(settings_unknown_key(document, &position), "hostnam");
	ck_assert_str_eq(settings_unknown_key(document, &position), "wat");
	ck_assert_ptr_null(settings_unknown_key(document, &position));
}
END_TEST

START_TEST(schema_knows_the_same_keys)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);
	const struct json_t *properties = NULL;
	void *position = NULL;
	size_t count = 0;
	const struct json_t *value;
	const char *name;

	ck_assert(file_slurp(&text, AT_FDCWD, "init/settings.schema.json", &err));
	ck_assert_msg(json_parse(&document, bytes_view(&text), &err), "%s", err.msg);
	ck_assert(json_need_object(document, "properties", &properties, &err));
	ck_assert_ptr_null(settings_unknown_key(properties, &position));
	position = NULL;
	while (json_next_member(properties, &position, &name, &value))
		count++;
	ck_assert_uint_eq(count, settings_key_count());
}
END_TEST

START_TEST(parts_are_added_to_an_object_given_as_json)
{
	ck_assert(apply_cmdline("vmbake.env={\"A\":\"1\"} vmbake.env.B=2 vmbake.env.A=3"));
	ck_assert_uint_eq(settings.env.count, 2);
	ck_assert_str_eq(settings.env.items[0].value, "3");
	ck_assert_str_eq(settings.env.items[1].name, "B");
}
END_TEST

START_TEST(disk_that_is_printed_is_read_back)
{
	CLEANUP(bytes_freep) struct bytes disk = bytes_capped(SETTINGS_BYTES_MAX + 1024);
	uint32_t len = 0;

	ck_assert(apply("{\"hostname\":\"a\\nb\",\"env\":{\"Q\":\"\\\"'\"}}"));
	ck_assert(settings_disk_print(&disk, document, &err));
	ck_assert_uint_eq(disk.len, SETTINGS_SECTOR_BYTES);
	ck_assert(settings_disk_is(bytes_view(&disk)));
	ck_assert(settings_disk_header(bytes_view(&disk), &len, &err));
	settings_freep(&settings);
	settings = settings_default();
	json_freep(&document);
	ck_assert(json_parse(&document,
			     (struct view){ disk.data + SETTINGS_HEADER_BYTES, len }, &err));
	ck_assert(settings_apply(&settings, document, &err));
	ck_assert_str_eq(settings.hostname, "a\nb");
	ck_assert_str_eq(settings.env.items[0].value, "\"'");
}
END_TEST

START_TEST(disk_of_more_than_a_guest_reads_is_not_printed)
{
	CLEANUP(bytes_freep) struct bytes disk = bytes_capped(4 * SETTINGS_BYTES_MAX);
	CLEANUP(freep) char *text = malloc(SETTINGS_BYTES_MAX);

	memset(text, 'x', SETTINGS_BYTES_MAX);
	document = json_new_object();
	json_put_view(document, "hostname", (struct view){ text, SETTINGS_BYTES_MAX });
	ck_assert(!settings_disk_print(&disk, document, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(disk_header_gives_the_length)
{
	char header[SETTINGS_HEADER_BYTES] = "vmbake-run/1";
	uint32_t len = 0;

	header[17] = 1; /* 256 */
	ck_assert(settings_disk_header((struct view){ header, sizeof(header) }, &len, &err));
	ck_assert_uint_eq(len, 256);
}
END_TEST

START_TEST(disk_header_that_is_off_is_refused)
{
	char header[SETTINGS_HEADER_BYTES] = "vmbake-run/1";
	uint32_t len = 0;

	ck_assert(!settings_disk_header((struct view){ header, sizeof(header) }, &len, &err));
	header[16] = 1;
	header[18] = 0x10; /* 1 MiB and 1 */
	ck_assert(!settings_disk_header((struct view){ header, sizeof(header) }, &len, &err));
	header[18] = 0;
	header[15] = 'x';
	ck_assert(!settings_disk_header((struct view){ header, sizeof(header) }, &len, &err));
	ck_assert(!settings_disk_header((struct view){ header, 10 }, &len, &err));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("settings");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, nothing_set_means_the_defaults);
	tcase_add_test(tests, later_document_replaces_keys_and_adds_variables);
	tcase_add_test(tests, network_and_mounts_are_read_whole);
	tcase_add_loop_test(tests, each_broken_document_is_refused_by_key, 0,
			    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tests, command_line_takes_words_lists_flags_and_json);
	tcase_add_loop_test(tests, each_broken_command_line_is_refused, 0,
			    sizeof(broken_cmdlines) / sizeof(broken_cmdlines[0]));
	tcase_add_test(tests, report_goes_where_a_broken_command_line_says);
	tcase_add_test(tests, unknown_keys_are_named_one_by_one);
	tcase_add_test(tests, schema_knows_the_same_keys);
	tcase_add_test(tests, parts_are_added_to_an_object_given_as_json);
	tcase_add_test(tests, disk_that_is_printed_is_read_back);
	tcase_add_test(tests, disk_of_more_than_a_guest_reads_is_not_printed);
	tcase_add_test(tests, disk_header_gives_the_length);
	tcase_add_test(tests, disk_header_that_is_off_is_refused);
	return suite_run(tests, "settings");
}
