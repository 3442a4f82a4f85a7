#include "random_case.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { LAYERS_MAX = 6, ENTRIES_MAX = 14 };

struct dice {
	uint64_t state;
	enum random_taste taste;
	struct bytes *out;
	char files[32][128]; /* names given to files, for hard links */
	size_t file_count;
};

static uint64_t roll(struct dice *dice, uint64_t sides)
{
	/* splitmix64: any seed will do, and near ones are not alike. */
	uint64_t value = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return (value ^ value >> 31) % sides;
}

static void print(struct dice *dice, const char *text)
{
	struct err err;

	if (!bytes_append(dice->out, text, strlen(text), &err))
		abort();
}

static void print_number(struct dice *dice, const char *before, uint64_t number)
{
	struct err err;

	if (!bytes_print(dice->out, &err, "%s%" PRIu64, before, number))
		abort();
}

static const char *name(struct dice *dice)
{
	static const char *const common[] = { "a", "b", "c", "d" };
	static const char *const rare[] = { "\\xff\\xfe", "caf\\xc3\\xa9", "{n*120}", "e\\sf",
					    "...", ".wh" };

	return roll(dice, 16) > 0 ? common[roll(dice, 4)] : rare[roll(dice, 6)];
}

/* "a", "a/b" or "a/b/c", now and then not in its clean form. */
static void path(struct dice *dice, char out[128])
{
	uint64_t depth = 1 + roll(dice, 3);
	size_t len = 0;

	out[0] = '\0';
	if (roll(dice, 8) == 0)
		len = (size_t)snprintf(out, 128, "%s", roll(dice, 2) ? "./" : "/");
	for (uint64_t i = 0; i < depth; i++) {
		const char *joint = i == 0 ? "" : roll(dice, 16) ? "/" : "//";

		len += (size_t)snprintf(out + len, 128 - len, "%s%s", joint, name(dice));
	}
}

static void owner(struct dice *dice, bool is_dir)
{
	static const uint64_t ids[] = { 0, 1, 1000, 65534, 2097151, 2097152, 4294967294 };
	/* The last two are set-group-id, which a host passes on to directories made below. */
	static const char *const modes[] = { "0644", "0755",  "04755", "01777",
					     "0",    "02711", "07777" };

	print(dice, " mode=");
	print(dice, modes[roll(dice, is_dir && dice->taste == RANDOM_CALM ? 5 : 7)]);
	print_number(dice, " uid=", ids[roll(dice, 7)]);
	print_number(dice, " gid=", ids[roll(dice, 7)]);
}

static void times(struct dice *dice)
{
	static const char *const values[] = { "0",
					      "1",
					      "1700000000",
					      "1700000000.123456789",
					      "4294967296",
					      "2147483648.000000001",
					      "-1",
					      "-6.750000000" };

	print(dice, " mtime=");
	print(dice, values[roll(dice, 8)]);
}

static void xattrs(struct dice *dice)
{
	if (roll(dice, 4) == 0)
		print(dice, " xattr:user.one=1");
	if (roll(dice, 4) == 0)
		print(dice, " xattr:user.two=\\x00\\xff");
}

/* 12,000 bytes in GNU's PAX form 0.1, of which the first four and the 4,097th are there.
 * A model of the tree sees a file of five bytes: only the tar has the map. */
static void sparse(struct dice *dice, const char *at)
{
	print(dice, " body=abcde pax:GNU.sparse.major=0 pax:GNU.sparse.minor=1");
	print(dice, " pax:GNU.sparse.size=12000 pax:GNU.sparse.numblocks=2");
	print(dice, " pax:GNU.sparse.map=0,4,4096,1 pax:GNU.sparse.name=");
	print(dice, at);
}

static void file(struct dice *dice)
{
	static const char *const bodies[] = { "", " body=x", " body=yz", " size=5000",
					      " body={b*4096}" };
	char at[128];

	path(dice, at);
	if (dice->file_count < 32)
		snprintf(dice->files[dice->file_count++], 128, "%s", at);
	print(dice, "file ");
	print(dice, at);
	if (roll(dice, 16) == 0)
		sparse(dice, at);
	else
		print(dice, bodies[roll(dice, 5)]);
	owner(dice, false);
	times(dice);
	xattrs(dice);
}

static void directory(struct dice *dice)
{
	char at[128];

	path(dice, at);
	print(dice, "dir ");
	print(dice, roll(dice, 12) == 0 && dice->taste == RANDOM_ALL ? "./" : at);
	print(dice, roll(dice, 4) == 0 ? "/" : "");
	owner(dice, true);
	times(dice);
	xattrs(dice);
}

static void symlink_to(struct dice *dice)
{
	static const char *const odd[] = { ".", "..", "/", "../../..", "{t*90}", "./c", "b/../a" };
	char at[128], to[128];

	path(dice, at);
	path(dice, to);
	print(dice, "symlink ");
	print(dice, at);
	print(dice, " ");
	if (roll(dice, 4) == 0) {
		print(dice, odd[roll(dice, dice->taste == RANDOM_CALM ? 6 : 7)]);
	} else {
		static const char *const starts[] = { "", "/", "../" };

		print(dice, starts[roll(dice, 3)]);
		print(dice, to);
	}
	print_number(dice, " uid=", roll(dice, 2) * 7);
	times(dice);
}

static void hardlink_to(struct dice *dice)
{
	char at[128], to[128];

	path(dice, at);
	path(dice, to);
	if (dice->file_count > 0 && roll(dice, 4) > 0)
		snprintf(to, sizeof(to), "%s", dice->files[roll(dice, dice->file_count)]);
	print(dice, "hardlink ");
	print(dice, at);
	print(dice, " ");
	print(dice, to);
}

static void removal(struct dice *dice)
{
	char at[128];
	char *slash = NULL;

	path(dice, at);
	slash = strrchr(at, '/');
	print(dice, "file ");
	if (slash) {
		*slash = '\0';
		print(dice, at);
		print(dice, "/");
	}
	print(dice, ".wh.");
	print(dice, roll(dice, 4) == 0 ? ".wh..opq" : slash ? slash + 1 : at);
	print(dice, "\n");
}

static void special(struct dice *dice)
{
	static const char *const kinds[] = { "fifo ", "char ", "block " };
	uint64_t kind = roll(dice, 3);
	char at[128];

	path(dice, at);
	print(dice, kinds[kind]);
	print(dice, at);
	if (kind > 0)
		print(dice, " device=8:3");
	owner(dice, false);
	times(dice);
}

static void addition(struct dice *dice)
{
	uint64_t kind = roll(dice, 82);

	if (kind < 30)
		file(dice);
	else if (kind < 52)
		directory(dice);
	else if (kind < 67)
		symlink_to(dice);
	else if (kind < 79)
		hardlink_to(dice);
	else
		special(dice);
	print(dice, "\n");
}

static bool is_removal(struct dice *dice)
{
	return roll(dice, 100) < 18;
}

/* Where the order may not matter to others, removals stand first, as the spec advises. */
static void layer(struct dice *dice)
{
	uint64_t entries = roll(dice, ENTRIES_MAX), removals = 0;

	print(dice, "layer\n");
	for (uint64_t i = 0; i < entries && dice->taste == RANDOM_CALM; i++)
		removals += is_removal(dice);
	for (uint64_t i = 0; i < removals; i++)
		removal(dice);
	for (uint64_t i = removals; i < entries; i++) {
		if (dice->taste == RANDOM_ALL && is_removal(dice))
			removal(dice);
		else
			addition(dice);
	}
}

/* A line that the model refuses, or that is not calm; or 0. */
static unsigned bad_line(const struct bytes *text, enum random_taste taste)
{
	struct case_file file;
	struct model model;
	bool is_fine = true;

	case_parse(&file, bytes_view(text), "random");
	model_begin(&model);
	for (size_t i = 0; i < file.layer_count && is_fine; i++)
		is_fine = model_apply(&model, &file.layers[i]);
	unsigned line = is_fine ? 0 : model.failed_line;

	if (is_fine && taste == RANDOM_CALM)
		line = model.odd_line;

	model_freep(&model);
	case_freep(&file);
	return line;
}

static void drop_line(struct bytes *text, unsigned line)
{
	char *start = text->data;

	for (unsigned i = 1; i < line; i++)
		start = strchr(start, '\n') + 1;
	char *next = strchr(start, '\n') + 1;

	memmove(start, next, strlen(next) + 1);
	text->len -= (size_t)(next - start);
}

void random_case(struct bytes *out, uint64_t seed, enum random_taste taste)
{
	struct bytes text = bytes_capped(1 << 20);
	struct dice dice = { .state = seed, .taste = taste, .out = &text };
	uint64_t layers = 1 + roll(&dice, LAYERS_MAX);
	struct err err;

	for (uint64_t i = 0; i < layers; i++)
		layer(&dice);
	if (taste == RANDOM_CALM || roll(&dice, 16) > 0) {
		unsigned line = 0;

		while ((line = bad_line(&text, taste)) > 0)
			drop_line(&text, line);
	}
	if (!bytes_append(out, text.data, text.len, &err))
		abort();
	bytes_freep(&text);
}
