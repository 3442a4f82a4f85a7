#include "warm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "build.h"
#include "image_root.h"
#include "store.h"
#include "warm_list.h"
#include "warm_result.h"

enum { LANES_MAX = 4 }; /* images at a time */

/* What the lanes share. */
struct warming {
	const struct options *options; /* of the command line */
	struct report *report; /* NULL: nobody listens */
	struct progress *progress; /* owned; NULL with --quiet */
	struct warm_list list; /* owned */
	unsigned lanes, lane_jobs;
	struct build_share share;
	atomic_size_t next; /* in the list */
	atomic_bool is_stopping; /* with stop set */
	pthread_mutex_t mutex; /* over all below, and over who prints results */
	size_t *busy; /* busy[busy_count]: lines for which a lock was not had; owned */
	size_t busy_count;
	size_t counts[WARM_OUTCOME_COUNT];
	size_t first_failed; /* the line of first_kind */
	enum err_kind first_kind; /* ERR_NONE: none failed */
	struct err stop; /* why the run ends early */
};

static void warming_freep(struct warming *warming)
{
	progress_stopp(&warming->progress);
	warm_list_freep(&warming->list);
	free(warming->busy);
	pthread_mutex_destroy(&warming->mutex);
	build_share_closep(&warming->share);
}

MUST_CHECK static bool read_lists(struct warm_list *list, const struct options *options,
				  struct err *err)
{
	const struct option_list *images = &options->operands, *lists = &options->lists;

	if (images->count == 0 && lists->count == 0)
		return err_set(err, ERR_USAGE, "warm needs IMAGE... or -f LIST (see vmbake warm"
			       " --help)");
	for (size_t i = 0; i < images->count; i++)
		if (!warm_list_add(list, images->items[i], err))
			return false;
	for (size_t i = 0; i < lists->count; i++)
		if (!warm_list_read(list, lists->items[i], err))
			return false;
	return true;
}

/* Names the line in front of what is wrong with it. */
MUST_CHECK static bool check_line(const struct options *defaults, const struct warm_line *line,
				  struct err *err)
{
	struct options options;

	if (options_parse_line(&options, defaults, line->words, line->word_count, err) &&
	    build_check(&options, err))
		return true;
	return line->list ? err_wrap(err, "%s line %zu", line->list, line->number) : false;
}

MUST_CHECK static bool make_layers(struct warming *warming, struct warm_result *result,
				   struct err *err)
{
	const struct options *options = result->options;
	CLEANUP(store_closep) struct store store = STORE_NONE;
	CLEANUP(image_root_freep) struct image_root root = { 0 };

	if (!store_open(&store, options->store, options_lock_timeout_ms(options), err) ||
	    !image_root_resolve(&root, options, options->operands.items[0], warming->report, err) ||
	    !image_root_unpack(&root, &store, options, &warming->share.memory, warming->report,
			       err))
		return false;
	result->build.fetched_layers = root.fetched_layers;
	result->build.is_cached = root.fetched_layers == 0;
	result->build.image = root.image;
	root.image = (struct image){ 0 };
	return true;
}

static void make(struct warming *warming, struct warm_result *result)
{
	bool is_made = result->options->layers_only ?
			       make_layers(warming, result, &result->failure) :
			       build_image(&result->build, &result->driver, result->options,
					   &warming->share, warming->report, &result->failure);

	result->outcome = !is_made		    ? WARM_FAILED :
			  result->build.is_cached ? WARM_ALREADY :
						    WARM_MADE;
}

/* With the mutex held. */
static void count(struct warming *warming, size_t number, const struct warm_result *result)
{
	warming->counts[result->outcome]++;
	if (result->outcome != WARM_FAILED)
		return;
	if (warming->first_kind != ERR_NONE && warming->first_failed < number)
		return;
	warming->first_kind = result->failure.kind;
	warming->first_failed = number;
}

/* It is tried again when no lane of ours can be who holds the lock. */
static bool put_off(struct warming *warming, size_t number, const struct warm_result *result)
{
	if (warming->lanes == 1 || result->failure.kind != ERR_BUSY)
		return false;
	warming->busy[warming->busy_count++] = number;
	return true;
}

static void warm_one(struct warming *warming, size_t number)
{
	const struct warm_line *line = &warming->list.lines[number];
	struct options options;
	CLEANUP(warm_result_freep)
	struct warm_result result = { .line = line, .options = &options };
	struct err err = { 0 };
	bool is_ok = options_parse_line(&options, warming->options, line->words, line->word_count,
					&err);

	if (is_ok) {
		options.jobs = warming->lane_jobs;
		make(warming, &result);
	}
	pthread_mutex_lock(&warming->mutex);
	if (is_ok && !put_off(warming, number, &result)) {
		count(warming, number, &result);
		progress_hold(warming->progress);
		is_ok = warm_result_show(&result, &err);
		progress_release(warming->progress);
	}
	if (!is_ok && !atomic_exchange(&warming->is_stopping, true))
		warming->stop = err;
	pthread_mutex_unlock(&warming->mutex);
}

static void *work(void *argument)
{
	struct warming *warming = argument;

	while (!atomic_load(&warming->is_stopping)) {
		size_t number = atomic_fetch_add(&warming->next, 1);

		if (number >= warming->list.count)
			break;
		warm_one(warming, number);
	}
	return NULL;
}

/* The jobs are divided among the lanes, so that as many layers are at work as in one build. */
static void divide(struct warming *warming, unsigned lanes)
{
	unsigned jobs = (unsigned)warming->options->jobs;

	jobs = jobs < MEMORY_LAYERS_MAX ? jobs : MEMORY_LAYERS_MAX;
	warming->lanes = lanes < jobs ? lanes : jobs;
	warming->lane_jobs = jobs / warming->lanes;
}

MUST_CHECK static bool prepare(struct warming *warming, enum progress_style style, struct err *err)
{
	size_t count = warming->list.count;

	divide(warming, count < LANES_MAX ? (unsigned)count + (count == 0) : LANES_MAX);
	build_share_closep(&warming->share);
	build_share_init(&warming->share, warming->lanes * warming->lane_jobs);
	warming->busy = calloc(count + 1, sizeof(*warming->busy));
	if (!warming->busy)
		return err_memory(err, "a list of images");
	if (warming->options->quiet)
		return true;
	if (!progress_start(&warming->progress, style, err))
		return false;
	warming->report = progress_report(warming->progress);
	return true;
}

/* This thread is a lane too, and enough if there can be no others. */
static void run_lanes(struct warming *warming)
{
	pthread_t threads[LANES_MAX];
	unsigned started = 0;

	while (started + 1 < warming->lanes &&
	       pthread_create(&threads[started], NULL, work, warming) == 0)
		started++;
	work(warming);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	divide(warming, 1);
	for (size_t i = 0; i < warming->busy_count && !warming->is_stopping; i++)
		warm_one(warming, warming->busy[i]);
}

bool warm(const struct options *options, enum progress_style style, struct err *err)
{
	CLEANUP(warming_freep) struct warming warming = { .options = options };

	build_share_init(&warming.share, 1);
	pthread_mutex_init(&warming.mutex, NULL);
	if (!read_lists(&warming.list, options, err))
		return false;
	for (size_t i = 0; i < warming.list.count; i++)
		if (!check_line(options, &warming.list.lines[i], err))
			return false;
	if (!prepare(&warming, style, err))
		return false;
	run_lanes(&warming);
	progress_stopp(&warming.progress);
	if (warming.is_stopping) {
		*err = warming.stop;
		return false;
	}
	return warm_result_sum_up(warming.counts, warming.first_kind, options, err);
}
