/* The texts that init reads besides JSON: the kernel command line, /etc/passwd and /etc/group, and
 * what the kernel and its drivers say in /proc and /sys. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "init/cmdline.h"
#include "init/contract/user.h"
#include "init/device_mapper.h"
#include "init/disk.h"
#include "init/gpu_nodes.h"
#include "init/gpu_scan.h"
#include "init/gpu_verdict.h"
#include "init/kernel_log.h"
#include "init/memory_group.h"
#include "init/modules.h"
#include "init/mount_options.h"
#include "init/partition.h"
#include "init/root_options.h"
#include "init/stop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct view part, struct view whole)
{
	return part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void read_cmdline(struct view text)
{
	static const struct boot_module module = { .name = "nvidia_uvm", .params = "a=1" };
	CLEANUP(bytes_freep) struct bytes params = bytes_capped(4096);
	struct view rest = text, mapped;
	struct cmdline_option option;
	struct root_options options;
	struct mapped_device device;
	struct err err = { 0 };

	while (cmdline_next(&rest, &option))
		assert(is_inside(option.name, text) && is_inside(option.value, text));
	if (root_options_parse(&options, text, &err)) {
		CLEANUP(freep) char *flags = view_copy(options.flags);
		unsigned long mount_flags = 0;

		assert(is_inside(options.root, text) && flags);
		mount_options_take(flags, &mount_flags);
		assert(strlen(flags) <= options.flags.len);
	}
	(void)!modules_params(&params, &module, text, &err);
	(void)modules_is_blacklisted("nvidia_uvm", text);
	mapped = text;
	while (mapped.len > 0 && mapped_device_parse(&device, &mapped, &err))
		assert(is_inside(device.name, text));
}

/* The first line is the user, then the rest is passwd up to the first empty line, then group. */
static void read_users(struct view text)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct view user = view_cut(&text, '\n'), passwd = text, group = { 0 };
	const char *gap = text.len > 0 ? memmem(text.ptr, text.len, "\n\n", 2) : NULL;
	struct boot_user found;
	struct err err = { 0 };

	if (gap) {
		passwd.len = (size_t)(gap - text.ptr);
		group = view_from(text, passwd.len + 2);
	}
	if (user_resolve(&found, user, passwd, group, &arena, &err))
		assert(found.home && found.uid <= INT32_MAX && found.gid <= INT32_MAX);
	else
		assert(err.kind == ERR_FORMAT && err.msg[0]);
}

static void read_proc(struct view text)
{
	struct stop_inputs inputs = { .channel_fd = -1 };
	CLEANUP(bytes_freep) struct bytes log = bytes_capped(1 << 20);
	char uuid[PARTITION_UUID_BYTES];
	struct disk_facts facts;
	struct err err = { 0 };
	uint32_t number = 0;

	(void)gpu_devices_major(text, "nvidia-uvm", &number);
	(void)gpu_text_number(text, "Device Minor", &number);
	(void)gpu_resource_is_unmapped(text);
	(void)gpu_symptom_in_log(text);
	(void)memory_events_tell_oom_kill(text);
	(void)stop_channel_add(&inputs, text);
	if (kernel_log_add(&log, text, &err))
		assert(log.len <= text.len + 1 && log.data[log.len - 1] == '\n');
	for (unsigned i = 1; i < 4; i++)
		if (partition_uuid(text, i, uuid))
			assert(strlen(uuid) == 11 || strlen(uuid) == 36);
	disk_read_facts(text, &facts);
	assert(strlen(facts.label) < sizeof(facts.label));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = { (const char *)data, size };

	read_cmdline(text);
	read_users(text);
	read_proc(text);
	return 0;
}
