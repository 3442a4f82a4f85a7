#include "fetch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/report.h"

enum { THREAD_COUNT_MAX = 16 };

static const uint64_t parallel_bytes_min = 32 << 20; /* smaller blobs come in one stream */

struct fetch {
	struct registry *registry;
	struct location *location;
	struct part *part;
	const struct source_options *options;
	bool by_chunk;
	atomic_bool cancel;
	pthread_t threads[THREAD_COUNT_MAX];
	size_t thread_count;
};

/* One of the threads. */
struct worker {
	struct fetch *fetch;
	struct http *http;
	struct retry retry;
	char *gather; /* for its sinks */
};

/* range: shortened when the rest was left to others */
MUST_CHECK static bool fetch_range(struct worker *worker, struct chunk_range *range,
				   struct setback *setback, struct err *err)
{
	struct fetch *fetch = worker->fetch;
	bool is_all = range->first == 0 && range->end == part_size_bytes(fetch->part);
	struct sink sink = {
		.part = fetch->part,
		.is_ranged = !is_all,
		.first = range->first,
		.last = range->end - 1,
		.gather = worker->gather,
		.report = fetch->options->report,
	};
	bool is_ok = registry_fetch(fetch->registry, worker->http, fetch->location, &sink,
				    &fetch->cancel, setback, err);

	if (sink.is_cut)
		range->end = sink.end;
	if (sink.new_bytes > 0)
		retry_progress(&worker->retry);
	if (!is_ok && sink.is_ranged && part_forbids_ranges(fetch->part)) {
		report_note(fetch->options->report, "starting over without ranges: %s", err->msg);
		return true;
	}
	return is_ok;
}

/* False when this thread is done: given up, or nothing left to wait for. */
static bool wait_for_next_try(struct worker *worker, const struct setback *setback,
			      const struct err *failure)
{
	struct fetch *fetch = worker->fetch;
	uint64_t wait_ms = 0;

	if (atomic_load(&fetch->cancel))
		return false;
	if (!retry_next(&worker->retry, setback, &wait_ms)) {
		part_fail(fetch->part, failure);
		return false;
	}
	report_note(fetch->options->report, "trying again: %s", failure->msg);
	return part_pause(fetch->part, wait_ms);
}

static void fetch_all(struct worker *worker)
{
	struct part *part = worker->fetch->part;
	struct chunk_range range = { 0 };
	bool goes_on = true;

	while (goes_on && part_claim(part, worker->fetch->by_chunk, &range)) {
		struct setback setback = { 0 };
		struct err err = { 0 };
		bool is_ok = fetch_range(worker, &range, &setback, &err);

		part_release(part, &range);
		goes_on = is_ok || wait_for_next_try(worker, &setback, &err);
	}
}

static void *run(void *context)
{
	struct fetch *fetch = context;
	CLEANUP(freep) char *gather = malloc(SINK_GATHER_BYTES);
	struct err err = { 0 };
	struct worker worker = { .fetch = fetch,
				 .gather = gather,
				 .retry = { .max = fetch->options->retries,
					    .random = (uint32_t)(uintptr_t)pthread_self() } };

	if (!gather)
		err_memory(&err, "a download");
	if (!gather || !registry_take_http(fetch->registry, &worker.http, &err)) {
		part_fail(fetch->part, &err);
		return NULL;
	}
	fetch_all(&worker);
	registry_give_http(fetch->registry, &worker.http);
	return NULL;
}

bool fetch_start(struct fetch **out, struct registry *registry, struct location *location,
		 struct part *part, const struct source_options *options, struct err *err)
{
	CLEANUP(fetch_freep) struct fetch *fetch = calloc(1, sizeof(*fetch));
	unsigned wanted = options->blob_connections ? options->blob_connections : 4;

	if (!fetch)
		return err_memory(err, "a download");
	fetch->registry = registry;
	fetch->location = location;
	fetch->part = part;
	fetch->options = options;
	fetch->by_chunk = wanted > 1 && part_size_bytes(part) > parallel_bytes_min;
	if (!fetch->by_chunk)
		wanted = 1;
	while (fetch->thread_count < wanted && fetch->thread_count < THREAD_COUNT_MAX) {
		if (pthread_create(&fetch->threads[fetch->thread_count], NULL, run, fetch) != 0)
			return err_memory(err, "a thread");
		fetch->thread_count++;
	}
	*out = ptr_take(&fetch);
	return true;
}

void fetch_freep(struct fetch **fetch)
{
	if (!*fetch)
		return;
	atomic_store(&(*fetch)->cancel, true);
	part_stop((*fetch)->part);
	while ((*fetch)->thread_count > 0)
		pthread_join((*fetch)->threads[--(*fetch)->thread_count], NULL);
	free(*fetch);
	*fetch = NULL;
}
