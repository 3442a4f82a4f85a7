#include "root_options.h"

#include "cmdline.h"

MUST_CHECK static bool set_delay(struct root_options *options, struct view value, struct err *err)
{
	enum { DELAY_MAX = 3600 };
	uint64_t seconds = 0;

	if (!view_number(value, 10, DELAY_MAX, &seconds))
		return err_set(err, ERR_FORMAT, "rootdelay=%.*s is no number of seconds up to %d",
			       VIEW_ARGS(value), DELAY_MAX);
	options->delay_seconds = (uint32_t)seconds;
	return true;
}

MUST_CHECK static bool set_option(struct root_options *options,
				  const struct cmdline_option *option, struct err *err)
{
	if (view_equal(option->name, "root"))
		options->root = option->value;
	else if (view_equal(option->name, "rootfstype"))
		options->type = option->value;
	else if (view_equal(option->name, "rootflags"))
		options->flags = option->value;
	else if (view_equal(option->name, "dm-mod.create"))
		options->mapped = option->value;
	else if (view_equal(option->name, "init"))
		options->init = option->value;
	else if (view_equal(option->name, "rw"))
		options->is_writable = true;
	else if (view_equal(option->name, "ro"))
		options->is_writable = false;
	else if (view_equal(option->name, "rootwait"))
		options->waits_forever = true;
	else if (view_equal(option->name, "rootdelay"))
		return set_delay(options, option->value, err);
	return true;
}

bool root_options_parse(struct root_options *out, struct view cmdline, struct err *err)
{
	struct root_options options = { .init = view_of("/.vmbake/init") };
	struct cmdline_option option;

	while (cmdline_next(&cmdline, &option))
		if (!set_option(&options, &option, err))
			return false;
	if (options.root.len == 0)
		return err_set(err, ERR_NOT_FOUND, "the kernel command line has no root=");
	if (!view_starts(options.init, "/"))
		return err_set(err, ERR_FORMAT, "init=%.*s is not an absolute path",
			       VIEW_ARGS(options.init));
	*out = options;
	return true;
}
