#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "builder/show.h"
#include "removal.h"
#include "soundness.h"
#include "thing_print.h"

enum state {
	STATE_UNKNOWN, /* nothing to hold it against, or it went while we looked */
	STATE_SOUND,
	STATE_DAMAGED,
	STATE_FAILED, /* it could not be read */
};

enum repair { REPAIR_NONE, REPAIR_REMOVED, REPAIR_IN_USE, REPAIR_FAILED };

/* What was found out about one thing. */
struct verdict {
	enum state state;
	enum repair repair;
	ino_t inode; /* of the thing that was looked at */
	struct err why;
};

struct check {
	const struct options *options;
	struct report *report;
	struct store store; /* owned, as are the next three */
	struct inventory inventory;
	struct verdict *verdicts; /* verdicts[inventory.count] */
	size_t *order; /* order[order_count]: what to check, largest first */
	size_t order_count;
	atomic_size_t next; /* in order */
	uint64_t read_bytes; /* when all is done */
};

static void check_freep(struct check *check)
{
	free(check->verdicts);
	free(check->order);
	inventory_freep(&check->inventory);
	store_closep(&check->store);
}

/* A damaged disk counts as damage, a lack of memory does not. */
static bool is_damage(const struct err *err)
{
	return err->kind == ERR_INTEGRITY || err->kind == ERR_FORMAT ||
	       err->kind == ERR_NOT_FOUND ||
	       (err->kind == ERR_IO && (err->os_errno == EIO || err->os_errno == 0));
}

/* The number of what stands under the thing's name; 0: nothing. */
static ino_t inode_of(const struct check *check, const struct thing *thing)
{
	struct stat stat;

	if (fstatat(check->store.dir_fd, thing->path, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return stat.st_ino;
}

/* What somebody removed or replaced meanwhile is no evidence. */
static void judge(struct check *check, size_t number)
{
	enum { ATTEMPTS = 3 };
	const struct thing *thing = &check->inventory.items[number];
	struct verdict *verdict = &check->verdicts[number];

	for (int i = 0; i < ATTEMPTS; i++) {
		struct err why = { 0 };

		verdict->inode = inode_of(check, thing);
		if (verdict->inode == 0)
			return;
		if (soundness_check(&check->store, thing, check->report, &why)) {
			verdict->state = STATE_SOUND;
			return;
		}
		if (inode_of(check, thing) != verdict->inode)
			continue;
		verdict->why = why;
		verdict->state = is_damage(&why) ? STATE_DAMAGED : STATE_FAILED;
		return;
	}
}

static void *work(void *argument)
{
	struct check *check = argument;

	for (;;) {
		size_t turn = atomic_fetch_add(&check->next, 1);

		if (turn >= check->order_count)
			return NULL;
		judge(check, check->order[turn]);
	}
}

MUST_CHECK static bool run_workers(struct check *check, struct err *err)
{
	size_t wanted = check->options->jobs < check->order_count ? check->options->jobs :
								    check->order_count;
	CLEANUP(freep) pthread_t *threads = calloc(wanted + 1, sizeof(*threads));
	size_t started = 0;

	if (!threads)
		return err_memory(err, "threads");
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, check) == 0)
		started++;
	work(check); /* this thread is the first of jobs */
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return true;
}

static int compare_sizes(const void *a, const void *b, void *context)
{
	const struct inventory *inventory = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	uint64_t left_bytes = inventory->items[left].bytes;
	uint64_t right_bytes = inventory->items[right].bytes;

	if (left_bytes != right_bytes)
		return left_bytes < right_bytes ? 1 : -1;
	return left < right ? -1 : 1;
}

MUST_CHECK static bool prepare(struct check *check, struct err *err)
{
	struct inventory *inventory = &check->inventory;

	if (!store_open_as_is(&check->store, check->options->store, err) ||
	    !inventory_take(inventory, &check->store, err))
		return false;
	check->verdicts = calloc(inventory->count + 1, sizeof(*check->verdicts));
	check->order = calloc(inventory->count + 1, sizeof(*check->order));
	if (!check->verdicts || !check->order)
		return err_memory(err, "a list of what is stored");
	for (size_t i = 0; i < inventory->count; i++) {
		const struct thing *thing = &inventory->items[i];

		if (!soundness_is_known(thing))
			continue;
		check->order[check->order_count++] = i;
		if (thing->kind != THING_IMAGE) /* of those only a part is read */
			report_expect(check->report, REPORT_CHECK, thing->bytes);
	}
	if (check->order_count > 1)
		qsort_r(check->order, check->order_count, sizeof(*check->order), compare_sizes,
			inventory);
	return true;
}

/* Not what was put in its place since. */
static void repair_one(struct check *check, size_t number)
{
	const struct thing *thing = &check->inventory.items[number];
	struct verdict *verdict = &check->verdicts[number];
	enum removal removal = REMOVAL_BUSY;
	struct err why = { 0 };

	verdict->repair = REPAIR_REMOVED;
	if (inode_of(check, thing) != verdict->inode)
		return;
	if (!removal_try(&check->store, thing, REMOVAL_OF_DAMAGED, &removal, &why)) {
		report_note(check->report, "%s", why.msg);
		verdict->repair = REPAIR_FAILED;
	} else if (removal == REMOVAL_BUSY) {
		verdict->repair = REPAIR_IN_USE;
	}
}

MUST_CHECK static bool repair(struct check *check, struct err *err)
{
	if (!store_make_folders(&check->store, err))
		return false;
	for (size_t i = 0; i < check->inventory.count; i++)
		if (check->verdicts[i].state == STATE_DAMAGED)
			repair_one(check, i);
	return true;
}

static size_t count_state(const struct check *check, enum state state)
{
	size_t count = 0;

	for (size_t i = 0; i < check->inventory.count; i++)
		count += check->verdicts[i].state == state;
	return count;
}

/* Things of a kind that were looked at. */
static size_t count_checked(const struct check *check, enum thing_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < check->inventory.count; i++)
		count += check->inventory.items[i].kind == kind &&
			 check->verdicts[i].state != STATE_UNKNOWN;
	return count;
}

static struct json_t *verdicts_json(const struct check *check, enum state state)
{
	struct json_t *list = json_new_array();

	for (size_t i = 0; i < check->inventory.count; i++) {
		const struct verdict *verdict = &check->verdicts[i];

		if (verdict->state != state)
			continue;
		struct json_t *object = thing_json(&check->inventory.items[i]);

		json_put_text(object, "message", verdict->why.msg);
		if (state == STATE_DAMAGED)
			json_put_bool(object, "removed", verdict->repair == REPAIR_REMOVED);
		json_add(list, object);
	}
	return list;
}

MUST_CHECK static bool show_as_json(const struct check *check, struct err *err)
{
	struct json_t *object = json_new_object(), *checked = json_new_object();

	json_put_text(object, "store", check->store.path);
	for (int kind = 0; kind <= THING_KERNEL; kind++)
		json_put_size(checked, thing_kind_names((enum thing_kind)kind),
			      count_checked(check, (enum thing_kind)kind));
	json_put(object, "checked", checked);
	json_put_size(object, "readBytes", check->read_bytes);
	json_put(object, "damaged", verdicts_json(check, STATE_DAMAGED));
	json_put(object, "failed", verdicts_json(check, STATE_FAILED));
	thing_put_foreign(object, &check->inventory);
	return show_json(object, err);
}

static void print_verdict(const struct thing *thing, const struct verdict *verdict)
{
	static const char *const repairs[] = {
		[REPAIR_NONE] = "",
		[REPAIR_REMOVED] = "; removed",
		[REPAIR_IN_USE] = "; in use, so it stays",
		[REPAIR_FAILED] = "; it could not be removed",
	};
	char name[THING_NAME_BYTES];

	if (verdict->state != STATE_DAMAGED && verdict->state != STATE_FAILED)
		return;
	thing_name(thing, name);
	printf("%s %s %s: %s%s\n", thing_kind_name(thing->kind), name,
	       verdict->state == STATE_DAMAGED ? "is damaged" : "could not be checked",
	       verdict->why.msg, repairs[verdict->repair]);
}

MUST_CHECK static bool show_as_text(const struct check *check, struct err *err)
{
	char size[SHOW_BYTES_TEXT];

	for (size_t i = 0; i < check->inventory.count; i++)
		print_verdict(&check->inventory.items[i], &check->verdicts[i]);
	thing_print_foreign(&check->inventory);
	show_bytes(check->read_bytes, size);
	printf("%s: %zu checked, %s read, %zu damaged\n", check->store.path,
	       count_state(check, STATE_SOUND) + count_state(check, STATE_DAMAGED), size,
	       count_state(check, STATE_DAMAGED));
	return show_flush(err);
}

/* After the result, as one sentence. */
MUST_CHECK static bool conclude(const struct check *check, struct err *err)
{
	size_t damaged = count_state(check, STATE_DAMAGED);
	size_t failed = count_state(check, STATE_FAILED);

	if (damaged > 0)
		return err_set(err, ERR_INTEGRITY, "store %s: %zu of %zu are damaged%s",
			       check->store.path, damaged, check->order_count,
			       check->options->cache.repair ? "" :
				       " (--repair removes what is)");
	if (failed > 0)
		return err_set(err, ERR_IO, "store %s: %zu of %zu could not be checked",
			       check->store.path, failed, check->order_count);
	return true;
}

bool cache_check(const struct options *options, struct progress **progress, struct err *err)
{
	CLEANUP(check_freep) struct check check = { .options = options,
						    .report = progress_report(*progress),
						    .store = STORE_NONE };

	if (!prepare(&check, err) || !run_workers(&check, err) ||
	    (options->cache.repair && !repair(&check, err)))
		return false;
	check.read_bytes = check.report->done_bytes[REPORT_CHECK];
	check.report = NULL;
	progress_stopp(progress);
	return (options->json ? show_as_json(&check, err) : show_as_text(&check, err)) &&
	       conclude(&check, err);
}
