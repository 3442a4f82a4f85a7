#include "init/network.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "init/etc_files.h"
#include "init/sysctls.h"
#include "suite.h"

static struct bytes out;
static struct err err;

static void start(void)
{
	out = bytes_capped(4096);
}

static void end(void)
{
	bytes_freep(&out);
}

static struct network_address parse(const char *text)
{
	struct network_address address = { 0 };

	ck_assert_msg(network_address_parse(&address, text, &err), "%s", err.msg);
	return address;
}

START_TEST(addresses_of_both_families_are_read)
{
	struct network_address four = parse("10.0.2.15/24"), six = parse("fd00::2/64");

	ck_assert_int_eq(four.family, AF_INET);
	ck_assert_mem_eq(four.bytes, "\x0a\x00\x02\x0f", 4);
	ck_assert_uint_eq(four.prefix_len, 24);
	ck_assert_int_eq(six.family, AF_INET6);
	ck_assert_uint_eq(six.prefix_len, 64);
	ck_assert_uint_eq(parse("1.2.3.4").prefix_len, 32);
	ck_assert_uint_eq(parse("::").prefix_len, 128);
}
END_TEST

static const char *const wrong[] = {
	"",	    "10.0.2",	     "10.0.2.15/33", "10.0.2.15/", "fd00::2/129", "fd00::g",
	"10.0.2.15/24/1", "localhost", "0x0a.0.0.1",
	"1111:2222:3333:4444:5555:6666:7777:8888:9999:a",
};

START_TEST(each_wrong_address_is_refused)
{
	struct network_address address;

	ck_assert(!network_address_parse(&address, wrong[_i], &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(address_message_is_what_the_kernel_reads)
{
	struct network_address address = parse("10.0.2.15/24");
	struct nlmsghdr header;
	struct ifaddrmsg body;

	ck_assert(network_message_address(&out, 2, &address, &err));
	memcpy(&header, out.data, sizeof(header));
	memcpy(&body, out.data + sizeof(header), sizeof(body));
	ck_assert_uint_eq(header.nlmsg_len, out.len);
	ck_assert_uint_eq(out.len, 16 + 8 + 8 + 8);
	ck_assert_int_eq(header.nlmsg_type, RTM_NEWADDR);
	ck_assert_uint_eq(body.ifa_index, 2);
	ck_assert_mem_eq(out.data + 28, "\x0a\x00\x02\x0f", 4);
}
END_TEST

START_TEST(default_route_has_a_gateway_and_no_destination)
{
	struct network_address via = parse("fd00::1");
	struct rtmsg body;

	ck_assert(network_message_route(&out, 3, NULL, &via, &err));
	memcpy(&body, out.data + sizeof(struct nlmsghdr), sizeof(body));
	ck_assert_int_eq(body.rtm_family, AF_INET6);
	ck_assert_int_eq(body.rtm_dst_len, 0);
	ck_assert_uint_eq(out.len, 16 + 12 + 20 + 8);
}
END_TEST

START_TEST(hosts_name_the_machine_by_its_first_address)
{
	static const char *const addresses[] = { "10.0.0.5/24", NULL };
	static const char *const hosts[] = { "10.0.0.9 db", NULL };
	const struct setting_interface interface = { .addresses = { addresses, 1 } };
	const struct settings settings = { .hostname = "box",
					   .interfaces = &interface,
					   .interface_count = 1,
					   .hosts = { hosts, 1 } };

	ck_assert(etc_hosts_print(&out, &settings, &err));
	ck_assert_ptr_nonnull(strstr(out.data, "127.0.0.1\tlocalhost\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "\n10.0.0.9 db\n10.0.0.5\tbox\n"));
}
END_TEST

START_TEST(resolv_has_a_line_each_as_resolvers_want)
{
	static const char *const dns[] = { "1.1.1.1", "::1", NULL };
	static const char *const search[] = { "a.b", "c", NULL };
	const struct settings settings = { .dns = { dns, 2 }, .dns_search = { search, 2 } };

	ck_assert(etc_resolv_print(&out, &settings, &err));
	ck_assert_str_eq(out.data, "nameserver 1.1.1.1\nnameserver ::1\nsearch a.b c\n");
}
END_TEST

static const struct {
	const char *name, *path;
} sysctls[] = {
	{ "net.core.somaxconn", "proc/sys/net/core/somaxconn" },
	{ "net/ipv4/conf/eth0.1/forwarding", "proc/sys/net/ipv4/conf/eth0.1/forwarding" },
	{ "", NULL },
	{ "a..b", NULL },
	{ "../../sys/x", NULL },
	{ "/etc/passwd", NULL },
	{ "a/./b", NULL },
	{ "a/", NULL },
};

START_TEST(each_sysctl_stays_below_proc_sys)
{
	char path[SYSCTL_PATH_BYTES];
	bool ok = sysctl_path(path, sysctls[_i].name, &err);

	ck_assert(ok == (sysctls[_i].path != NULL));
	if (ok)
		ck_assert_str_eq(path, sysctls[_i].path);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("network");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, addresses_of_both_families_are_read);
	tcase_add_loop_test(tests, each_wrong_address_is_refused, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tests, address_message_is_what_the_kernel_reads);
	tcase_add_test(tests, default_route_has_a_gateway_and_no_destination);
	tcase_add_test(tests, hosts_name_the_machine_by_its_first_address);
	tcase_add_test(tests, resolv_has_a_line_each_as_resolvers_want);
	tcase_add_loop_test(tests, each_sysctl_stays_below_proc_sys, 0,
			    sizeof(sysctls) / sizeof(sysctls[0]));
	return suite_run(tests, "network");
}
