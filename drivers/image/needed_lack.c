#include "needed_lack.h"

#include <stdlib.h>
#include <string.h>

void lack_list_freep(struct lack_list *list)
{
	free(list->items);
	*list = (struct lack_list){ 0 };
}

/* The next number of "2.34.1"; 0 behind the last, and for what is none. */
static uint64_t next_number(struct view *rest)
{
	uint64_t number = 0;

	return view_number(view_cut(rest, '.'), 10, UINT32_MAX, &number) ? number : 0;
}

int glibc_version_compare(const char *a, const char *b)
{
	struct view left = view_from(view_of(a), strlen("GLIBC_"));
	struct view right = view_from(view_of(b), strlen("GLIBC_"));

	while (left.len > 0 || right.len > 0) {
		uint64_t l = next_number(&left), r = next_number(&right);

		if (l != r)
			return l < r ? -1 : 1;
	}
	return 0;
}

static bool is_text_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Is it the same thing that is lacking? Of glibc's versions one stands for all of a severity. */
static bool is_same(const struct lack *a, const struct lack *b)
{
	if (a->kind != b->kind || a->loader != b->loader)
		return false;
	switch (a->kind) {
	case LACK_GLIBC:
		return true;
	case LACK_GLIBC_VERSION:
		return a->is_error == b->is_error;
	case LACK_LIBRARY:
	case LACK_GOOD_LIBRARY:
	case LACK_VERSION:
	case LACK_INTERPRETER:
	case LACK_SUBJECT:
		return strcmp(a->name, b->name) == 0 && is_text_same(a->detail, b->detail);
	}
	return false;
}

static void add_needer(struct lack *lack, const char *needer)
{
	if (!needer || lack->needer_count > LACK_NEEDERS_MAX)
		return;
	for (size_t i = 0; i < lack->needer_count; i++)
		if (strcmp(lack->needers[i], needer) == 0)
			return;
	lack->needers[lack->needer_count++] = needer;
}

static void join(struct lack *lack, const struct lack *other, const char *needer)
{
	int order = lack->kind == LACK_GLIBC_VERSION
			    ? glibc_version_compare(other->detail, lack->detail)
			    : 0;

	lack->is_error |= other->is_error;
	if (order < 0)
		return;
	if (order > 0) {
		lack->name = other->name;
		lack->detail = other->detail;
		lack->needer_count = 0;
	}
	add_needer(lack, needer);
}

bool lack_add(struct lack_list *list, const struct lack *lack, const char *needer, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_same(&list->items[i], lack)) {
			join(&list->items[i], lack, needer);
			return true;
		}
	if (list->count == LACKS_MAX) {
		list->untold_count++;
		list->untold_is_error |= lack->is_error;
		return true;
	}
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct lack *items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return err_memory(err, "a list of what is lacking");
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count] = *lack;
	list->items[list->count].needer_count = 0;
	add_needer(&list->items[list->count++], needer);
	return true;
}

enum { NEEDERS_BYTES = 600 }; /* of a finding's 1,024 */

/* "/a", "/a and /b", "/a, /b, /c and others" */
static const char *needers_of(const struct lack *lack, char out[NEEDERS_BYTES])
{
	size_t named =
		lack->needer_count < LACK_NEEDERS_MAX ? lack->needer_count : LACK_NEEDERS_MAX;
	bool has_others = lack->needer_count > named;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < named && len < NEEDERS_BYTES; i++) {
		bool is_last = i + 1 == named && !has_others;
		const char *before = i == 0 ? "" : is_last ? " and " : ", ";
		int added =
			snprintf(out + len, NEEDERS_BYTES - len, "%s%s", before, lack->needers[i]);

		len += added > 0 ? (size_t)added : 0;
	}
	if (has_others && len < NEEDERS_BYTES)
		snprintf(out + len, NEEDERS_BYTES - len, " and others");
	return out;
}

/* " (32-bit x86)", for what the image may well have for its other programs. */
static const char *machine_note(const struct loader *loader, char out[64])
{
	out[0] = '\0';
	if (loader && !loader->is_64)
		snprintf(out, 64, " (%s)", loader_machine_name(loader));
	return out;
}

/* "2.36": the newest that the image's libc.so.6 defines. */
static const char *glibc_of(const struct loader *loader)
{
	const struct library *libc = loader->libc_library;
	const char *newest = "GLIBC_0";

	for (size_t i = 0; libc && i < libc->versions_defined_count; i++) {
		const char *name = libc->versions_defined[i].name;

		if (strncmp(name, "GLIBC_", 6) == 0 && glibc_version_compare(name, newest) > 0)
			newest = name;
	}
	return newest + strlen("GLIBC_");
}

MUST_CHECK static bool report_glibc(struct finding_list *findings, const struct lack *lack,
				    enum severity severity, const char *needers, struct err *err)
{
	const struct loader *loader = lack->loader;
	const char *name = loader_machine_name(loader);

	if (loader->libc == LOADER_MUSL)
		return finding_add(findings, RULE_LIBC_MISMATCH, severity, err,
				   "the image's C library is musl (%s): glibc is needed by %s",
				   loader->libc_path, needers);
	return finding_add(findings, RULE_LIBC_MISMATCH, severity, err,
			   "the image has no glibc for %s programs: it is needed by %s", name,
			   needers);
}

MUST_CHECK static bool report_one(struct finding_list *findings, const struct lack *lack,
				  struct err *err)
{
	enum severity severity = lack->is_error ? SEVERITY_ERROR : SEVERITY_WARNING;
	char needers_room[NEEDERS_BYTES], note_room[64];
	const char *needers = needers_of(lack, needers_room);
	const char *note = machine_note(lack->loader, note_room);
	enum rule rule = RULE_NEEDED_MISSING;

	switch (lack->kind) {
	case LACK_LIBRARY:
		return finding_add(findings, rule, severity, err,
				   "the image has no %.255s%s: it is needed by %s", lack->name,
				   note, needers);
	case LACK_GOOD_LIBRARY:
		return finding_add(findings, rule, severity, err,
				   "%.255s of the image cannot be loaded (%s): it is needed by %s",
				   lack->name, lack->detail, needers);
	case LACK_VERSION:
		return finding_add(findings, rule, severity, err,
				   "%.255s of the image has no version %.255s: it is needed by %s",
				   lack->name, lack->detail, needers);
	case LACK_GLIBC_VERSION:
		return finding_add(findings, RULE_GLIBC_TOO_OLD, severity, err,
				   "glibc of the image%s is %.32s: %.64s of %.64s is needed by %s",
				   note, glibc_of(lack->loader), lack->detail, lack->name, needers);
	case LACK_GLIBC:
		return report_glibc(findings, lack, severity, needers, err);
	case LACK_INTERPRETER:
		return finding_add(findings, rule, severity, err,
				   "the image has no loader %.255s: it is needed by %s", lack->name,
				   needers);
	case LACK_SUBJECT:
		return finding_add(findings, rule, severity, err,
				   "%.255s of the driver cannot be loaded: it is %s", lack->name,
				   lack->detail);
	}
	return true;
}

/* A warning of glibc's version says nothing beside an error of one as new. */
static bool is_told_by_another(const struct lack_list *list, const struct lack *lack)
{
	if (lack->kind != LACK_GLIBC_VERSION || lack->is_error)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		const struct lack *other = &list->items[i];

		if (other->kind == LACK_GLIBC_VERSION && other->loader == lack->loader &&
		    other->is_error && glibc_version_compare(lack->detail, other->detail) <= 0)
			return true;
	}
	return false;
}

bool lack_report(struct finding_list *findings, const struct lack_list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!is_told_by_another(list, &list->items[i]) &&
		    !report_one(findings, &list->items[i], err))
			return false;
	return list->untold_count == 0 ||
	       finding_add(findings, RULE_NEEDED_MISSING,
			   list->untold_is_error ? SEVERITY_ERROR : SEVERITY_WARNING, err,
			   "over %d libraries and versions are missing; the others are not listed",
			   LACKS_MAX);
}
