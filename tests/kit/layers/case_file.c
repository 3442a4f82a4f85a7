#include "case_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct case_file *file;
	struct case_list *list; /* where entries go now */
	const char *name;
	unsigned line;
};

static void __attribute__((noreturn)) die(const struct parser *parser, const char *what,
					  struct view where)
{
	fprintf(stderr, "%s:%u: %s '%.*s'\n", parser->name, parser->line, what, VIEW_ARGS(where));
	abort();
}

static uint64_t number(const struct parser *parser, struct view text, unsigned base)
{
	uint64_t value = 0;

	if (!view_number(text, base, UINT64_MAX, &value))
		die(parser, "not a number:", text);
	return value;
}

static unsigned hex(const struct parser *parser, struct view text)
{
	if (text.len < 4)
		die(parser, "not \\xNN:", text);
	return (unsigned)number(parser, (struct view){ text.ptr + 2, 2 }, 16);
}

/* One byte or escape. Returns how many bytes of text it takes. */
static size_t single(const struct parser *parser, struct view text, char *byte)
{
	*byte = text.ptr[0];
	if (text.ptr[0] != '\\')
		return 1;
	switch (text.len > 1 ? text.ptr[1] : '\0') {
	case 'x':
		*byte = (char)hex(parser, text);
		return 4;
	case 's':
		*byte = ' ';
		return 2;
	case 'n':
		*byte = '\n';
		return 2;
	case '\\':
		return 2;
	default:
		die(parser, "not an escape:", text);
	}
}

/* The same, or "{x*300}": 300 times x. */
static size_t unit(const struct parser *parser, struct view text, char *byte, uint64_t *count)
{
	*count = 1;
	if (text.ptr[0] != '{')
		return single(parser, text, byte);
	ptrdiff_t end = view_find(text, '}');
	size_t star = text.len > 1 ? 1 + single(parser, view_from(text, 1), byte) : 1;

	if (end < (ptrdiff_t)star + 2 || text.ptr[star] != '*')
		die(parser, "not {x*N}:", text);
	*count = number(parser, (struct view){ text.ptr + star + 1, (size_t)end - star - 1 }, 10);
	return (size_t)end + 1;
}

/* Escapes become bytes, in two passes: count, then fill. */
static struct view unescape(struct parser *parser, struct view text)
{
	size_t len = 0;
	uint64_t count = 0;
	char byte = '\0';

	if (text.len == 0)
		return (struct view){ "", 0 };
	for (size_t at = 0; at < text.len; len += count)
		at += unit(parser, view_from(text, at), &byte, &count);
	char *out = arena_take(&parser->file->arena, len + 1);

	if (!out)
		abort();
	len = 0;
	for (size_t at = 0; at < text.len; len += count) {
		at += unit(parser, view_from(text, at), &byte, &count);
		memset(out + len, byte, count);
	}
	return (struct view){ out, len };
}

static struct view next_word(struct view *rest)
{
	*rest = view_trim(*rest);
	return view_cut(rest, ' ');
}

static struct case_entry *add(struct parser *parser, struct case_list *list)
{
	if (!list)
		die(parser, "before any layer:", (struct view){ 0 });
	if (list->count == list->capacity) {
		size_t wanted = list->capacity ? list->capacity * 2 : 16;
		struct case_entry *bigger =
			arena_take(&parser->file->arena, wanted * sizeof(*bigger));

		if (!bigger)
			abort();
		if (list->count > 0)
			memcpy(bigger, list->entries, list->count * sizeof(*bigger));
		list->entries = bigger;
		list->capacity = wanted;
	}
	struct case_entry *entry = &list->entries[list->count++];

	*entry = (struct case_entry){ .line = parser->line, .format = WRITER_USTAR, .type = -1 };
	return entry;
}

/* "5", "-5" or "5.000000001": seconds and the nanoseconds that count forward from them. */
static void parse_mtime(struct parser *parser, struct case_entry *entry, struct view value)
{
	struct view fraction = value;
	struct view whole = view_cut(&fraction, '.');
	bool is_negative = view_starts(whole, "-");

	entry->has_mtime = true;
	entry->mtime_seconds = (int64_t)number(parser, view_from(whole, is_negative), 10);
	if (is_negative)
		entry->mtime_seconds = -entry->mtime_seconds;
	if (fraction.ptr && fraction.len != 9)
		die(parser, "give nine digits:", fraction);
	entry->mtime_ns = fraction.ptr ? (uint32_t)number(parser, fraction, 10) : 0;
}

static void parse_format(struct parser *parser, struct case_entry *entry, struct view value)
{
	static const char *const names[] = { [WRITER_V7] = "v7",
					     [WRITER_USTAR] = "ustar",
					     [WRITER_GNU] = "gnu",
					     [WRITER_STAR] = "star" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (view_equal(value, names[i])) {
			entry->format = (enum writer_format)i;
			return;
		}
	}
	die(parser, "not a format:", value);
}

static void parse_sum(struct parser *parser, struct case_entry *entry, struct view value)
{
	if (view_equal(value, "signed"))
		entry->sum = SUM_SIGNED;
	else if (view_equal(value, "wrong"))
		entry->sum = SUM_WRONG;
	else
		die(parser, "not a sum:", value);
}

static void parse_device(struct parser *parser, struct case_entry *entry, struct view value)
{
	struct view minor = value;
	struct view major = view_cut(&minor, ':');

	entry->rdev_major = (uint32_t)number(parser, major, 10);
	entry->rdev_minor = (uint32_t)number(parser, minor, 10);
}

static bool parse_owner(struct parser *parser, struct case_entry *entry, struct view key,
			struct view value)
{
	if (view_equal(key, "mode")) {
		entry->has_mode = true;
		entry->mode = (uint32_t)number(parser, value, 8);
	} else if (view_equal(key, "uid")) {
		entry->has_uid = true;
		entry->uid = (uint32_t)number(parser, value, 10);
	} else if (view_equal(key, "gid")) {
		entry->has_gid = true;
		entry->gid = (uint32_t)number(parser, value, 10);
	} else if (view_equal(key, "mtime")) {
		parse_mtime(parser, entry, value);
	} else {
		return false;
	}
	return true;
}

static bool parse_content(struct parser *parser, struct case_entry *entry, struct view key,
			  struct view value)
{
	if (view_equal(key, "body")) {
		entry->body = unescape(parser, value);
		entry->size = entry->body.len;
	} else if (view_equal(key, "size")) {
		entry->size = number(parser, value, 10);
	} else if (view_equal(key, "type")) {
		entry->type = unescape(parser, value).ptr[0];
	} else if (view_equal(key, "format")) {
		parse_format(parser, entry, value);
	} else if (view_equal(key, "sum")) {
		parse_sum(parser, entry, value);
	} else if (view_equal(key, "device")) {
		parse_device(parser, entry, value);
	} else {
		return false;
	}
	return true;
}

static void parse_attribute(struct parser *parser, struct case_entry *entry, struct view word)
{
	struct view value = word;
	struct view key = view_cut(&value, '=');

	if (view_equal(word, "made")) {
		entry->is_made = true;
	} else if (!value.ptr) {
		die(parser, "not an attribute:", word);
	} else if (view_starts(key, "xattr:") && entry->xattr_count < CASE_XATTRS_MAX) {
		entry->xattrs[entry->xattr_count++] =
			(struct xattr){ unescape(parser, view_from(key, strlen("xattr:"))),
					unescape(parser, value) };
	} else if (view_starts(key, "pax:") && entry->record_count < CASE_RECORDS_MAX) {
		entry->records[entry->record_count++] =
			(struct case_record){ unescape(parser, view_from(key, strlen("pax:"))),
					      unescape(parser, value) };
	} else if (!parse_owner(parser, entry, key, value) &&
		   !parse_content(parser, entry, key, value)) {
		die(parser, "not an attribute:", word);
	}
}

static enum entry_kind kind_of(struct view word)
{
	static const char *const names[] = {
		[ENTRY_FILE] = "file", [ENTRY_DIR] = "dir", [ENTRY_SYMLINK] = "symlink",
		[ENTRY_HARDLINK] = "hardlink", [ENTRY_CHAR] = "char", [ENTRY_BLOCK] = "block",
		[ENTRY_FIFO] = "fifo",
	};

	for (unsigned kind = ENTRY_FILE; kind <= ENTRY_FIFO; kind++) {
		if (view_equal(word, names[kind]))
			return (enum entry_kind)kind;
	}
	return ENTRY_KIND_END;
}

static void parse_entry(struct parser *parser, enum entry_kind kind, struct view rest)
{
	struct case_entry *entry = add(parser, parser->list);
	bool is_link = kind == ENTRY_SYMLINK || kind == ENTRY_HARDLINK;

	entry->kind = kind;
	entry->mode = kind == ENTRY_DIR ? 0755 : 0644;
	entry->path = unescape(parser, next_word(&rest));
	if (is_link)
		entry->target = unescape(parser, next_word(&rest));
	while (view_trim(rest).len > 0)
		parse_attribute(parser, entry, next_word(&rest));
}

static bool parse_section(struct parser *parser, struct view word, struct view rest)
{
	static const char *const kinds[] = { [ERR_FORMAT] = "format",
					     [ERR_UNSUPPORTED] = "unsupported" };
	struct case_file *file = parser->file;

	if (view_equal(word, "layer")) {
		if (file->layer_count == CASE_LAYERS_MAX)
			die(parser, "too many layers", word);
		parser->list = &file->layers[file->layer_count++];
	} else if (view_equal(word, "tree")) {
		parser->list = &file->tree;
	} else if (view_equal(word, "note")) {
		add(parser, &file->notes)->path = view_trim(rest);
	} else if (view_equal(word, "fails")) {
		struct view kind = next_word(&rest);

		file->failure = view_equal(kind, kinds[ERR_FORMAT])	   ? ERR_FORMAT
				: view_equal(kind, kinds[ERR_UNSUPPORTED]) ? ERR_UNSUPPORTED
									   : ERR_NONE;
		if (file->failure == ERR_NONE)
			die(parser, "not a kind of failure:", kind);
		file->failure_part = view_trim(rest);
		if (file->failure_part.len == 0)
			die(parser, "no part of the sentence", word);
	} else {
		return false;
	}
	return true;
}

static void parse_line(struct parser *parser, struct view line)
{
	struct view rest = view_trim(line);

	if (rest.len == 0 || rest.ptr[0] == '#')
		return;
	struct view word = next_word(&rest);
	enum entry_kind kind = kind_of(word);

	if (kind != ENTRY_KIND_END) {
		parse_entry(parser, kind, rest);
	} else if (view_equal(word, "global")) {
		struct case_entry *entry = add(parser, parser->list);

		entry->special = CASE_GLOBAL;
		while (view_trim(rest).len > 0)
			parse_attribute(parser, entry, next_word(&rest));
	} else if (view_equal(word, "zeros") || view_equal(word, "cut")) {
		struct case_entry *entry = add(parser, parser->list);

		entry->special = view_equal(word, "zeros") ? CASE_ZEROS : CASE_CUT;
		entry->size = number(parser, next_word(&rest), 10);
	} else if (!parse_section(parser, word, rest)) {
		die(parser, "not a line of a case:", line);
	}
}

void case_parse(struct case_file *out, struct view text, const char *name)
{
	struct parser parser = { .file = out, .name = name };

	*out = (struct case_file){ 0 };
	while (text.len > 0) {
		parser.line++;
		parse_line(&parser, view_cut(&text, '\n'));
	}
}

void case_freep(struct case_file *file)
{
	arena_freep(&file->arena);
}
