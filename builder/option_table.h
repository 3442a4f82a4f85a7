/* What the command line can hold: one table of options, one of commands. options.c reads words by
 * them and prints help from them; adding an option or a command is a row here.
 */
#pragma once

#include <stddef.h>

#include "options.h"

enum option_kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST, /* may be given several times */
	KIND_SIZE, /* N[KMGT], powers of 1,024 */
	KIND_FREE, /* N% or a size */
	KIND_JOURNAL, /* "none" or a size */
	KIND_COUNT, /* 1 to 1,024 */
	KIND_NUMBER, /* 1 to 2^32-1 */
	KIND_NUMBER_OR_NONE, /* 0 to 2^32-1 */
	KIND_AGE, /* "30d", "1d12h", in seconds; units s, m, h, d, w */
	KIND_PROGRESS,
};

/* Which commands take an option: a bit for each, and one for a line of warm's lists. */
#define ON(command) (1u << (command))
#define ON_LINE (1u << 31)
_Static_assert(COMMAND_COUNT <= 31, "a bit for each command");

struct option_row {
	const char *name;
	char letter; /* or 0 */
	enum option_kind kind;
	unsigned commands; /* ON(…) of each that takes it, and ON_LINE */
	size_t offset; /* in struct options */
	const char *value; /* as help shows it */
	const char *help;
};

/* rows[*count], in the order in which help shows them. */
const struct option_row *option_table_rows(size_t *count);

struct command_row {
	const char *name; /* of one word, or of a family's word and its own: "driver rm" */
	const char *operands, *help;
	size_t operand_min, operand_max;
};

/* Its name is NULL for COMMAND_NONE. */
const struct command_row *option_table_command(enum command command);
