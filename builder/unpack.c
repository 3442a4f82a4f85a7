#include "unpack.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/cleanup.h"

/* What the workers share. */
struct unpacking {
	struct store *store;
	struct image_source *source;
	const struct image *image;
	const struct unpack_options *options;
	struct report *report;
	struct memory *memory; /* of all layers at work */
	struct stored_layer *out; /* out[layer_count]; once open, a layer may leave the store */
	struct pack_sum sum; /* of all layers so far */
	struct pack_caps caps; /* over that sum */
	size_t *order; /* order[order_count]: layers to do, largest first; owned */
	size_t order_count;
	atomic_size_t next; /* in order */
	atomic_size_t fetched_count;
	atomic_bool is_stopping; /* one failed: the others stop at their next read */
	pthread_mutex_t mutex; /* over failure */
	struct err failure; /* the first; kind is ERR_NONE when none */
};

/* A blob's stream that ends when another layer has failed. */
struct stoppable {
	struct stream stream;
	struct stream *inner;
	atomic_bool *is_stopping;
};

static bool stoppable_read(struct stream *self, void *buffer, size_t capacity, size_t *len,
			   struct err *err)
{
	struct stoppable *stoppable = (struct stoppable *)self;

	if (atomic_load_explicit(stoppable->is_stopping, memory_order_relaxed))
		return err_set(err, ERR_IO, "stopped because another layer failed");
	stoppable->inner->hasher = self->hasher;
	return stoppable->inner->read(stoppable->inner, buffer, capacity, len, err);
}

/* From the blob's first byte to its last. */
MUST_CHECK static bool pack_blob(struct unpacking *unpacking, const struct layer *layer,
				 struct blob *blob, struct err *err)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	struct stoppable source = { .stream.read = stoppable_read,
				    .inner = blob_stream(blob),
				    .is_stopping = &unpacking->is_stopping };

	report_expect(unpacking->report, REPORT_UNPACK, layer->size_bytes);
	return store_draft_open(unpacking->store, &draft, err) &&
	       layer_pack(&source.stream, &layer->diff_id, draft.dir_fd, &unpacking->caps,
			  unpacking->memory, unpacking->report, err) &&
	       store_draft_keep_layer(unpacking->store, &draft, &layer->diff_id, err);
}

/* The layer's lock is held: nobody else makes it. */
MUST_CHECK static bool make_layer(struct unpacking *unpacking, const struct layer *layer,
				  struct err *err)
{
	CLEANUP(blob_freep) struct blob *blob = NULL;
	struct err failure = { 0 };

	if (!blob_open(&blob, unpacking->source, layer, unpacking->store->blobs_fd, err))
		return false;
	while (!pack_blob(unpacking, layer, blob, &failure))
		if (!blob_start_over(blob, &failure, err))
			return false;
	if (!blob_finish(blob, unpacking->options->keep_blobs, err))
		return false;
	atomic_fetch_add(&unpacking->fetched_count, 1);
	return true;
}

/* There, and open before its lock is let go. */
MUST_CHECK static bool ensure_layer(struct unpacking *unpacking, size_t number, struct err *err)
{
	const struct layer *layer = &unpacking->image->layers[number];
	struct stored_layer *out = &unpacking->out[number];
	CLEANUP(fd_closep) int lock_fd = -1;
	bool is_there = false;

	if (!store_lock_layer(unpacking->store, &layer->diff_id, &lock_fd, err) ||
	    !store_find_layer(unpacking->store, &layer->diff_id, unpacking->report, out, &is_there,
			      err))
		return false;
	return is_there || (make_layer(unpacking, layer, err) &&
			    store_open_layer(unpacking->store, &layer->diff_id, out, err));
}

static void note_failure(struct unpacking *unpacking, size_t number, const struct err *err)
{
	char digest[DIGEST_TEXT_BYTES];

	pthread_mutex_lock(&unpacking->mutex);
	if (unpacking->failure.kind == ERR_NONE) {
		digest_text(&unpacking->image->layers[number].digest, digest);
		unpacking->failure = *err;
		if (err->kind == ERR_SPACE)
			err_wrap(&unpacking->failure, "store %s", unpacking->store->path);
		err_wrap(&unpacking->failure, "layer %zu of %zu (%.19s)", number + 1,
			 unpacking->image->layer_count, digest);
	}
	pthread_mutex_unlock(&unpacking->mutex);
	atomic_store(&unpacking->is_stopping, true);
}

static void *work(void *argument)
{
	struct unpacking *unpacking = argument;

	while (!atomic_load(&unpacking->is_stopping)) {
		size_t turn = atomic_fetch_add(&unpacking->next, 1);
		struct err err = { 0 };

		if (turn >= unpacking->order_count)
			break;
		size_t number = unpacking->order[turn];

		if (!ensure_layer(unpacking, number, &err))
			note_failure(unpacking, number, &err);
	}
	return NULL;
}

/* The same content may be in an image several times; it is unpacked once. The number of the first
 * layer with it. */
static size_t first_of(const struct image *image, size_t number)
{
	size_t first = 0;

	while (!digest_equal(&image->layers[first].diff_id, &image->layers[number].diff_id))
		first++;
	return first;
}

/* Largest first, so that no large one is left for last and runs alone; equal sizes lowest first. */
static int compare_sizes(const void *a, const void *b, void *context)
{
	const struct image *image = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	uint64_t left_size = image->layers[left].size_bytes;
	uint64_t right_size = image->layers[right].size_bytes;

	if (left_size != right_size)
		return left_size < right_size ? 1 : -1;
	return left < right ? -1 : 1;
}

/* What the store has is opened; what it lacks, in the order of work. */
MUST_CHECK static bool plan_order(struct unpacking *unpacking, struct err *err)
{
	const struct image *image = unpacking->image;
	struct image *context = NULL;

	unpacking->order = calloc(image->layer_count + 1, sizeof(*unpacking->order));
	if (!unpacking->order)
		return err_memory(err, "layers");
	for (size_t i = 0; i < image->layer_count; i++) {
		bool is_there = first_of(image, i) < i;

		if (!is_there && !store_find_layer(unpacking->store, &image->layers[i].diff_id,
						   unpacking->report, &unpacking->out[i],
						   &is_there, err))
			return false;
		if (!is_there)
			unpacking->order[unpacking->order_count++] = i;
		const struct index *index = &unpacking->out[i].index; /* empty where not there */

		unpacking->sum.entries += index->entry_count;
		unpacking->sum.body_bytes += index->body_bytes;
		unpacking->sum.string_bytes += index->strings.len;
		unpacking->sum.extents += index->extent_count;
	}
	memcpy(&context, &image, sizeof(image)); /* compare_sizes only reads */
	qsort_r(unpacking->order, unpacking->order_count, sizeof(*unpacking->order), compare_sizes,
		context);
	return true;
}

/* How many layers at a time. */
static unsigned count_workers(const struct unpacking *unpacking)
{
	unsigned count = unpacking->options->jobs;

	if (count > unpacking->order_count)
		count = (unsigned)unpacking->order_count;
	return count < MEMORY_LAYERS_MAX ? count : MEMORY_LAYERS_MAX;
}

MUST_CHECK static bool run_workers(struct unpacking *unpacking, unsigned wanted, struct err *err)
{
	CLEANUP(freep) pthread_t *threads = NULL;
	unsigned started = 0;

	threads = calloc(wanted + 1u, sizeof(*threads));
	if (!threads)
		return err_memory(err, "threads");
	for (; started < wanted; started++) {
		errno = pthread_create(&threads[started], NULL, work, unpacking);
		if (errno)
			break;
	}
	if (started == 0 && wanted > 0)
		return err_os(err, "start a thread");
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (unpacking->failure.kind == ERR_NONE)
		return true;
	*err = unpacking->failure;
	return false;
}

/* A layer that is in the image once more: the first one's index, mapped once. */
MUST_CHECK static bool repeat_layer(struct stored_layer *out, const struct stored_layer *first,
				    struct err *err)
{
	int data_fd = fcntl(first->data_fd, F_DUPFD_CLOEXEC, 0);

	if (data_fd < 0)
		return err_os(err, "open a layer's data twice");
	*out = (struct stored_layer){ .index = first->index, .data_fd = data_fd };
	out->index.map = (struct file_map){ 0 };
	return true;
}

MUST_CHECK static bool repeat_layers(struct unpacking *unpacking, struct err *err)
{
	struct stored_layer *out = unpacking->out;

	for (size_t i = 0; i < unpacking->image->layer_count; i++) {
		size_t first = first_of(unpacking->image, i);

		if (first < i && !repeat_layer(&out[i], &out[first], err))
			return false;
	}
	return true;
}

MUST_CHECK static bool check_caps(const struct unpacking *unpacking, struct err *err)
{
	struct pack_amount amount = { 0 };

	for (size_t i = 0; i < unpacking->image->layer_count; i++) {
		const struct index *index = &unpacking->out[i].index;

		amount.entries += index->entry_count;
		amount.body_bytes += index->body_bytes;
		amount.string_bytes += index->strings.len;
		amount.extents += index->extent_count;
	}
	return pack_check_caps(&unpacking->caps, &amount, err);
}

static void unpacking_freep(struct unpacking *unpacking)
{
	free(unpacking->order);
	pthread_mutex_destroy(&unpacking->mutex);
}

bool unpack_layers(struct store *store, struct image_source *source, const struct image *image,
		   const struct unpack_options *options, struct report *report,
		   struct stored_layer *out, size_t *fetched_count, struct err *err)
{
	CLEANUP(unpacking_freep) struct unpacking unpacking = { .store = store,
								.source = source,
								.image = image,
								.options = options,
								.report = report,
								.out = out,
								.caps = options->caps };

	pthread_mutex_init(&unpacking.mutex, NULL);
	unpacking.caps.sum = &unpacking.sum;
	if (!plan_order(&unpacking, err))
		return false;
	unsigned workers = count_workers(&unpacking);
	CLEANUP(memory_closep) struct memory own;

	memory_init(&own, workers);
	unpacking.memory = options->memory ? options->memory : &own;
	if (!run_workers(&unpacking, workers, err) || !repeat_layers(&unpacking, err) ||
	    !check_caps(&unpacking, err))
		return false;
	*fetched_count = unpacking.fetched_count;
	return true;
}
