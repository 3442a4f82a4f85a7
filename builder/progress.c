#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"

struct progress {
	enum progress_style style;
	struct report report;
	pthread_t thread;
	pthread_mutex_t mutex; /* over all below, and over who prints */
	pthread_cond_t changed;
	bool is_stopping, has_line;
	uint64_t shown_bytes; /* sum of what was done when a line was last printed */
};

static const char *const step_names[REPORT_STEP_COUNT] = {
	[REPORT_FETCH] = "fetch",
	[REPORT_UNPACK] = "unpack",
	[REPORT_WRITE] = "write",
	[REPORT_CHECK] = "check",
};

static void clear_line(struct progress *progress)
{
	if (progress->has_line)
		fputs("\r\033[K", stderr);
	progress->has_line = false;
}

static void print_json(struct json_t *document)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 16);
	struct err ignored = { 0 };

	if (json_print(&text, document, JSON_ONE_LINE, &ignored))
		fprintf(stderr, "%s\n", text.data);
	json_freep(&document);
}

static void print_note(void *context, const char *text)
{
	struct progress *progress = context;
	struct json_t *document = NULL;

	pthread_mutex_lock(&progress->mutex);
	clear_line(progress);
	if (progress->style == PROGRESS_JSON) {
		document = json_new_object();
		json_put_text(document, "note", text);
		print_json(document);
	} else {
		fprintf(stderr, "vmbake: %s\n", text);
	}
	pthread_mutex_unlock(&progress->mutex);
}

static uint64_t load(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void print_bytes(FILE *stream, uint64_t bytes)
{
	static const char units[] = "kMGT";
	double value = (double)bytes / 1000;
	size_t unit = 0;

	for (; value >= 1000 && unit + 1 < strlen(units); unit++)
		value /= 1000;
	fprintf(stream, "%.*f %cB", value < 10 ? 1 : 0, value, units[unit]);
}

static void print_counters(struct progress *progress)
{
	const char *separator = "";

	for (int i = 0; i < REPORT_STEP_COUNT; i++) {
		uint64_t expected = load(&progress->report.expected_bytes[i]);
		uint64_t done = load(&progress->report.done_bytes[i]);

		if (expected == 0)
			continue;
		fprintf(stderr, "%s%s ", separator, step_names[i]);
		print_bytes(stderr, done);
		fputs(" of ", stderr);
		print_bytes(stderr, expected);
		separator = ", ";
	}
}

static void print_counters_json(struct progress *progress)
{
	struct json_t *document = json_new_object(), *steps = json_new_object();

	for (int i = 0; i < REPORT_STEP_COUNT; i++) {
		struct json_t *step = json_new_object();

		json_put_size(step, "done", load(&progress->report.done_bytes[i]));
		json_put_size(step, "expected", load(&progress->report.expected_bytes[i]));
		json_put(steps, step_names[i], step);
	}
	json_put(document, "progress", steps);
	print_json(document);
}

/* A line, unless nothing moved since the last one. Called with the mutex held. */
static void print_line(struct progress *progress)
{
	uint64_t done = 0;

	for (int i = 0; i < REPORT_STEP_COUNT; i++)
		done += load(&progress->report.done_bytes[i]);
	if (done == progress->shown_bytes)
		return;
	progress->shown_bytes = done;
	if (progress->style == PROGRESS_JSON) {
		print_counters_json(progress);
		return;
	}
	clear_line(progress);
	fputs(progress->style == PROGRESS_TTY ? "" : "vmbake: ", stderr);
	print_counters(progress);
	progress->has_line = progress->style == PROGRESS_TTY;
	fputs(progress->has_line ? "" : "\n", stderr);
	fflush(stderr);
}

static struct timespec next_wake(enum progress_style style)
{
	struct timespec when;
	long period_ms = style == PROGRESS_TTY ? 100 : style == PROGRESS_JSON ? 1000 : 5000;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_nsec += period_ms % 1000 * 1000000;
	when.tv_sec += period_ms / 1000 + when.tv_nsec / 1000000000;
	when.tv_nsec %= 1000000000;
	return when;
}

static void *run(void *argument)
{
	struct progress *progress = argument;

	pthread_mutex_lock(&progress->mutex);
	while (!progress->is_stopping) {
		struct timespec when = next_wake(progress->style);
		int status = 0;

		while (!progress->is_stopping && status != ETIMEDOUT)
			status =
				pthread_cond_timedwait(&progress->changed, &progress->mutex, &when);
		if (!progress->is_stopping)
			print_line(progress);
	}
	clear_line(progress);
	pthread_mutex_unlock(&progress->mutex);
	return NULL;
}

bool progress_start(struct progress **out, enum progress_style style, struct err *err)
{
	CLEANUP(freep) struct progress *progress = calloc(1, sizeof(*progress));
	pthread_condattr_t attributes;

	if (!progress)
		return err_memory(err, "progress");
	progress->style = style;
	progress->report.note = print_note;
	progress->report.context = progress;
	pthread_mutex_init(&progress->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	progress->is_stopping = style == PROGRESS_NONE; /* notes are still printed */
	errno = pthread_create(&progress->thread, NULL, run, progress);
	if (errno)
		return err_os(err, "start a thread");
	*out = ptr_take(&progress);
	return true;
}

struct report *progress_report(struct progress *progress)
{
	return &progress->report;
}

void progress_hold(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	clear_line(progress);
	fflush(stderr);
}

void progress_release(struct progress *progress)
{
	if (progress)
		pthread_mutex_unlock(&progress->mutex);
}

void progress_stopp(struct progress **progress)
{
	struct progress *stopped = *progress;

	if (!stopped)
		return;
	pthread_mutex_lock(&stopped->mutex);
	stopped->is_stopping = true;
	pthread_cond_signal(&stopped->changed);
	pthread_mutex_unlock(&stopped->mutex);
	pthread_join(stopped->thread, NULL);
	pthread_cond_destroy(&stopped->changed);
	pthread_mutex_destroy(&stopped->mutex);
	freep(progress);
}
