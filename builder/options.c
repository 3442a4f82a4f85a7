#include "options.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/view.h"
#include "option_table.h"

static void *field(struct options *options, const struct option_row *row)
{
	return (char *)options + row->offset;
}

MUST_CHECK static bool parse_size(struct view text, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit = text.len > 0 ? strchr(units, text.ptr[text.len - 1]) : NULL;
	unsigned shift = 0;

	if (unit && *unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		text.len--;
	}
	if (!view_number(text, 10, UINT64_MAX >> shift, out))
		return false;
	*out <<= shift;
	return true;
}

MUST_CHECK static bool parse_free(struct view text, struct free_space *out)
{
	*out = (struct free_space){ .is_given = true, .is_percent = view_ends(text, "%") };
	if (!out->is_percent)
		return parse_size(text, &out->amount);
	text.len--;
	return view_number(text, 10, 10000, &out->amount);
}

MUST_CHECK static bool parse_age(struct view text, uint64_t *out)
{
	static const uint64_t seconds[] = { 1, 60, 3600, 86400, 604800 }, most = (uint64_t)1 << 40;
	static const char units[] = "smhdw";
	uint64_t total = 0, number = 0;

	do {
		size_t digits = 0;

		while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
			digits++;
		const char *unit = digits < text.len ? strchr(units, text.ptr[digits]) : NULL;

		if (!unit || !*unit || !view_number((struct view){ text.ptr, digits }, 10,
						    UINT32_MAX, &number))
			return false;
		total += number * seconds[unit - units];
		text = view_from(text, digits + 1);
	} while (text.len > 0 && total <= most);
	*out = total;
	return total <= most;
}

MUST_CHECK static bool parse_journal(struct view text, struct journal_choice *out)
{
	*out = (struct journal_choice){ .is_none = view_equal(text, "none") };
	return out->is_none || (parse_size(text, &out->bytes) && out->bytes > 0);
}

MUST_CHECK static bool parse_progress(struct view text, enum progress_style *out)
{
	static const char *const names[] = { "auto", "tty", "plain", "json", "none" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!view_equal(text, names[i]))
			continue;
		*out = (enum progress_style)i;
		return true;
	}
	return false;
}

MUST_CHECK static bool add_item(struct option_list *list, const char *item, struct err *err)
{
	if (list->count == OPTION_LIST_MAX)
		return err_set(err, ERR_USAGE, "more than %d of one kind", OPTION_LIST_MAX);
	list->items[list->count++] = item;
	return true;
}

MUST_CHECK static bool set_value(struct options *options, const struct option_row *row,
				 const char *value, struct err *err)
{
	struct view text = view_of(value);
	bool ok = true;

	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)field(options, row) = true;
		break;
	case KIND_TEXT:
		*(const char **)field(options, row) = value;
		ok = text.len > 0;
		break;
	case KIND_LIST:
		return add_item(field(options, row), value, err);
	case KIND_SIZE:
		ok = parse_size(text, field(options, row));
		break;
	case KIND_JOURNAL:
		ok = parse_journal(text, field(options, row));
		break;
	case KIND_FREE:
		ok = parse_free(text, field(options, row));
		break;
	case KIND_COUNT:
		ok = view_number(text, 10, 1024, field(options, row)) &&
		     *(uint64_t *)field(options, row) > 0;
		break;
	case KIND_NUMBER:
		ok = view_number(text, 10, UINT32_MAX, field(options, row)) &&
		     *(uint64_t *)field(options, row) > 0;
		break;
	case KIND_NUMBER_OR_NONE:
		ok = view_number(text, 10, UINT32_MAX, field(options, row));
		break;
	case KIND_AGE:
		ok = parse_age(text, field(options, row));
		break;
	case KIND_PROGRESS:
		ok = parse_progress(text, field(options, row));
		break;
	}
	return ok || err_set(err, ERR_USAGE, "--%s: \"%s\" is no %s", row->name, value, row->value);
}

/* commands: ON(…) or ON_LINE */
static const struct option_row *find_row(struct view name, unsigned commands)
{
	size_t count = 0;
	const struct option_row *rows = option_table_rows(&count);

	for (size_t i = 0; i < count; i++)
		if ((rows[i].commands & commands) != 0 &&
		    (name.len == 1 ? rows[i].letter == name.ptr[0]
				   : view_equal(name, rows[i].name)))
			return &rows[i];
	return NULL;
}

/* The words in front of us; options may take the next one as their value. */
struct words {
	const char *const *next, *const *end;
	bool is_line; /* of warm's lists, not the command line */
};

/* An option as it stands: "--name", "--name=value", "-n" or "-nvalue". value.ptr is NULL without.
 */
struct given {
	struct view name, value;
};

static struct given split_option(const char *word)
{
	struct given given = { .value = view_of(word + 1) };

	if (word[1] != '-') {
		given.name = (struct view){ word + 1, 1 };
		given.value = given.value.len > 1 ? view_from(given.value, 1) : (struct view){ 0 };
		return given;
	}
	given.value = view_of(word + 2);
	given.name = view_cut(&given.value, '=');
	if (given.name.len < 2) /* "--o" is not "-o" */
		given.name = (struct view){ 0 };
	return given;
}

MUST_CHECK static bool unknown_option(const struct options *options, const struct given *given,
				      const char *word, struct err *err)
{
	const char *command = option_table_command(options->command)->name;
	const struct option_row *row = find_row(given->name, ON(options->command));

	if (row) /* in a line */
		return err_set(err, ERR_USAGE, "--%s is for all images: give it to vmbake %s"
			       " itself", row->name, command);
	return err_set(err, ERR_USAGE, "unknown option %s (see vmbake%s%s --help)", word,
		       command ? " " : "", command ? command : "");
}

MUST_CHECK static bool take_option(struct options *options, struct words *words, struct err *err)
{
	const char *word = *words->next++;
	struct given given = split_option(word);
	const struct option_row *row =
		find_row(given.name, words->is_line ? ON_LINE : ON(options->command));

	if (!row)
		return unknown_option(options, &given, word, err);
	if (row->kind == KIND_FLAG && given.value.ptr)
		return err_set(err, ERR_USAGE, "--%s takes no value", row->name);
	if (row->kind == KIND_FLAG)
		return set_value(options, row, "", err);
	if (!given.value.ptr && words->next == words->end)
		return err_set(err, ERR_USAGE, "--%s needs a value: %s", row->name, row->value);
	return set_value(options, row, given.value.ptr ? given.value.ptr : *words->next++, err);
}

/* "driver" stands in front of a word of its own: "import, list, inspect or rm". */
MUST_CHECK static bool incomplete_family(const char *family, const char *second, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes words = bytes_capped(1024);
	const char *last = NULL;

	for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		struct view rest = view_of(option_table_command((enum command)i)->name);

		if (!view_equal(view_cut(&rest, ' '), family))
			continue;
		if (last && !bytes_print(&words, err, "%s%s", words.len > 0 ? ", " : "", last))
			return false;
		last = rest.ptr;
	}
	return err_set(err, ERR_USAGE, "%s needs %s or %s behind it%s%s (see vmbake --help)",
		       family, words.data ? words.data : "", last ? last : "",
		       *second ? ", not " : "", second);
}

MUST_CHECK static bool take_word(struct options *options, struct words *words, struct err *err)
{
	const char *word = *words->next++;
	const char *second = words->next < words->end ? *words->next : "";
	bool is_family = false;

	if (options->command != COMMAND_NONE)
		return add_item(&options->operands, word, err);
	for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		struct view rest = view_of(option_table_command((enum command)i)->name);
		struct view first = view_cut(&rest, ' ');

		if (!view_equal(first, word))
			continue;
		is_family = rest.ptr != NULL;
		if (is_family && !view_equal(rest, second))
			continue;
		words->next += is_family;
		options->command = (enum command)i;
		return true;
	}
	if (is_family && (strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0))
		return true; /* all commands are listed then, with this family's */
	if (is_family)
		return incomplete_family(word, second, err);
	return err_set(err, ERR_USAGE, "unknown command %s (see vmbake --help)", word);
}

MUST_CHECK static bool check_operands(const struct options *options, struct err *err)
{
	const struct command_row *row = option_table_command(options->command);

	if (options->wants_help || options->wants_version)
		return true;
	if (options->command == COMMAND_NONE)
		return err_set(err, ERR_USAGE, "no command given (see vmbake --help)");
	if (options->operands.count < row->operand_min)
		return err_set(err, ERR_USAGE, "%s needs %s (see vmbake %s --help)", row->name,
			       row->operands, row->name);
	if (options->operands.count > row->operand_max)
		return err_set(err, ERR_USAGE, "%s: one word too many: %s", row->name,
			       options->operands.items[row->operand_max]);
	return true;
}

static uint64_t core_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > 1024 ? 1024 : (uint64_t)cores;
}

MUST_CHECK static bool take_all(struct options *options, struct words *words, struct err *err)
{
	bool has_options = true;

	while (words->next < words->end) {
		const char *word = *words->next;
		bool is_option = has_options && word[0] == '-' && word[1] != '\0';

		if (is_option && strcmp(word, "--") == 0) {
			has_options = false;
			words->next++;
		} else if (is_option ? !take_option(options, words, err) :
				       !take_word(options, words, err)) {
			return false;
		}
	}
	return true;
}

bool options_parse(struct options *out, int argc, const char *const *argv, struct err *err)
{
	struct options options = { .jobs = core_count(),
				   .retries = 5,
				   .lock_timeout_seconds = UINT64_MAX,
				   .cache = { .older_than_seconds = UINT64_MAX,
					      .max_bytes = UINT64_MAX } };
	struct words words = { .next = argv + (argc > 0), .end = argv + argc };

	if (!take_all(&options, &words, err) || !check_operands(&options, err))
		return false;
	*out = options;
	return true;
}

bool options_parse_line(struct options *out, const struct options *defaults,
			const char *const *words, size_t word_count, struct err *err)
{
	struct options options = *defaults;
	struct words line = { .next = words, .end = words + word_count, .is_line = true };

	options.operands.count = 0;
	if (!take_all(&options, &line, err))
		return false;
	if (options.operands.count == 0)
		return err_set(err, ERR_USAGE, "there is no image");
	if (options.operands.count > 1)
		return err_set(err, ERR_USAGE, "one image too many: %s",
			       options.operands.items[1]);
	*out = options;
	return true;
}

int64_t options_lock_timeout_ms(const struct options *options)
{
	return options->lock_timeout_seconds == UINT64_MAX ?
		       -1 :
		       (int64_t)options->lock_timeout_seconds * 1000;
}

static void print_row(FILE *stream, const struct option_row *row)
{
	char letter[8] = "", left[64];

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	fprintf(stream, "  %-30s %s\n", left, row->help);
}

static void print_command(FILE *stream, const struct command_row *row)
{
	fprintf(stream, "  %-15s %-21s %s\n", row->name, row->operands, row->help);
}

void options_print_help(FILE *stream, enum command command)
{
	const struct command_row *row = option_table_command(command);
	size_t count = 0;
	const struct option_row *rows = option_table_rows(&count);

	if (command == COMMAND_NONE) {
		fputs("vmbake turns container images into ext4 images that microVMs boot.\n\n"
		      "usage: vmbake COMMAND [OPTIONS] [OPERANDS]\n\ncommands:\n", stream);
		for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
			print_command(stream, option_table_command((enum command)i));
	} else {
		fprintf(stream, "vmbake %s: %s\n\nusage: vmbake %s [OPTIONS] %s\n", row->name,
			row->help, row->name, row->operands);
	}
	fprintf(stream, "\noptions:\n");
	for (size_t i = 0; i < count; i++)
		if (rows[i].commands & ON(command))
			print_row(stream, &rows[i]);
	if (command == COMMAND_NONE)
		fprintf(stream, "\nvmbake COMMAND --help says more of one command.\n");
	if (command == COMMAND_WARM)
		fputs("\nLIST holds one image a line, with options for it alone, as in\n"
		      "    registry/name:tag --platform linux/arm64 --label 'a b'  # why\n",
		      stream);
	if (command == COMMAND_BUILD || command == COMMAND_WARM)
		fputs("\nIMAGE is registry/name[:tag][@digest], docker://…, oci:DIR[:TAG],\n"
		      "oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG].\n",
		      stream);
}
