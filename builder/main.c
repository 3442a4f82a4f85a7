/* vmbake: the command. Parses, calls, prints the one error, and turns its kind into an exit
 * code. */
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map_guard.h"
#include "build.h"
#include "builder/cache/check.h"
#include "builder/cache/gc.h"
#include "builder/cache/list.h"
#include "driver_command.h"
#include "driver_import.h"
#include "initrd.h"
#include "inspect.h"
#include "options.h"
#include "progress.h"
#include "run_command.h"
#include "show.h"
#include "store.h"
#include "verify_command.h"
#include "version.h"
#include "warm.h"

/* Nothing has to be undone: what was being made has no name yet, or is cleared by the next run. */
static void stop(int signal_number)
{
	_exit(128 + signal_number);
}

static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* base/file.h, file_is_open_elsewhere */
}

/* What is large goes back to the kernel when it is freed. glibc would keep it for the next of its
 * kind, in an arena for each of the threads that unpack layers. */
static void bound_memory(void)
{
	enum { LARGE_BYTES = 128 << 10 };

	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

/* A build has several threads a core, which hand pieces to each other. As batch jobs they do not
 * take the core from each other each time one is woken: half as many switches, and whatever else
 * runs on the host goes first.  Source: sched(7), SCHED_BATCH */
static void work_in_batch(void)
{
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
}

/* A wrong command line has no options yet, but whoever gave --json wants JSON for that too. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static enum progress_style choose_progress(const struct options *options)
{
	const char *terminal = getenv("TERM");

	if (options->progress != PROGRESS_AUTO)
		return options->progress;
	if (options->json)
		return PROGRESS_NONE;
	if (isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0)
		return PROGRESS_TTY;
	return PROGRESS_PLAIN;
}

/* driver: for show_error, after a failure. */
MUST_CHECK static bool run_build(const struct options *options, struct json_t **driver,
				 struct err *err)
{
	CLEANUP(progress_stopp) struct progress *progress = NULL;
	CLEANUP(build_result_freep) struct build_result result = BUILD_RESULT_NONE;

	work_in_batch();
	if (!progress_start(&progress, choose_progress(options), err) ||
	    !build_image(&result, driver, options, NULL, progress_report(progress), err))
		return false;
	progress_stopp(&progress);
	return show_build(&result, ptr_take(driver), options->json, err);
}

MUST_CHECK static bool run_initrd(const struct options *options, struct err *err)
{
	CLEANUP(progress_stopp) struct progress *progress = NULL;
	struct initrd_options initrd = { .modules_dir = options->modules,
					 .load = options->loads.items,
					 .load_count = options->loads.count,
					 .output = options->output };

	if (!options->modules || !options->output)
		return err_set(err, ERR_USAGE, "initrd needs %s (see vmbake initrd --help)",
			       options->modules ? "-o FILE" : "--modules DIR");
	if (!progress_start(&progress, PROGRESS_NONE, err))
		return false;
	initrd.report = progress_report(progress);
	if (!initrd_write(&initrd, err))
		return false;
	progress_stopp(&progress);
	return show_file(options->output, "initrd", options->json, err);
}

MUST_CHECK static bool open_store(struct store *out, const struct options *options,
				  struct err *err)
{
	return store_open(out, options->store, options_lock_timeout_ms(options), err);
}

MUST_CHECK static bool run_driver_import(const struct options *options, struct err *err)
{
	CLEANUP(progress_stopp) struct progress *progress = NULL;
	CLEANUP(store_closep) struct store store = STORE_NONE;

	return open_store(&store, options, err) &&
	       progress_start(&progress, choose_progress(options), err) &&
	       driver_import_run(&store, options, progress_report(progress), err);
}

MUST_CHECK static bool run_driver(const struct options *options, struct err *err)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	const struct option_list *names = &options->operands;

	if (!open_store(&store, options, err))
		return false;
	if (options->command == COMMAND_DRIVER_LIST)
		return driver_command_list(&store, options->json, err);
	if (options->command == COMMAND_DRIVER_INSPECT)
		return driver_command_inspect(&store, names->items[0], options->json, err);
	return driver_command_rm(&store, names->items, names->count, options->json, err);
}

MUST_CHECK static bool run_verify(const struct options *options, struct err *err)
{
	CLEANUP(progress_stopp) struct progress *progress = NULL;

	return progress_start(&progress, choose_progress(options), err) &&
	       verify_command(options, progress_report(progress), err);
}

MUST_CHECK static bool run_cache_check(const struct options *options, struct err *err)
{
	CLEANUP(progress_stopp) struct progress *progress = NULL;

	work_in_batch(); /* whatever else runs on the host goes first */
	return progress_start(&progress, choose_progress(options), err) &&
	       cache_check(options, &progress, err);
}

MUST_CHECK static bool run_help(const struct options *options, struct err *err)
{
	if (options->wants_version)
		printf("vmbake %s\n", VMBAKE_VERSION);
	else
		options_print_help(stdout, options->command);
	return show_flush(err);
}

/* What works on the store alone. */
MUST_CHECK static bool run_on_store(const struct options *options, struct err *err)
{
	switch (options->command) {
	case COMMAND_DRIVER_IMPORT:
		return run_driver_import(options, err);
	case COMMAND_DRIVER_LIST:
	case COMMAND_DRIVER_INSPECT:
	case COMMAND_DRIVER_RM:
		return run_driver(options, err);
	case COMMAND_CACHE_LIST:
		return cache_list(options, err);
	case COMMAND_CACHE_GC:
		return cache_gc(options, err);
	case COMMAND_CACHE_CHECK:
		return run_cache_check(options, err);
	default:
		return err_set(err, ERR_INTERNAL, "command %d has no code", (int)options->command);
	}
}

/* *status: our exit code after a success, 0 but for what the entrypoint of a machine says */
MUST_CHECK static bool run(const struct options *options, struct json_t **driver, int *status,
			   struct err *err)
{
	if (options->wants_help || options->wants_version)
		return run_help(options, err);
	switch (options->command) {
	case COMMAND_BUILD:
		return run_build(options, driver, err);
	case COMMAND_INSPECT:
		return inspect(options, err);
	case COMMAND_INITRD:
		return run_initrd(options, err);
	case COMMAND_VERIFY:
		return run_verify(options, err);
	case COMMAND_RUN:
		return run_command(options, status, err);
	case COMMAND_WARM:
		work_in_batch();
		return warm(options, choose_progress(options), err);
	default:
		return run_on_store(options, err);
	}
}

/* Whatever went wrong after a file was cut short may have gone wrong over that. */
static void prefer_torn(struct err *err)
{
	struct err torn = { 0 };

	if (!map_guard_check(&torn))
		*err = torn;
}

int main(int argc, char **argv)
{
	struct options options;
	struct err err = { 0 };
	bool as_json = asks_for_json(argc, argv);
	struct json_t *driver = NULL;
	int status = 0;

	handle_signals();
	bound_memory();
	if (options_parse(&options, argc, (const char *const *)argv, &err) &&
	    run(&options, &driver, &status, &err))
		return status;
	prefer_torn(&err);
	show_error(&err, driver, as_json);
	return err_exit_code(err.kind);
}
