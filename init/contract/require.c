#include "require.h"

#include <stdio.h>
#include <strings.h>

#include "version.h"

enum operator { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

static const struct {
	const char *text;
	enum operator operator;
} operators[] = {
	{ "=", EQUAL },
	{ "!=", NOT_EQUAL },
	{ "!", NOT_EQUAL }, /* the runtime compares only as far as it was typed */
	{ "<", LESS },
	{ "<=", LESS_EQUAL },
	{ ">", GREATER },
	{ ">=", GREATER_EQUAL },
};

enum { OPERATOR_COUNT = sizeof(operators) / sizeof(operators[0]) };

struct expression {
	struct view name;
	enum operator operator;
	struct view value;
};

static bool is_operator_byte(char byte)
{
	return byte == '<' || byte == '>' || byte == '=' || byte == '!';
}

static bool parse_expression(struct expression *out, struct view text)
{
	size_t name_len = 0, operator_len = 0;

	while (name_len < text.len && !is_operator_byte(text.ptr[name_len]))
		name_len++;
	while (name_len + operator_len < text.len &&
	       is_operator_byte(text.ptr[name_len + operator_len]))
		operator_len++;
	struct view operator = { text.ptr + name_len, operator_len };

	out->name = (struct view){ text.ptr, name_len };
	out->value = view_from(text, name_len + operator_len);
	if (name_len == 0 || operator_len == 0 || out->value.len == 0)
		return false;
	for (size_t i = 0; i < OPERATOR_COUNT; i++) {
		if (view_equal(operator, operators[i].text)) {
			out->operator = operators[i].operator;
			return true;
		}
	}
	return false;
}

static bool holds(enum operator operator, int order)
{
	switch (operator) {
	case EQUAL:
		return order == 0;
	case NOT_EQUAL:
		return order != 0;
	case LESS:
		return order < 0;
	case LESS_EQUAL:
		return order <= 0;
	case GREATER:
		return order > 0;
	case GREATER_EQUAL:
		return order >= 0;
	}
	return false;
}

static enum require_verdict verdict_of(bool is_true)
{
	return is_true ? REQUIRE_SATISFIED : REQUIRE_UNSATISFIED;
}

static bool is_same_word(struct view a, struct view b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool check_version(enum require_verdict *out, const struct expression *expression,
			  struct view fact)
{
	struct view known = fact.len > 0 ? fact : expression->value; /* still: is it a version? */
	int order = 0;

	if (!version_compare(known, expression->value, &order))
		return false;
	*out = fact.len > 0 ? verdict_of(holds(expression->operator, order)) :
			      REQUIRE_DEPENDS_ON_GPU;
	return true;
}

static bool check_brand(enum require_verdict *out, const struct expression *expression,
			struct view fact)
{
	if (expression->operator != EQUAL && expression->operator != NOT_EQUAL)
		return false;
	int order = is_same_word(fact, expression->value) ? 0 : 1;

	*out = fact.len > 0 ? verdict_of(holds(expression->operator, order)) :
			      REQUIRE_DEPENDS_ON_GPU;
	return true;
}

MUST_CHECK static bool check_expression(enum require_verdict *out, struct view text,
					const struct require_facts *facts, struct err *err)
{
	struct expression expression = { 0 };
	bool is_valid = parse_expression(&expression, text);

	if (is_valid && is_same_word(expression.name, view_of("cuda")))
		is_valid = check_version(out, &expression, facts->cuda);
	else if (is_valid && is_same_word(expression.name, view_of("driver")))
		is_valid = check_version(out, &expression, facts->driver);
	else if (is_valid && is_same_word(expression.name, view_of("arch")))
		is_valid = check_version(out, &expression, facts->arch);
	else if (is_valid && is_same_word(expression.name, view_of("brand")))
		is_valid = check_brand(out, &expression, facts->brand);
	else
		is_valid = false;
	return is_valid ||
	       err_set(err, ERR_FORMAT, "invalid expression \"%.*s\"", VIEW_ARGS(text));
}

/* *is_empty: the term has nothing between its commas. */
MUST_CHECK static bool check_term(enum require_verdict *out, bool *is_empty, struct view term,
				  const struct require_facts *facts, struct err *err)
{
	enum require_verdict all = REQUIRE_SATISFIED, one = REQUIRE_SATISFIED;

	*is_empty = true;
	while (term.ptr && all != REQUIRE_UNSATISFIED) {
		struct view text = view_cut(&term, ',');

		if (text.len == 0)
			continue;
		*is_empty = false;
		if (!check_expression(&one, text, facts, err))
			return false;
		all = one > all ? one : all; /* the verdicts stand from best to worst */
	}
	*out = all;
	return true;
}

bool require_check(enum require_verdict *out, struct view predicate,
		   const struct require_facts *facts, struct err *err)
{
	enum require_verdict best = REQUIRE_SATISFIED, one = REQUIRE_SATISFIED;
	bool is_first = true, is_empty = false;
	struct err failure = { 0 };

	while (predicate.ptr) {
		struct view term = view_cut(&predicate, ' ');

		if (term.len == 0)
			continue;
		if (!check_term(&one, &is_empty, term, facts, &failure)) {
			/* The runtime comes this far only if the GPU fails an earlier term. */
			if (best == REQUIRE_DEPENDS_ON_GPU)
				break;
			*err = failure;
			return false;
		}
		if (is_empty) /* a lone comma ends the walk there, with what was found so far */
			break;
		best = is_first || one < best ? one : best;
		is_first = false;
		if (best == REQUIRE_SATISFIED)
			break;
	}
	*out = best;
	return true;
}

static const char require_prefix[] = "NVIDIA_REQUIRE_";

struct view require_env(const char *const *env, size_t env_count, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = env_count; i > 0; i--)
		if (strncmp(env[i - 1], name, len) == 0 && env[i - 1][len] == '=')
			return view_of(env[i - 1] + len + 1);
	return (struct view){ 0 };
}

bool require_is_legacy(const char *const *env, size_t env_count)
{
	return require_env(env, env_count, "CUDA_VERSION").len > 0 &&
	       require_env(env, env_count, "NVIDIA_REQUIRE_CUDA").len == 0;
}

/* What Go's strconv.ParseBool takes for true; all else leaves the requirements standing. */
static bool is_true_word(struct view value)
{
	static const char *const words[] = { "1", "t", "T", "true", "True", "TRUE" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (view_equal(value, words[i]))
			return true;
	return false;
}

/* "12.4.1" or "v12.4" becomes "cuda>=12.4"; "12" becomes "cuda>=12.0". */
MUST_CHECK static bool legacy_predicate(struct view *out, struct arena *arena, struct view version,
					struct err *err)
{
	uint64_t major = 0, minor = 0;
	struct view rest = version;
	char text[64];

	if (view_starts(rest, "v"))
		rest = view_from(rest, 1);
	if (!view_number(view_cut(&rest, '.'), 10, UINT32_MAX, &major) ||
	    (rest.ptr && !view_number(view_cut(&rest, '.'), 10, UINT32_MAX, &minor)))
		return err_set(err, ERR_FORMAT, "CUDA_VERSION \"%.*s\" is no version",
			       VIEW_ARGS(version));
	int len = snprintf(text, sizeof(text), "cuda>=%u.%u", (unsigned)major, (unsigned)minor);
	char *copy = arena_copy(arena, text, (size_t)len);

	if (!copy)
		return err_memory(err, "a requirement");
	*out = (struct view){ copy, (size_t)len };
	return true;
}

/* Is this entry a requirement, and the last of its name? */
static bool is_requirement(const char *const *env, size_t env_count, size_t index,
			   struct requirement *out)
{
	struct view rest = view_of(env[index]);
	struct view name = view_cut(&rest, '=');

	if (!rest.ptr || !view_starts(name, require_prefix) ||
	    view_starts(name, "NVIDIA_REQUIRE_JETPACK"))
		return false;
	for (size_t i = index + 1; i < env_count; i++)
		if (strncmp(env[i], name.ptr, name.len + 1) == 0) /* the "=" counts */
			return false;
	*out = (struct requirement){ .name = name, .predicate = rest };
	return true;
}

bool require_is_disabled(const char *const *env, size_t env_count)
{
	return is_true_word(require_env(env, env_count, "NVIDIA_DISABLE_REQUIRE"));
}

bool require_list(struct requirement_list *out, struct arena *arena, const char *const *env,
		  size_t env_count, struct err *err)
{
	struct requirement_list list = { 0 };

	if (require_is_disabled(env, env_count)) {
		*out = list;
		return true;
	}
	list.items = arena_take(arena, (env_count + 1) * sizeof(*list.items));
	if (!list.items)
		return err_memory(err, "an image's requirements");
	for (size_t i = 0; i < env_count; i++)
		if (is_requirement(env, env_count, i, &list.items[list.count]))
			list.count++;
	if (require_is_legacy(env, env_count)) {
		struct requirement *item = &list.items[list.count++];

		item->name = view_of("CUDA_VERSION");
		if (!legacy_predicate(&item->predicate, arena,
				      require_env(env, env_count, "CUDA_VERSION"), err))
			return false;
	}
	*out = list;
	return true;
}
