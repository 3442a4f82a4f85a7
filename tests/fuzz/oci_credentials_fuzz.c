/* auth.json, docker's config.json and ~/.dockercfg: what is found in one can be sent. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/credentials.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No credential helper is found: the fuzzer runs no program. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return setenv("PATH", "/nowhere", 1);
}

static void read_file(struct view text, bool is_dockercfg, const char *registry)
{
	CLEANUP(credentials_freep) struct credentials credentials = { 0 };
	struct err err = { 0 };

	if (!credentials_read(&credentials, text, is_dockercfg, registry, "a/b", &err)) {
		assert(err.kind != ERR_NONE && err.msg[0]);
		return;
	}
	if (credentials_exist(&credentials))
		assert(credentials.identity_token || (credentials.user && credentials.password));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = { (const char *)data, size };

	read_file(text, false, "a.io");
	read_file(text, false, "docker.io");
	read_file(text, true, "a.io");
	return 0;
}
