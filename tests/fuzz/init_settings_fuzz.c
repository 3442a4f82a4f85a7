/* Machine settings, as a document and as a kernel command line, over one another; the same bytes as
 * the header of a settings disk. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "init/capabilities.h"
#include "init/contract/settings_disk.h"
#include "init/limits.h"
#include "init/network.h"
#include "init/settings_source.h"
#include "init/sysctls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is done with settings that were taken. */
static void use(const struct settings *settings)
{
	char path[SYSCTL_PATH_BYTES];
	struct network_address address;
	struct limits limits;
	uint64_t capabilities;
	struct err err = { 0 };

	(void)!limits_make(&limits, &settings->rlimits, &err);
	(void)!capabilities_parse(&capabilities, &settings->capabilities, &err);
	for (size_t i = 0; i < settings->sysctls.count; i++)
		(void)!sysctl_path(path, settings->sysctls.items[i].name, &err);
	for (size_t i = 0; i < settings->interface_count; i++)
		for (size_t j = 0; j < settings->interfaces[i].addresses.count; j++)
			(void)!network_address_parse(
				&address, settings->interfaces[i].addresses.items[j], &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(settings_freep) struct settings settings = settings_default();
	CLEANUP(json_freep) struct json_t *document = NULL, *cmdline = NULL;
	struct view text = { (const char *)data, size };
	struct err err = { 0 };
	uint32_t len = 0;

	if (settings_disk_header(text, &len, &err))
		assert(len > 0 && len <= SETTINGS_BYTES_MAX);
	if (json_parse(&document, text, &err) && settings_apply(&settings, document, &err))
		use(&settings);
	if (settings_from_cmdline(&cmdline, text, &err) &&
	    settings_apply(&settings, cmdline, &err))
		use(&settings);
	return 0;
}
