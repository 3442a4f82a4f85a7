#include "platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/view.h"

/* How others write the names that OCI takes from Go's GOARCH. */
static const struct {
	const char *other, *architecture;
} spellings[] = {
	{ "x86_64", "amd64" },
	{ "x86-64", "amd64" },
	{ "aarch64", "arm64" },
	{ "armv8", "arm64" },
};

static struct view folded(struct view architecture)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (view_equal(architecture, spellings[i].other))
			return view_of(spellings[i].architecture);
	return architecture;
}

static bool is_name(struct view part)
{
	if (part.len == 0 || part.len >= sizeof(((struct platform *)NULL)->os))
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", part.ptr[i]))
			return false;
	return true;
}

static void copy_part(char out[32], struct view part)
{
	snprintf(out, 32, "%.*s", VIEW_ARGS(part));
}

bool platform_parse(struct platform *out, const char *text, struct err *err)
{
	struct view rest = view_of(text), os = view_cut(&rest, '/');
	struct view architecture = rest.ptr ? view_cut(&rest, '/') : os;
	bool has_variant = rest.ptr;

	if (os.ptr == architecture.ptr)
		os = view_of("linux");
	if (!is_name(os) || !is_name(architecture) || (has_variant && !is_name(rest)))
		return err_set(err, ERR_USAGE, "platform '%.100s' is not os/architecture[/variant]",
			       text);
	struct platform platform = { 0 };

	copy_part(platform.os, os);
	copy_part(platform.architecture, folded(architecture));
	copy_part(platform.variant, rest);
	*out = platform;
	return true;
}

struct platform platform_of_host(void)
{
	struct platform platform = { .os = "linux" };
	struct utsname host;

	if (uname(&host) == 0)
		copy_part(platform.architecture, folded(view_of(host.machine)));
	return platform;
}

/* arm64 is v8 where nothing else is said. */
static const char *variant_of(const struct platform *platform)
{
	bool is_arm64 = strcmp(platform->architecture, "arm64") == 0;

	return is_arm64 && !platform->variant[0] ? "v8" : platform->variant;
}

bool platform_same(const struct platform *a, const struct platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->architecture, b->architecture) == 0 &&
	       strcmp(variant_of(a), variant_of(b)) == 0;
}

bool platform_fits(const struct platform *have, const struct platform *want)
{
	return strcmp(have->os, want->os) == 0 &&
	       strcmp(have->architecture, want->architecture) == 0 &&
	       (!want->variant[0] || strcmp(variant_of(have), variant_of(want)) == 0);
}

void platform_text(const struct platform *platform, char out[PLATFORM_TEXT_BYTES])
{
	snprintf(out, PLATFORM_TEXT_BYTES, "%s/%s%s%s", platform->os, platform->architecture,
		 platform->variant[0] ? "/" : "", platform->variant);
}
