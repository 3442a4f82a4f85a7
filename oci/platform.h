/* os/architecture[/variant] as OCI spells it, and which descriptor fits it. */
#pragma once

#include "base/err.h"

struct platform {
	char os[32];
	char architecture[32]; /* "amd64", "arm64" */
	char variant[32]; /* "" when none; "v8" is what arm64 means without one */
};

/* "linux/arm64/v8"; "amd64" alone means linux/amd64; x86_64 and aarch64 are folded.
 * Errors: ERR_USAGE */
MUST_CHECK bool platform_parse(struct platform *out, const char *text, struct err *err);
/* linux on this machine's architecture. */
struct platform platform_of_host(void);
/* Does an image for `have` serve a request for `want`? Equal os and architecture; arm64 equals
 * arm64/v8; a wanted variant must be had, an unwanted one does not matter. */
bool platform_fits(const struct platform *have, const struct platform *want);
/* The same platform to the letter, which is preferred where several fit. */
bool platform_same(const struct platform *a, const struct platform *b);
enum { PLATFORM_TEXT_BYTES = 100 };
void platform_text(const struct platform *platform, char out[PLATFORM_TEXT_BYTES]);
