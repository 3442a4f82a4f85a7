#include "removal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/view.h"

/* A removal under way. */
struct taking {
	struct store *store;
	const struct thing *thing;
	enum removal_mode mode;
	const char *lock_kind; /* of its key; NULL: it has none */
	char lock_name[THING_NAME_BYTES];
};

/* Open and flocked, and what its name stands for; *fd stays -1 when somebody else has it locked, or
 * when it is gone. */
static void seize_file(int dir_fd, const char *path, int *fd, bool *is_gone)
{
	CLEANUP(fd_closep) int opened = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*is_gone = opened < 0 && errno == ENOENT;
	if (opened >= 0 && flock(opened, LOCK_EX | LOCK_NB) == 0)
		*is_gone = !file_is_named(opened, dir_fd, path);
	else
		fd_closep(&opened);
	if (!*is_gone)
		*fd = fd_take(&opened);
}

/* What its owner keeps locked while he needs it: a .part, a file being written, a lock. */
MUST_CHECK static bool remove_locked_file(const struct taking *taking, enum removal *out,
					  struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	bool is_gone = false;

	seize_file(taking->store->dir_fd, taking->thing->path, &fd, &is_gone);
	*out = fd < 0 && !is_gone ? REMOVAL_BUSY : REMOVAL_DONE;
	if (fd < 0 || taking->mode == REMOVAL_TRIAL ||
	    unlinkat(taking->store->dir_fd, taking->thing->path, 0) == 0 || errno == ENOENT)
		return true;
	return err_os(err, "remove %s", taking->thing->path);
}

MUST_CHECK static bool remove_draft(const struct taking *taking, enum removal *out,
				    struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	const char *name = thing_file_name(taking->thing);
	struct store *store = taking->store;

	if (!store_draft_seize(store, name, &fd)) {
		*out = faccessat(store->tmp_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ?
			       REMOVAL_BUSY :
			       REMOVAL_DONE;
		return true;
	}
	*out = REMOVAL_DONE;
	return taking->mode == REMOVAL_TRIAL || file_remove_tree(store->tmp_fd, name, err);
}

/* The key of a thing that has one, so that nobody makes it meanwhile. A trial makes no file. */
MUST_CHECK static bool take_key(const struct taking *taking, int *fd, bool *is_busy,
				struct err *err)
{
	char path[sizeof("locks/driver-") + THING_NAME_BYTES];
	struct err why = { 0 };
	bool is_gone = false;

	if (!taking->lock_kind)
		return true;
	if (taking->mode == REMOVAL_TRIAL) {
		snprintf(path, sizeof(path), "locks/%s-%s", taking->lock_kind, taking->lock_name);
		seize_file(taking->store->dir_fd, path, fd, &is_gone);
		*is_busy = *fd < 0 && !is_gone;
		return true;
	}
	if (store_lock(taking->store, taking->lock_kind, taking->lock_name, fd, &why))
		return true;
	*is_busy = why.kind == ERR_BUSY;
	if (!*is_busy)
		*err = why;
	return *is_busy;
}

static bool is_open(const struct taking *taking)
{
	CLEANUP(fd_closep) int fd = -1;
	char path[THING_PATH_BYTES];

	thing_main_file(taking->thing, path);
	fd = openat(taking->store->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && file_is_open_elsewhere(fd);
}

/* Its key is held. The key is let go before the content is deleted, which may take a while. */
MUST_CHECK static bool take_out(const struct taking *taking, int *lock_fd, struct err *err)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	struct store *store = taking->store;
	enum thing_kind kind = taking->thing->kind;
	struct err why = { 0 };
	bool is_out = false;

	if (kind == THING_LAYER || kind == THING_DRIVER)
		is_out = store_remove(store, taking->thing->path, &draft, &why);
	else
		is_out = unlinkat(store->dir_fd, taking->thing->path, 0) == 0 ||
			 err_os_path(&why, "remove %s", taking->thing->path);
	if (!is_out && why.kind != ERR_NOT_FOUND) {
		*err = why;
		return false;
	}
	if (taking->lock_kind)
		store_lock_discard(store, taking->lock_kind, taking->lock_name, lock_fd);
	return true;
}

MUST_CHECK static bool remove_keyed(struct taking *taking, enum removal *out, struct err *err)
{
	CLEANUP(fd_closep) int lock_fd = -1;
	bool is_busy = false;

	if (!take_key(taking, &lock_fd, &is_busy, err))
		return false;
	if (!is_busy && taking->mode != REMOVAL_OF_DAMAGED)
		is_busy = is_open(taking);
	*out = is_busy ? REMOVAL_BUSY : REMOVAL_DONE;
	if (!is_busy && taking->mode != REMOVAL_TRIAL)
		return take_out(taking, &lock_fd, err);
	if (taking->mode != REMOVAL_TRIAL && lock_fd >= 0) /* perhaps we made that file */
		store_lock_discard(taking->store, taking->lock_kind, taking->lock_name, &lock_fd);
	return true;
}

/* An image's key is its name without ".ext4". */
static void find_key(struct taking *taking)
{
	enum thing_kind kind = taking->thing->kind;
	struct view name = view_of(thing_file_name(taking->thing));

	if (kind != THING_LAYER && kind != THING_IMAGE && kind != THING_DRIVER)
		return;
	if (kind == THING_IMAGE && view_ends(name, ".ext4"))
		name.len -= strlen(".ext4");
	taking->lock_kind = thing_kind_name(kind);
	snprintf(taking->lock_name, sizeof(taking->lock_name), "%.*s", VIEW_ARGS(name));
}

bool removal_try(struct store *store, const struct thing *thing, enum removal_mode mode,
		 enum removal *out, struct err *err)
{
	struct taking taking = { .store = store, .thing = thing, .mode = mode };

	if (thing->kind == THING_LOCK || thing->is_part)
		return remove_locked_file(&taking, out, err);
	if (thing->kind == THING_DRAFT)
		return view_starts(view_of(thing->path), "tmp/") ?
			       remove_draft(&taking, out, err) :
			       remove_locked_file(&taking, out, err);
	find_key(&taking);
	return remove_keyed(&taking, out, err);
}
