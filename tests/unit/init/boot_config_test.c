#include "init/contract/boot_config.h"

#include <string.h>
#include <sys/stat.h>

#include "suite.h"

static struct boot_config config;
static struct bytes text;
static struct err err;

static void start(void)
{
	text = bytes_capped(BOOT_CONFIG_BYTES_MAX);
}

static void end(void)
{
	boot_config_freep(&config);
	bytes_freep(&text);
}

#define REST                                                                            \
	"\"user\":{\"uid\":1,\"gid\":2,\"home\":\"/\"},\"working_dir\":\"/\",\"stop_signal\":15," \
	"\"gpu\":{\"policy\":\"none\"}}"

#define WITH_GPU(text)                                                           \
	"{\"format\":2,\"user\":{\"uid\":1,\"gid\":2,\"home\":\"/\"},"                    \
	"\"working_dir\":\"/\",\"stop_signal\":15,\"gpu\":{\"policy\":\"none\"," text "}}"

static void assert_refused(const char *json, enum err_kind kind, const char *part)
{
	ck_assert(!boot_config_parse(&config, view_of(json), &err));
	ck_assert_int_eq(err.kind, kind);
	ck_assert_msg(strstr(err.msg, part), "%s", err.msg);
}

static const char *const entrypoint[] = { "/bin/sh", "-c", NULL };
static const char *const env[] = { "A=\"b\"\n", NULL };
static const char *const needs[] = { "drm", NULL };
static const uint32_t groups[] = { 44, 4294967294 };
static const struct boot_module module = { .name = "nvidia",
					   .path = "/lib/nvidia.ko",
					   .params = "NVreg_A=1",
					   .needs = { needs, 1 },
					   .is_wanted = true };
static const struct boot_node node = { .path = "/dev/x",
				       .mode = S_IFCHR | 0660,
				       .major = 195,
				       .minor = 255,
				       .gid = 44 };
static const struct boot_requirement requirement = { "NVIDIA_REQUIRE_CUDA", "arch>=9.0" };
static const struct boot_gpu_model models[] = { { 0x10de, 0x2330, "9.0", "tesla" },
						{ .vendor = 0x10de, .device = 0xa } };
/* One of everything. */
static const struct boot_config whole = {
	.entrypoint = { entrypoint, 2 },
	.env = { env, 1 },
	.user = { 1000, 1001, groups, 2, "/home/u" },
	.working_dir = "/srv",
	.stop_signal = 64,
	.modules = { &module, 1 },
	.nodes = &node,
	.node_count = 1,
	.gpu = { .policy = GPU_REQUIRED,
		 .version = "535.1",
		 .cuda = "12.2",
		 .modules = { &module, 1 },
		 .requirements = &requirement,
		 .requirement_count = 1,
		 .models = models,
		 .model_count = 2,
		 .fabric_manager = { "/usr/bin/nv-fabricmanager", "/etc/fm.cfg" } },
};

START_TEST(what_is_printed_is_what_is_parsed)
{
	ck_assert(boot_config_print(&text, &whole, &err));
	ck_assert_msg(boot_config_parse(&config, bytes_view(&text), &err), "%s", err.msg);
	ck_assert_str_eq(config.entrypoint.items[1], "-c");
	ck_assert_ptr_null(config.cmd.items);
	ck_assert_str_eq(config.env.items[0], env[0]);
	ck_assert_uint_eq(config.user.groups[1], 4294967294);
	ck_assert_str_eq(config.modules.modules[0].needs.items[0], "drm");
	ck_assert(config.modules.modules[0].is_wanted);
	ck_assert_uint_eq(config.nodes[0].mode, S_IFCHR | 0660);
	ck_assert_int_eq(config.gpu.policy, GPU_REQUIRED);
	ck_assert_str_eq(config.gpu.version, "535.1");
	ck_assert_str_eq(config.gpu.cuda, "12.2");
	ck_assert_str_eq(config.gpu.modules.modules[0].name, "nvidia");
	ck_assert_str_eq(config.gpu.requirements[0].predicate, "arch>=9.0");
	ck_assert_uint_eq(config.gpu.models[0].device, 0x2330);
	ck_assert_str_eq(config.gpu.models[0].brand, "tesla");
	ck_assert_uint_eq(config.gpu.models[1].device, 0xa);
	ck_assert_ptr_null(config.gpu.models[1].arch);
	ck_assert_str_eq(config.gpu.fabric_manager.config, "/etc/fm.cfg");

	CLEANUP(bytes_freep) struct bytes again = bytes_capped(BOOT_CONFIG_BYTES_MAX);

	ck_assert(boot_config_print(&again, &config, &err));
	ck_assert_str_eq(again.data, text.data);
}
END_TEST

START_TEST(empty_entrypoint_and_none_are_told_apart)
{
	const char *json = "{\"format\":2,\"entrypoint\":[]," REST;

	ck_assert(boot_config_parse(&config, view_of(json), &err));
	ck_assert_ptr_nonnull(config.entrypoint.items);
	ck_assert_ptr_null(config.cmd.items);
}
END_TEST

START_TEST(another_format_is_unsupported)
{
	assert_refused("{\"format\":3," REST, ERR_UNSUPPORTED, "format 3");
}
END_TEST

static const struct {
	const char *json, *part;
} broken[] = {
	{ "", "not JSON" },
	{ "[]", "\"format\"" },
	{ "{\"format\":2}", "\"working_dir\"" },
	{ "{\"format\":2,\"env\":\"A=b\"," REST, "\"env\"" },
	{ "{\"format\":2,\"env\":[1]," REST, "\"env\"" },
	{ "{\"format\":2,\"env\":[\"a\\u0000b\"]," REST, "not JSON" },
	{ "{\"format\":2,\"modules\":[{\"name\":\"a\",\"path\":\"b\",\"params\":\"\"}]," REST,
	  "\"path\"" },
	{ "{\"format\":2,\"modules\":[3]," REST, "item 1" },
	{ "{\"format\":2,\"nodes\":[{\"path\":\"/etc/x\",\"type\":\"char\",\"mode\":0,\"major\":1,"
	  "\"minor\":1,\"uid\":0,\"gid\":0}]," REST,
	  "below /dev" },
	{ "{\"format\":2,\"nodes\":[{\"path\":\"/dev/../etc/x\",\"type\":\"char\",\"mode\":0,"
	  "\"major\":1,\"minor\":1,\"uid\":0,\"gid\":0}]," REST,
	  "below /dev" },
	{ "{\"format\":2,\"user\":{\"uid\":-1,\"gid\":2,\"home\":\"/\"},\"working_dir\":\"/\","
	  "\"stop_signal\":15,\"gpu\":{\"policy\":\"none\"}}",
	  "\"uid\"" },
	{ "{\"format\":2,\"user\":{\"uid\":1,\"gid\":2,\"home\":\"/\"},\"working_dir\":\"tmp\","
	  "\"stop_signal\":15,\"gpu\":{\"policy\":\"none\"}}",
	  "not absolute" },
	{ "{\"format\":2,\"user\":{\"uid\":1,\"gid\":2,\"home\":\"/\"},\"working_dir\":\"/\","
	  "\"stop_signal\":65,\"gpu\":{\"policy\":\"none\"}}",
	  "\"stop_signal\"" },
	{ "{\"format\":2,\"user\":{\"uid\":1,\"gid\":2,\"home\":\"/\"},\"working_dir\":\"/\","
	  "\"stop_signal\":15,\"gpu\":{\"policy\":\"maybe\"}}",
	  "maybe" },
	{ WITH_GPU("\"requirements\":[{\"name\":\"A\"}]"), "\"predicate\"" },
	{ WITH_GPU("\"gpus\":[{\"id\":\"10de:2330\"},{}]"), "\"gpus\" item 2" },
	{ WITH_GPU("\"gpus\":[{\"id\":\"10de2330x\"}]"), "VENDOR:DEVICE" },
	{ WITH_GPU("\"gpus\":[{\"id\":\"10de:233x\"}]"), "VENDOR:DEVICE" },
	{ WITH_GPU("\"gpus\":[{\"id\":\"10de:2330\",\"arch\":9}]"), "\"arch\"" },
	{ WITH_GPU("\"fabric_manager\":{}"), "\"path\"" },
	{ WITH_GPU("\"fabric_manager\":{\"path\":\"fm\"}"), "not absolute" },
};

enum { BROKEN_COUNT = sizeof(broken) / sizeof(broken[0]) };

START_TEST(each_broken_document_is_refused_by_name)
{
	assert_refused(broken[_i].json, ERR_FORMAT, broken[_i].part);
	ck_assert_ptr_null(config.working_dir);
}
END_TEST

START_TEST(ten_megabytes_of_environment_are_over_the_cap)
{
	CLEANUP(bytes_freep) struct bytes big = bytes_capped(16 << 20);
	char *room = NULL;

	ck_assert(bytes_append(&big, "{\"env\":[\"", 9, &err));
	ck_assert(bytes_grow(&big, 10 << 20, &room, &err));
	memset(room, 'x', 10 << 20);
	ck_assert(bytes_append(&big, "\"]}", 3, &err));
	assert_refused(big.data, ERR_UNSUPPORTED, "over 4194304 bytes");
}
END_TEST

START_TEST(initrd_config_survives_its_round_trip)
{
	static const char *const aliases[] = { "pci:v00001AF4d*", NULL };
	static const struct boot_module loaded = { .name = "virtio_pci",
						   .path = "/lib/modules/virtio_pci.ko",
						   .params = "",
						   .aliases = { aliases, 1 } };
	const struct initrd_config baked = { .modules = { &loaded, 1 } };
	CLEANUP(initrd_config_freep) struct initrd_config after = { 0 };

	ck_assert(initrd_config_print(&text, &baked, &err));
	ck_assert(initrd_config_parse(&after, bytes_view(&text), &err));
	ck_assert_uint_eq(after.modules.count, 1);
	ck_assert(!after.modules.modules[0].is_wanted);
	ck_assert_str_eq(after.modules.modules[0].aliases.items[0], aliases[0]);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("boot_config");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, what_is_printed_is_what_is_parsed);
	tcase_add_test(tests, empty_entrypoint_and_none_are_told_apart);
	tcase_add_test(tests, another_format_is_unsupported);
	tcase_add_loop_test(tests, each_broken_document_is_refused_by_name, 0, BROKEN_COUNT);
	tcase_add_test(tests, ten_megabytes_of_environment_are_over_the_cap);
	tcase_add_test(tests, initrd_config_survives_its_round_trip);
	return suite_run(tests, "boot_config");
}
