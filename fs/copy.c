#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "block.h"

enum {
	PIECE_BYTES = 16 << 20, /* what a thread takes at a time */
	BUFFER_BYTES = 1 << 20,
	WORKERS_MAX = 16, /* more do not make memory faster, and each has a buffer */
};

/* What the threads share. */
struct copying {
	int image_fd;
	int direct_fd; /* the image once more, written around the page cache; -1: it cannot */
	atomic_bool refuses_direct;
	const struct copy *copies;
	uint64_t copy_count;
	const int *data_fds;
	struct report *report;
	pthread_mutex_t mutex; /* over all below */
	uint64_t at; /* the copy that pieces are taken from … */
	uint64_t at_offset; /* … and how many of its bytes are taken */
	struct err failure; /* the first; kind is ERR_NONE when none */
	atomic_int *methods; /* by layer: the best that was not refused, enum copy_method; owned */
	_Atomic uint64_t moved_bytes[COPY_METHOD_COUNT];
	enum copy_method second_best; /* where cloning is refused */
};

/* A part of one copy, in bytes. */
struct piece {
	int data_fd;
	atomic_int *method; /* of its layer */
	uint64_t from, to, len;
};

static bool take_piece(struct copying *copying, struct piece *piece)
{
	bool is_there = false;

	pthread_mutex_lock(&copying->mutex);
	if (copying->at < copying->copy_count && copying->failure.kind == ERR_NONE) {
		const struct copy *copy = &copying->copies[copying->at];
		uint64_t left = copy->block_count * BLOCK_BYTES - copying->at_offset;
		/* One clone call may be as long as it likes; copies are shared out. */
		bool is_clone = atomic_load(&copying->methods[copy->layer]) == COPY_REFLINK;
		uint64_t len = is_clone || left < PIECE_BYTES ? left : PIECE_BYTES;

		*piece = (struct piece){ copying->data_fds[copy->layer],
					 &copying->methods[copy->layer],
					 copy->data_block * BLOCK_BYTES + copying->at_offset,
					 copy->image_block * BLOCK_BYTES + copying->at_offset,
					 len };
		copying->at_offset += len;
		if (len == left) {
			copying->at++;
			copying->at_offset = 0;
		}
		is_there = true;
	}
	pthread_mutex_unlock(&copying->mutex);
	return is_there;
}

/* Reasons to try the next method rather than to fail: other file system, not supported there, not
 * aligned as it wants, not allowed. */
static bool is_refusal(int code)
{
	return code == EXDEV || code == EOPNOTSUPP || code == EINVAL || code == ENOTTY ||
	       code == ENOSYS || code == EPERM || code == EBADF || code == ETXTBSY;
}

static void count_moved(struct copying *copying, enum copy_method method, uint64_t len)
{
	atomic_fetch_add_explicit(&copying->moved_bytes[method], len, memory_order_relaxed);
	report_did(copying->report, REPORT_WRITE, len);
}

static bool clone_piece(struct copying *copying, const struct piece *piece)
{
	struct file_clone_range range = { .src_fd = piece->data_fd,
					  .src_offset = piece->from,
					  .src_length = piece->len,
					  .dest_offset = piece->to };

	if (ioctl(copying->image_fd, FICLONERANGE, &range) < 0)
		return false;
	count_moved(copying, COPY_REFLINK, piece->len);
	return true;
}

/* As far as the kernel copies; piece is what is left. False with errno on failure. */
static bool copy_in_kernel(struct copying *copying, struct piece *piece)
{
	while (piece->len > 0) {
		off_t from = (off_t)piece->from, to = (off_t)piece->to;
		ssize_t len = copy_file_range(piece->data_fd, &from, copying->image_fd, &to,
					      piece->len, 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0) {
			errno = len == 0 ? EINVAL : errno; /* some file systems say nothing */
			return false;
		}
		piece->from += (uint64_t)len;
		piece->to += (uint64_t)len;
		piece->len -= (uint64_t)len;
		count_moved(copying, COPY_FILE_RANGE, (uint64_t)len);
	}
	return true;
}

/* Around the page cache as long as the file system takes it so: that costs a sixth of the CPU time,
 * does not push the layers out of memory, and leaves nothing for the sync at the end. */
MUST_CHECK static bool write_by_hand(struct copying *copying, const char *buffer, size_t len,
				     uint64_t offset, struct err *err)
{
	struct err refusal = { 0 };

	if (!atomic_load(&copying->refuses_direct)) {
		if (file_pwrite(copying->direct_fd, buffer, len, offset, "the image", &refusal))
			return true;
		if (!is_refusal(refusal.os_errno)) {
			*err = refusal;
			return false;
		}
		atomic_store(&copying->refuses_direct, true);
	}
	return file_pwrite(copying->image_fd, buffer, len, offset, "the image", err);
}

MUST_CHECK static bool copy_by_hand(struct copying *copying, struct piece *piece, char *buffer,
				    struct err *err)
{
	while (piece->len > 0) {
		size_t len = piece->len < BUFFER_BYTES ? piece->len : BUFFER_BYTES;

		if (!file_pread(piece->data_fd, buffer, len, piece->from, "a stored layer", err) ||
		    !write_by_hand(copying, buffer, len, piece->to, err))
			return false;
		piece->from += len;
		piece->to += len;
		piece->len -= len;
		count_moved(copying, COPY_READ_WRITE, len);
	}
	return true;
}

/* Start the writeback of what is done, so that the sync at the end finds little to do. */
static void hint_writeback(const struct copying *copying, uint64_t offset, uint64_t len)
{
	sync_file_range(copying->image_fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

/* A layer's method gets slower, never faster: what one piece was refused, the next is not offered.
 * Each layer has its own, since one may lie on another file system or in memory. */
static void fall_back_to(const struct piece *piece, enum copy_method method)
{
	int now = atomic_load(piece->method);

	while (now < (int)method &&
	       !atomic_compare_exchange_weak(piece->method, &now, (int)method))
		;
}

MUST_CHECK static bool move_piece(struct copying *copying, struct piece *piece, char *buffer,
				  struct err *err)
{
	uint64_t start = piece->to, len = piece->len;

	if (atomic_load(piece->method) <= COPY_REFLINK) {
		if (clone_piece(copying, piece))
			return true;
		if (!is_refusal(errno))
			return err_os(err, "clone");
		fall_back_to(piece, copying->second_best);
	}
	if (atomic_load(piece->method) <= COPY_FILE_RANGE && !copy_in_kernel(copying, piece)) {
		if (!is_refusal(errno))
			return err_os(err, "copy");
		fall_back_to(piece, COPY_READ_WRITE);
	}
	file_reserve(copying->image_fd, piece->to, piece->len);
	if (!copy_by_hand(copying, piece, buffer, err))
		return false;
	hint_writeback(copying, start, len);
	return true;
}

static void note_failure(struct copying *copying, const struct err *err)
{
	pthread_mutex_lock(&copying->mutex);
	if (copying->failure.kind == ERR_NONE)
		copying->failure = *err;
	pthread_mutex_unlock(&copying->mutex);
}

static void *work(void *argument)
{
	struct copying *copying = argument;
	CLEANUP(freep) char *buffer = aligned_alloc(BLOCK_BYTES, BUFFER_BYTES);
	struct piece piece;
	struct err err = { 0 };

	if (!buffer && !err_memory(&err, "copying")) {
		note_failure(copying, &err);
		return NULL;
	}
	while (take_piece(copying, &piece)) {
		if (!move_piece(copying, &piece, buffer, &err)) {
			note_failure(copying, &err);
			break;
		}
	}
	return NULL;
}

MUST_CHECK static bool run_workers(struct copying *copying, unsigned jobs, struct err *err)
{
	CLEANUP(freep) pthread_t *threads = calloc(jobs, sizeof(*threads));
	unsigned started = 0;

	if (!threads)
		return err_memory(err, "threads");
	while (started + 1 < jobs && started + 1 < WORKERS_MAX &&
	       pthread_create(&threads[started], NULL, work, copying) == 0)
		started++;
	work(copying); /* this thread is the first of jobs */
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (copying->failure.kind == ERR_NONE)
		return true;
	*err = copying->failure;
	return false;
}

/* Where the file system is this machine's own, copy_file_range without cloning is splicing page by
 * page under the image's lock; reading by hand runs beside another thread's writing (4.7 GB on
 * ext4, two threads: 2.0 s against 2.6 s). Elsewhere (NFS, SMB) the server may copy by itself. */
static enum copy_method second_best_on(int image_fd)
{
	struct statfs host;

	if (fstatfs(image_fd, &host) < 0)
		return COPY_FILE_RANGE;
	switch (host.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
		return COPY_READ_WRITE;
	default:
		return COPY_FILE_RANGE;
	}
}

static int open_direct(int image_fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image_fd);
	return open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
}

/* What carried most of the bytes. */
static enum copy_method main_method(const struct copying *copying)
{
	enum copy_method best = COPY_NOTHING;

	for (int i = COPY_NOTHING + 1; i < COPY_METHOD_COUNT; i++)
		if (copying->moved_bytes[i] > copying->moved_bytes[best])
			best = (enum copy_method)i;
	return best;
}

bool copy_bodies(int image_fd, const struct plan *plan, const int *data_fds, uint32_t layer_count,
		 const struct image_options *options, struct report *report,
		 struct copy_result *out, struct err *err)
{
	CLEANUP(freep) atomic_int *methods = calloc(layer_count + 1u, sizeof(*methods));
	CLEANUP(fd_closep) int direct_fd = options->is_read_next ? -1 : open_direct(image_fd);
	struct copying copying = { .image_fd = image_fd,
				   .direct_fd = direct_fd,
				   .refuses_direct = direct_fd < 0,
				   .copies = plan->copies,
				   .copy_count = plan->copy_count,
				   .data_fds = data_fds,
				   .report = report,
				   .mutex = PTHREAD_MUTEX_INITIALIZER,
				   .methods = methods,
				   .second_best = second_best_on(image_fd) };
	uint64_t data_bytes = 0;

	if (!methods)
		return err_memory(err, "copying");
	for (uint32_t i = 0; i < layer_count; i++)
		atomic_init(&methods[i], COPY_REFLINK);
	for (uint64_t i = 0; i < plan->copy_count; i++)
		data_bytes += plan->copies[i].block_count * BLOCK_BYTES;
	report_expect(report, REPORT_WRITE, data_bytes);
	if (!run_workers(&copying, options->jobs, err))
		return false;
	*out = (struct copy_result){ .data_bytes = data_bytes,
				     .copied_bytes = data_bytes - copying.moved_bytes[COPY_REFLINK],
				     .method = main_method(&copying) };
	return true;
}
