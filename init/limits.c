#include "limits.h"

#include <errno.h>
#include <strings.h>

static const struct {
	const char *name;
	int resource;
} names[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

enum { NAME_COUNT = sizeof(names) / sizeof(names[0]), FILES_DEFAULT = 1 << 20 };

static void set(struct limits *limits, int resource, struct rlimit value, bool is_default)
{
	for (size_t i = 0; i < limits->count; i++) {
		if (limits->items[i].resource == resource) {
			limits->items[i].value = value;
			limits->items[i].is_default = is_default;
			return;
		}
	}
	limits->items[limits->count++] = (struct limit){ resource, value, is_default };
}

static bool parse_value(struct view text, rlim_t *out)
{
	uint64_t value = 0;

	if (view_equal(text, "unlimited") || view_equal(text, "-1")) {
		*out = RLIM_INFINITY;
		return true;
	}
	if (!view_number(text, 10, RLIM_INFINITY - 1, &value))
		return false;
	*out = value;
	return true;
}

MUST_CHECK static bool set_one(struct limits *limits, const struct setting_pair *pair,
			       struct err *err)
{
	struct view hard = view_of(pair->value), soft = view_cut(&hard, ':');
	struct rlimit value;

	if (!hard.ptr)
		hard = soft;
	if (!parse_value(soft, &value.rlim_cur) || !parse_value(hard, &value.rlim_max) ||
	    value.rlim_cur > value.rlim_max)
		return err_set(err, ERR_FORMAT, "\"rlimits\": %.100s cannot be \"%.100s\"",
			       pair->name, pair->value);
	for (size_t i = 0; i < NAME_COUNT; i++) {
		if (strcasecmp(names[i].name, pair->name) == 0) {
			set(limits, names[i].resource, value, false);
			return true;
		}
	}
	return err_set(err, ERR_FORMAT, "\"rlimits\": there is no limit \"%.100s\"", pair->name);
}

bool limits_make(struct limits *out, const struct setting_pairs *pairs, struct err *err)
{
	const struct rlimit files = { FILES_DEFAULT, FILES_DEFAULT };
	const struct rlimit no_limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct limits limits = { 0 };

	set(&limits, RLIMIT_NOFILE, files, true);
	set(&limits, RLIMIT_MEMLOCK, no_limit, true);
	for (size_t i = 0; i < pairs->count; i++)
		if (!set_one(&limits, &pairs->items[i], err))
			return false;
	*out = limits;
	return true;
}

/* Inside a user namespace no limit can be raised. */
static bool apply_one(const struct limit *limit)
{
	__rlimit_resource_t resource = (__rlimit_resource_t)limit->resource;
	struct rlimit allowed;

	if (setrlimit(resource, &limit->value) == 0)
		return true;
	if (errno != EPERM || !limit->is_default || getrlimit(resource, &allowed) < 0)
		return false;
	allowed.rlim_cur = allowed.rlim_max;
	return setrlimit(resource, &allowed) == 0;
}

bool limits_apply(const struct limits *limits)
{
	for (size_t i = 0; i < limits->count; i++)
		if (!apply_one(&limits->items[i]))
			return false;
	return true;
}
