#include "init_binary.h"

#include <string.h>

extern const char init_binary_x86_64[], init_binary_x86_64_end[];
extern const char init_binary_aarch64[], init_binary_aarch64_end[];

static const struct {
	const char *architecture;
	const char *start, *end;
} programs[] = {
	{ "amd64", init_binary_x86_64, init_binary_x86_64_end },
	{ "arm64", init_binary_aarch64, init_binary_aarch64_end },
};

bool init_binary_find(struct view *out, const char *architecture, struct err *err)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(programs[i].architecture, architecture) == 0) {
			*out = (struct view){ programs[i].start,
					      (size_t)(programs[i].end - programs[i].start) };
			return true;
		}
	}
	return err_set(err, ERR_UNSUPPORTED, "no init for architecture %s", architecture);
}
