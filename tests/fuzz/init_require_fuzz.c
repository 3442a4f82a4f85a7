/* What an image's environment demands of driver and GPU, before there is one and after. */
#include <assert.h>
#include <stdint.h>

#include "base/bytes.h"
#include "init/contract/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A fact that is learned later may only take the doubt away: never turn yes into no. */
static void check_verdicts(struct view text)
{
	struct require_facts unknown = { .cuda = view_of("12.2"), .driver = view_of("535.1") };
	struct require_facts known = unknown;
	enum require_verdict before = REQUIRE_SATISFIED, after = REQUIRE_SATISFIED;
	struct err err = { 0 };

	known.arch = view_of("9.0");
	known.brand = view_of("tesla");
	if (!require_check(&before, text, &unknown, &err) ||
	    !require_check(&after, text, &known, &err))
		return;
	assert(after != REQUIRE_DEPENDS_ON_GPU);
	assert(before == REQUIRE_DEPENDS_ON_GPU || before == after);
}

static void check_environment(const char *name, struct view text)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(1 << 20);
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct requirement_list list = { 0 };
	struct err err = { 0 };

	if (!bytes_print(&line, &err, "%s=", name) ||
	    !bytes_append(&line, text.ptr, text.len, &err))
		return;
	const char *env[] = { line.data };

	if (require_list(&list, &arena, env, 1, &err))
		assert(list.count <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = { (const char *)data, size };

	check_verdicts(text);
	check_environment("NVIDIA_REQUIRE_CUDA", text);
	check_environment("CUDA_VERSION", text);
	return 0;
}
