/* hosts.toml: what is taken has a server, and headers that are one line each. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "oci/hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(const struct host *host)
{
	assert(strstr(host->base_url, "://"));
	for (char **header = host->headers; header && *header; header++)
		assert(!strpbrk(*header, "\r\n"));
}

/* Certificates are looked for below a folder that is not there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(hosts_freep) struct hosts hosts = { 0 };
	struct view text = { (const char *)data, size };
	struct err err;

	if (memmem(data, size, "ca", 2)) /* or the fuzzer would read this machine's files */
		return 0;
	if (!hosts_parse(&hosts, text, "/nowhere", "a.io", &err))
		return 0;
	assert(hosts.count > 0);
	for (size_t i = 0; i < hosts.count; i++)
		check_host(&hosts.list[i]);
	return 0;
}
