#include "oci/hosts.h"

#include <check.h>

static struct hosts parsed(const char *text, const char *registry)
{
	struct hosts hosts = { 0 };
	struct err err = { 0 };

	ck_assert_msg(hosts_parse(&hosts, view_of(text), "/etc/x", registry, &err), "%s", err.msg);
	return hosts;
}

static const struct {
	const char *toml, *registry, *first, *last;
} urls[] = {
	{ "", "docker.io", "https://registry-1.docker.io/v2", "https://registry-1.docker.io/v2" },
	{ "", "a.io:5", "https://a.io:5/v2", "https://a.io:5/v2" },
	{ "server = \"http://b.io/\"", "a.io", "http://b.io/v2", "http://b.io/v2" },
	{ "[host.\"http://m:5\"]", "a.io", "http://m:5/v2", "https://a.io/v2" },
	{ "[host.\"m:5\"]", "a.io", "https://m:5/v2", "https://a.io/v2" },
	{ "[host.\"https://m/v2/\"]", "a.io", "https://m/v2", "https://a.io/v2" },
	{ "[host.\"http://m:5\"]\nskip_verify = false", "a.io", "https://m:5/v2",
	  "https://a.io/v2" },
	{ "[host.\"http://m:80\"]\nskip_verify = true", "a.io", "http://m:80/v2",
	  "https://a.io/v2" },
	{ "override_path = true", "docker.io", "https://registry-1.docker.io/v2",
	  "https://registry-1.docker.io/v2" },
	{ "[host.\"https://m/p\"]", "a.io", "https://m/p/v2", "https://a.io/v2" },
	{ "[host.\"https://m/p\"]\noverride_path = true", "a.io", "https://m/p",
	  "https://a.io/v2" },
};

enum { URL_COUNT = sizeof(urls) / sizeof(urls[0]) };

static const char *const bad[] = {
	"server = 7",
	"[host.\"http://\"]",
	"[host.\"ftp://x\"]",
	"[host.\"http://a b\"]",
	"[host.\"http://x\"]\ncapabilities = [\"fly\"]",
	"[host.\"http://x\"]\ncapabilities = \"pull\"",
	"[host.\"http://x\"]\nclient = 7",
	"[host.\"http://x\"]\ndial_timeout = \"soon\"",
	"[host.\"http://x\"]\ndial_timeout = 7",
	"[host.\"http://x\"]\nclient = [[\"a\"]]",
	"[host.\"http://x\"]\nca = 7",
	"[host.\"http://x\"]\nskip_verify = \"yes\"",
	"[host.\"http://x\".header]\nx = 7",
	"[host.\"http://x\".header]\n\"a b\" = \"y\"",
	"[host.\"http://x\".header]\nx = \"a\\nb\"",
	"host = 7",
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_host_has_its_address_and_the_server_comes_last)
{
	CLEANUP(hosts_freep) struct hosts hosts = parsed(urls[_i].toml, urls[_i].registry);

	ck_assert_str_eq(hosts.list[0].base_url, urls[_i].first);
	ck_assert_str_eq(hosts.list[hosts.count - 1].base_url, urls[_i].last);
}
END_TEST

START_TEST(hosts_keep_the_order_of_the_file)
{
	CLEANUP(hosts_freep)
	struct hosts hosts = parsed("[host.\"http://z\"]\n[host.\"http://a\"]", "r.io");

	ck_assert_uint_eq(hosts.count, 3);
	ck_assert_str_eq(hosts.list[0].base_url, "http://z/v2");
	ck_assert_str_eq(hosts.list[1].base_url, "http://a/v2");
}
END_TEST

START_TEST(a_host_without_capabilities_has_all)
{
	CLEANUP(hosts_freep) struct hosts hosts = parsed("[host.\"http://z\"]", "r.io");

	ck_assert(hosts.list[0].can_pull && hosts.list[0].can_resolve);
}
END_TEST

START_TEST(a_host_has_the_capabilities_it_says)
{
	CLEANUP(hosts_freep)
	struct hosts hosts =
		parsed("[host.\"http://z\"]\ncapabilities = [\"Pull\", \"push\"]", "r.io");

	ck_assert(hosts.list[0].can_pull);
	ck_assert(!hosts.list[0].can_resolve);
	ck_assert(!hosts.list[0].can_refer);
}
END_TEST

START_TEST(what_stands_beside_no_server_is_not_about_its_capabilities)
{
	CLEANUP(hosts_freep)
	struct hosts hosts = parsed("capabilities = [\"pull\"]\ndial_timeout = \"2s\"", "r.io");

	ck_assert(hosts.list[0].can_pull && hosts.list[0].can_resolve);
	ck_assert_uint_eq(hosts.list[0].dial_timeout_ms, 2000);
}
END_TEST

START_TEST(a_host_may_list_referrers_alone)
{
	CLEANUP(hosts_freep)
	struct hosts hosts =
		parsed("[host.\"http://z\"]\ncapabilities = [\"referrers\"]", "r.io");

	ck_assert(hosts.list[0].can_refer);
	ck_assert(!hosts.list[0].can_pull);
}
END_TEST

START_TEST(only_the_registry_itself_is_the_registry)
{
	CLEANUP(hosts_freep) struct hosts hosts = parsed("[host.\"http://z\"]", "docker.io");

	ck_assert(!hosts.list[0].is_registry);
	ck_assert(hosts.list[1].is_registry);
}
END_TEST

static const struct {
	const char *text, *certificate, *key; /* key: NULL when it is in certificate */
} clients[] = {
	{ "client = \"c.pem\"", "/etc/x/c.pem", NULL },
	{ "client = [\"/c.pem\", \"d.pem\"]", "/c.pem", NULL },
	{ "client = [[\"c.pem\", \"\"]]", "/etc/x/c.pem", NULL },
	{ "client = [[\"c.pem\", \"/k.pem\"], [\"d.pem\", \"l.pem\"]]", "/etc/x/c.pem", "/k.pem" },
};

enum { CLIENT_COUNT = sizeof(clients) / sizeof(clients[0]) };

START_TEST(each_form_of_a_client_is_found_beside_the_file)
{
	CLEANUP(hosts_freep) struct hosts hosts = parsed(clients[_i].text, "r.io");

	ck_assert_str_eq(hosts.list[0].certificate, clients[_i].certificate);
	ck_assert_pstr_eq(hosts.list[0].key, clients[_i].key);
}
END_TEST

START_TEST(headers_may_have_several_values)
{
	CLEANUP(hosts_freep)
	struct hosts hosts = parsed("[header]\nx-a = \"1\"\nx-b = [\"2\", \"3\"]", "r.io");

	ck_assert_str_eq(hosts.list[0].headers[0], "x-a: 1");
	ck_assert_str_eq(hosts.list[0].headers[1], "x-b: 2");
	ck_assert_str_eq(hosts.list[0].headers[2], "x-b: 3");
	ck_assert_ptr_null(hosts.list[0].headers[3]);
}
END_TEST

START_TEST(what_means_nothing_is_a_format_error)
{
	struct hosts hosts = { 0 };
	struct err err = { 0 };

	ck_assert_msg(!hosts_parse(&hosts, view_of(bad[_i]), "/etc/x", "r.io", &err), "%s",
		      bad[_i]);
	ck_assert_msg(err.kind == ERR_FORMAT, "%s: %s", bad[_i], err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosts");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_host_has_its_address_and_the_server_comes_last, 0,
			    URL_COUNT);
	tcase_add_test(rules, hosts_keep_the_order_of_the_file);
	tcase_add_test(rules, a_host_without_capabilities_has_all);
	tcase_add_test(rules, a_host_has_the_capabilities_it_says);
	tcase_add_test(rules, what_stands_beside_no_server_is_not_about_its_capabilities);
	tcase_add_test(rules, a_host_may_list_referrers_alone);
	tcase_add_test(rules, only_the_registry_itself_is_the_registry);
	tcase_add_loop_test(rules, each_form_of_a_client_is_found_beside_the_file, 0,
			    CLIENT_COUNT);
	tcase_add_test(rules, headers_may_have_several_values);
	tcase_add_loop_test(rules, what_means_nothing_is_a_format_error, 0, BAD_COUNT);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
