#include "thing.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

static const struct {
	const char *name, *names;
	const char *main_file; /* inside its folder; NULL: it is a file itself */
} kinds[THING_KIND_COUNT] = {
	[THING_LAYER] = { "layer", "layers", "data" },
	[THING_IMAGE] = { "image", "images", NULL },
	[THING_BLOB] = { "blob", "blobs", NULL },
	[THING_DRIVER] = { "driver", "drivers", "data" },
	[THING_KERNEL] = { "kernel", "kernels", NULL },
	[THING_DRAFT] = { "draft", "drafts", NULL },
	[THING_LOCK] = { "lock", "locks", NULL },
};

const char *thing_kind_names(enum thing_kind kind)
{
	return kinds[kind].names;
}

const char *thing_kind_name(enum thing_kind kind)
{
	return kinds[kind].name;
}

const char *thing_file_name(const struct thing *thing)
{
	const char *slash = strrchr(thing->path, '/');

	return slash ? slash + 1 : thing->path;
}

static bool has_digest(const struct thing *thing)
{
	return thing->kind == THING_LAYER || thing->kind == THING_IMAGE ||
	       thing->kind == THING_BLOB || thing->kind == THING_KERNEL;
}

void thing_name(const struct thing *thing, char out[THING_NAME_BYTES])
{
	const char *name = thing_file_name(thing);

	if (has_digest(thing))
		snprintf(out, THING_NAME_BYTES, "sha256:%.*s", DIGEST_HEX_LEN, name);
	else
		snprintf(out, THING_NAME_BYTES, "%s", name);
}

void thing_short_name(const struct thing *thing, char out[THING_NAME_BYTES])
{
	enum { DIGITS = 12 };
	const char *name = thing_file_name(thing);

	if (has_digest(thing))
		snprintf(out, THING_NAME_BYTES, "%.*s%s", DIGITS, name,
			 thing->is_part ? ".part" : "");
	else
		snprintf(out, THING_NAME_BYTES, "%s", name);
}

uint64_t thing_own_bytes(const struct thing *thing)
{
	return thing->bytes - thing->shared_bytes;
}

void thing_main_file(const struct thing *thing, char out[THING_PATH_BYTES])
{
	const char *file = kinds[thing->kind].main_file;

	snprintf(out, THING_PATH_BYTES, "%s%s%s", thing->path, file ? "/" : "", file ? file : "");
}
