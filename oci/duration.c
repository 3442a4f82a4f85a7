#include "duration.h"

#include <string.h>

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	/* "m" after "ms" */
	{ "ns", 1 },	   { "us", 1000 },    { "µs", 1000 },	 { "μs", 1000 },
	{ "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
};

enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

static const uint64_t duration_ns_max = (uint64_t)24 * 3600000000000;

/* Digits at the start of rest, at most nine that count: more say nothing a clock could keep. */
static size_t cut_digits(struct view *rest, uint64_t *number, uint64_t *scale)
{
	size_t count = 0;

	*number = 0;
	*scale = 1;
	for (; count < rest->len && rest->ptr[count] >= '0' && rest->ptr[count] <= '9'; count++) {
		if (count >= 9)
			continue;
		*number = *number * 10 + (uint64_t)(rest->ptr[count] - '0');
		*scale *= 10;
	}
	*rest = view_from(*rest, count);
	return count;
}

static uint64_t cut_unit(struct view *rest)
{
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (view_starts(*rest, units[i].name)) {
			*rest = view_from(*rest, strlen(units[i].name));
			return units[i].ns;
		}
	return 0;
}

/* "1.5h" */
static bool cut_part(struct view *rest, uint64_t *total_ns)
{
	uint64_t whole = 0, fraction = 0, scale = 1, whole_scale = 1;
	size_t digit_count = cut_digits(rest, &whole, &whole_scale);
	bool is_short = digit_count <= 9;

	if (view_starts(*rest, ".")) {
		*rest = view_from(*rest, 1);
		digit_count += cut_digits(rest, &fraction, &scale);
	}
	uint64_t unit_ns = cut_unit(rest);

	if (digit_count == 0 || !is_short || unit_ns == 0 || whole > duration_ns_max / unit_ns)
		return false;
	*total_ns += whole * unit_ns + fraction * (unit_ns / 1000) / scale * 1000 +
		     fraction * (unit_ns % 1000) / scale;
	return *total_ns <= duration_ns_max;
}

bool duration_parse(uint64_t *out_ms, struct view text, struct err *err)
{
	struct view rest = view_starts(text, "+") ? view_from(text, 1) : text;
	uint64_t total_ns = 0;
	bool is_ok = rest.len > 0;

	if (view_equal(rest, "0")) {
		*out_ms = 0;
		return true;
	}
	while (is_ok && rest.len > 0)
		is_ok = cut_part(&rest, &total_ns);
	if (!is_ok)
		return err_set(err, ERR_FORMAT, "'%.*s' is no duration, as in \"10s\"",
			       text.len > 40 ? 40 : (int)text.len, text.ptr);
	*out_ms = total_ns / 1000000 + (total_ns % 1000000 > 0);
	return true;
}
