#include "kernel_config.h"

#include <assert.h>
#include <elf.h>

extern const char kernel_config_start[], kernel_config_end[];

enum { NAME_BYTES = 64 };

struct view kernel_config_table(void)
{
	return (struct view){ kernel_config_start,
			      (size_t)(kernel_config_end - kernel_config_start) };
}

static bool is_word_of(struct view word, const char *const *words, size_t count, size_t *out)
{
	for (*out = 0; *out < count; ++*out)
		if (view_equal(word, words[*out]))
			return true;
	return false;
}

/* "# x86_64, warning: why". False for any other comment. */
static bool read_reason(struct view line, struct kernel_demand *out)
{
	static const char *const machines[] = { "all", "x86_64", "arm64" };
	static const uint16_t numbers[] = { 0, EM_X86_64, EM_AARCH64 };
	static const char *const severities[] = { "warning", "error" };
	struct view rest = view_from(line, 2);
	struct view machine = view_cut(&rest, ',');
	struct view severity = view_trim(view_cut(&rest, ':'));
	size_t machine_at = 0, severity_at = 0;

	if (!view_starts(line, "# ") || !rest.ptr ||
	    !is_word_of(machine, machines, 3, &machine_at) ||
	    !is_word_of(severity, severities, 2, &severity_at))
		return false;
	*out = (struct kernel_demand){ .machine = numbers[machine_at],
				       .severity = severity_at ? SEVERITY_ERROR : SEVERITY_WARNING,
				       .reason = view_trim(rest) };
	return out->reason.len > 0;
}

/* "CONFIG_X=y", "CONFIG_X=m" or "# CONFIG_X is not set". */
static bool read_option(struct view line, struct kernel_demand *out)
{
	static const char unset[] = " is not set";
	struct view value = line;

	if (view_starts(line, "# CONFIG_") && view_ends(line, unset)) {
		out->is_unwanted = true;
		out->name = view_from(line, 2);
		out->name.len -= strlen(unset);
	} else {
		out->name = view_cut(&value, '=');
		out->is_module_enough = view_equal(value, "m");
		if (!view_starts(out->name, "CONFIG_") ||
		    (!out->is_module_enough && !view_equal(value, "y")))
			return false;
	}
	return out->name.len < NAME_BYTES;
}

bool kernel_config_next(struct view *rest, struct kernel_demand *out, bool *is_broken)
{
	struct kernel_demand demand = { 0 };
	bool has_reason = false;

	while (rest->len > 0) {
		struct view line = view_trim(view_cut(rest, '\n'));

		if (has_reason && read_option(line, &demand)) {
			*out = demand;
			return true;
		}
		if (has_reason || view_starts(line, "CONFIG_")) {
			*is_broken = true;
			return false;
		}
		has_reason = read_reason(line, &demand);
	}
	*is_broken = has_reason;
	return false;
}

MUST_CHECK static bool check_demand(struct finding_list *findings, const struct kernel *kernel,
				    const struct kernel_demand *demand, struct err *err)
{
	char name[NAME_BYTES] = { 0 };

	memcpy(name, demand->name.ptr, demand->name.len);
	enum kernel_option option = kernel_option(kernel, name);
	bool is_good = demand->is_unwanted ? option != OPTION_ON :
					     option == OPTION_ON || (option == OPTION_MODULE &&
								     demand->is_module_enough);

	return is_good ||
	       finding_add(findings, RULE_KERNEL_CONFIG, demand->severity, err,
			   "kernel %s %s %s%s: %.*s", kernel->release,
			   demand->is_unwanted ? "has" : "lacks", name,
			   option == OPTION_MODULE ? " built in" : "", VIEW_ARGS(demand->reason));
}

bool kernel_config_check(struct finding_list *findings, const struct kernel *kernel,
			 struct err *err)
{
	struct view rest = kernel_config_table();
	struct kernel_demand demand;
	bool is_broken = false;

	if (kernel->config.len == 0)
		return kernel->exports.count == 0 || /* then module_match_kernel says it */
		       finding_add(findings, RULE_KERNEL_CONFIG, SEVERITY_UNKNOWN, err,
				   "kernel %s does not tell its configuration; give it with"
				   " --kernel-config", kernel->release);
	while (kernel_config_next(&rest, &demand, &is_broken)) {
		bool is_other = demand.machine != 0 && demand.machine != kernel->machine;

		if (is_other || view_equal(demand.name, "CONFIG_MODULES"))
			continue;
		if (!check_demand(findings, kernel, &demand, err))
			return false;
	}
	assert(!is_broken); /* our own file, and a test reads it to its end */
	return true;
}
