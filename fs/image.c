#include "image.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "block.h"
#include "copy.h"
#include "emit.h"
#include "ext4.h"
#include "plan.h"
#include "target.h"

enum {
	SIZE_TRIES_MAX = 64,
	TRIM_STEP = 8, /* blocks */
	SMALLEST_BLOCKS = 4096, /* 16 MiB: below it ext4 is little but its own structures */
	SLACK_BLOCKS = 16, /* resize inode, and journals in several extents */
	BLOCKS_PER_SPARE_INODE = 4, /* one inode for each 16 KiB that is free */
};

/* The sizes being looked for. */
struct sizing {
	int fd;
	const struct image_options *options;
	uint64_t content_blocks; /* without extent trees */
};

/* One attempt at a shape: what is free of it once the content is in. */
struct attempt {
	struct ext4 *ext4; /* owned */
	struct ext4_shape shape;
	uint64_t journal_blocks, journal_goal;
	bool is_possible; /* such a file system exists, and the content fits */
	uint64_t free_blocks;
};

static void attempt_freep(struct attempt *attempt)
{
	ext4_freep(&attempt->ext4);
}

static uint64_t used_inodes(const struct plan *plan)
{
	return plan->inode_last;
}

static uint64_t spare_inodes(const struct plan *plan, uint64_t free_blocks)
{
	uint64_t quarter = used_inodes(plan) / 4, by_space = free_blocks / BLOCKS_PER_SPARE_INODE;

	return quarter > by_space ? quarter : by_space;
}

static uint64_t wanted_inodes(const struct sizing *sizing, const struct plan *plan,
			      uint64_t free_blocks)
{
	if (sizing->options->inode_count > 0)
		return sizing->options->inode_count;
	if (sizing->options->is_read_only)
		return used_inodes(plan);
	return used_inodes(plan) + spare_inodes(plan, free_blocks);
}

static uint64_t wanted_journal(const struct image_options *options, uint64_t block_count)
{
	if (options->is_read_only || options->has_no_journal)
		return 0;
	return options->journal_bytes > 0 ? options->journal_bytes / BLOCK_BYTES :
					    ext4_journal_blocks(block_count);
}

/* The journal comes first of all, then everything else; the extent trees are only known by
 * placing, so the plan is placed for each attempt (milliseconds). */
MUST_CHECK static bool place(struct plan *plan, struct attempt *attempt, uint64_t reserved,
			     struct err *err)
{
	CLEANUP(freep) struct run *runs = NULL;
	size_t run_count = 0;

	if (!ext4_free_runs(attempt->ext4, &runs, &run_count, err))
		return false;
	struct space space = { .runs = runs, .run_count = run_count };

	attempt->journal_goal = run_count > 0 ? runs[0].start : 0;
	for (uint64_t left = reserved; left > 0;) {
		struct run taken = space_take(&space, left);

		if (taken.count == 0) {
			attempt->is_possible = false;
			return true;
		}
		left -= taken.count;
	}
	if (!plan_place(plan, &space, &attempt->is_possible, err))
		return false;
	attempt->free_blocks = space_left(&space);
	return true;
}

MUST_CHECK static bool try_shape(const struct sizing *sizing, struct plan *plan,
				 uint64_t block_count, uint64_t inode_count,
				 struct attempt *attempt, struct err *err)
{
	struct ext4_request request = { .block_count = block_count,
					.inode_count = inode_count,
					.time_seconds = sizing->options->time_seconds,
					.identity = sizing->options->identity,
					.label = sizing->options->label,
					.is_read_only = sizing->options->is_read_only };

	attempt_freep(attempt);
	*attempt = (struct attempt){ 0 };
	if (!ext4_new(&attempt->ext4, sizing->fd, &request, &attempt->is_possible, err))
		return false;
	if (!attempt->is_possible)
		return true;
	attempt->shape = ext4_shape(attempt->ext4);
	attempt->journal_blocks = wanted_journal(sizing->options, attempt->shape.block_count);
	return place(plan, attempt,
		     sizing->options->is_read_only ? 0 : attempt->journal_blocks + SLACK_BLOCKS,
		     err);
}

/* A shape with that much left free, found by adding what is missing to that many blocks; step is
 * added where it is not known what is missing. */
MUST_CHECK static bool grow(const struct sizing *sizing, struct plan *plan, uint64_t blocks,
			    uint64_t step, uint64_t wanted_free, struct attempt *attempt,
			    struct err *err)
{
	uint64_t inode_count = wanted_inodes(sizing, plan, wanted_free);

	for (int i = 0; i < SIZE_TRIES_MAX; i++) {
		if (!try_shape(sizing, plan, blocks, inode_count, attempt, err))
			return false;
		if (attempt->is_possible && attempt->free_blocks >= wanted_free)
			return true;
		uint64_t missing = attempt->is_possible ? wanted_free - attempt->free_blocks :
							  step;

		if (attempt->shape.block_count < blocks) /* it dropped the last group */
			missing += attempt->shape.group_min_blocks;
		blocks += missing;
	}
	return err_set(err, ERR_INTERNAL, "no size was found for an image of %llu blocks",
		       (unsigned long long)sizing->content_blocks);
}

/* Take away what is free beyond wanted_free, as long as that makes it smaller. */
MUST_CHECK static bool trim(const struct sizing *sizing, struct plan *plan, uint64_t wanted_free,
			    struct attempt *attempt, struct err *err)
{
	uint64_t before = UINT64_MAX;

	while (attempt->shape.block_count < before && attempt->free_blocks > wanted_free) {
		uint64_t excess = attempt->free_blocks - wanted_free;

		before = attempt->shape.block_count;
		if (!grow(sizing, plan, before - excess, TRIM_STEP, wanted_free, attempt, err))
			return false;
	}
	return true;
}

/* The smallest shape with that much left free; give or take a few blocks where it may be written,
 * none where it is only read. */
MUST_CHECK static bool fit(const struct sizing *sizing, struct plan *plan, uint64_t wanted_free,
			   struct attempt *attempt, struct err *err)
{
	const struct image_options *options = sizing->options;
	uint64_t inode_count = wanted_inodes(sizing, plan, wanted_free);
	uint64_t blocks = sizing->content_blocks + wanted_free + inode_count / INODES_PER_BLOCK;

	blocks += wanted_journal(options, blocks);
	if (blocks < SMALLEST_BLOCKS)
		blocks = SMALLEST_BLOCKS;
	if (blocks < inode_count) /* more than a group's worth of inodes in a group */
		blocks = inode_count;
	return grow(sizing, plan, blocks, blocks / 64 + 64, wanted_free, attempt, err) &&
	       (!options->is_read_only || trim(sizing, plan, wanted_free, attempt, err));
}

MUST_CHECK static bool too_small(const struct sizing *sizing, struct plan *plan, struct err *err)
{
	CLEANUP(attempt_freep) struct attempt smallest = { 0 };

	if (!fit(sizing, plan, 0, &smallest, err))
		return false;
	return err_set(err, ERR_SPACE,
		       "an image of %llu bytes is too small: the content needs at least %llu bytes",
		       (unsigned long long)sizing->options->size_bytes,
		       (unsigned long long)smallest.shape.block_count * BLOCK_BYTES);
}

/* A given size: spare inodes for what will be free, or as few as fit in. */
MUST_CHECK static bool fit_given(const struct sizing *sizing, struct plan *plan,
				 struct attempt *attempt, struct err *err)
{
	uint64_t blocks = sizing->options->size_bytes / BLOCK_BYTES;
	uint64_t content = sizing->content_blocks;
	uint64_t free_guess = blocks > content ? blocks - content : 0;
	uint64_t most = wanted_inodes(sizing, plan, free_guess);
	uint64_t least = wanted_inodes(sizing, plan, 0);

	if (blocks < content)
		return too_small(sizing, plan, err);
	if (!try_shape(sizing, plan, blocks, most < blocks ? most : least, attempt, err))
		return false;
	if (!attempt->is_possible && !try_shape(sizing, plan, blocks, least, attempt, err))
		return false;
	return attempt->is_possible || too_small(sizing, plan, err);
}

MUST_CHECK static bool find_shape(const struct sizing *sizing, struct plan *plan,
				  struct attempt *attempt, struct err *err)
{
	const struct image_options *options = sizing->options;
	uint64_t by_share = sizing->content_blocks * options->free_percent / 100;
	uint64_t by_bytes = options->free_bytes / BLOCK_BYTES;

	if (options->size_bytes > 0)
		return fit_given(sizing, plan, attempt, err);
	return fit(sizing, plan, by_share > by_bytes ? by_share : by_bytes, attempt, err);
}

/* What no size can help with. */
MUST_CHECK static bool check_options(const struct image_options *options, const struct plan *plan,
				     struct err *err)
{
	uint64_t journal = options->journal_bytes / BLOCK_BYTES;

	if (options->inode_count > 0 && options->inode_count < used_inodes(plan))
		return err_set(err, ERR_SPACE, "%llu inodes are too few: the content needs %llu",
			       (unsigned long long)options->inode_count,
			       (unsigned long long)used_inodes(plan));
	if (options->journal_bytes > 0 &&
	    (journal < JOURNAL_BLOCKS_MIN || journal > JOURNAL_BLOCKS_MAX))
		return err_set(err, ERR_UNSUPPORTED,
			       "a journal of %llu bytes: ext4 takes 4 MiB to 40,000 MiB",
			       (unsigned long long)options->journal_bytes);
	return true;
}

/* The shape is settled: journal and resize inode for real, then the plan for good. */
MUST_CHECK static bool settle(const struct sizing *sizing, struct plan *plan,
			      struct attempt *attempt, uint64_t size_bytes, struct err *err)
{
	if (!target_clear(sizing->fd, size_bytes, err) ||
	    !ext4_add_reserved(attempt->ext4, attempt->journal_blocks, attempt->journal_goal,
			       err) ||
	    !place(plan, attempt, 0, err))
		return false;
	return attempt->is_possible ||
	       err_set(err, ERR_INTERNAL, "the image's plan does not fit where it did");
}

static uint64_t total_size(const struct image_options *options, const struct attempt *attempt)
{
	return options->size_bytes > 0 ? options->size_bytes / BLOCK_BYTES * BLOCK_BYTES :
					 attempt->shape.block_count * BLOCK_BYTES;
}

static void fill_result(struct image_result *out, const struct plan *plan,
			const struct attempt *attempt, uint64_t size_bytes,
			const struct copy_result *copied, const struct emit_result *emitted)
{
	*out = (struct image_result){
		.size_bytes = size_bytes,
		.free_bytes = attempt->free_blocks * BLOCK_BYTES,
		.used_bytes = (attempt->shape.block_count - attempt->free_blocks) * BLOCK_BYTES,
		.inode_count = attempt->shape.inode_count,
		.free_inode_count = attempt->shape.inode_count - plan->inode_last,
		.data_bytes = copied->data_bytes,
		.copied_bytes = copied->copied_bytes,
		.method = copied->method,
		.clamped_mtime_count = emitted->clamped_mtime_count,
	};
}

/* A host that is full: how much it has to hold is not known to who met the end. */
MUST_CHECK static bool say_need(const struct plan *plan, struct err *err)
{
	uint64_t blocks = plan->head_blocks + plan->body_blocks;

	if (err->kind != ERR_SPACE || err->os_errno == 0)
		return false;
	return err_wrap(err, "%llu bytes are needed where it is written",
			(unsigned long long)blocks * BLOCK_BYTES);
}

bool image_write(int fd, const struct tree *tree, const int *data_fds, uint32_t layer_count,
		 const struct image_options *options, struct report *report,
		 struct image_result *out, struct err *err)
{
	CLEANUP(plan_freep) struct plan plan = { 0 };
	CLEANUP(attempt_freep) struct attempt attempt = { 0 };
	CLEANUP(span_freep) struct span *span = NULL;
	struct sizing sizing = { .fd = fd, .options = options };
	struct copy_result copied;
	struct emit_result emitted;

	if (!plan_count(&plan, tree, &options->identity, err))
		return false;
	sizing.content_blocks = plan.head_blocks + plan.body_blocks;
	if (!check_options(options, &plan, err) || !find_shape(&sizing, &plan, &attempt, err))
		return false;
	uint64_t size_bytes = total_size(options, &attempt);

	if (!settle(&sizing, &plan, &attempt, size_bytes, err) || !span_new(&span, fd, err) ||
	    !emit_metadata(span, &plan, attempt.ext4, options->time_seconds, &emitted, err) ||
	    !ext4_finish(&attempt.ext4, span, err) || !span_flush(span, err) ||
	    !copy_bodies(fd, &plan, data_fds, layer_count, options, report, &copied, err))
		return say_need(&plan, err);
	if (emitted.clamped_mtime_count > 0)
		report_note(report, "%llu files had times outside 1901 to 2446, or in 2310 to 2378",
			    (unsigned long long)emitted.clamped_mtime_count);
	fill_result(out, &plan, &attempt, size_bytes, &copied, &emitted);
	return true;
}
