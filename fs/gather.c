#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "block.h"

enum {
	GATHERED_MAX = 4096, /* blocks in memory: 16 MiB */
	STRETCH_MIN = 256, /* blocks that are a run by themselves: 1 MiB */
};

struct gathered {
	uint64_t block;
	uint8_t *data; /* owned, BLOCK_BYTES; NULL: forgotten */
	size_t turn; /* of two writes to a block the later one counts */
};

struct gather {
	int fd; /* borrowed */
	struct gathered *items; /* owned; items[count], in the order they came */
	size_t count;
};

static void drop_all(struct gather *gather)
{
	for (size_t i = 0; i < gather->count; i++)
		free(gather->items[i].data);
	gather->count = 0;
}

static int compare(const void *left, const void *right)
{
	const struct gathered *a = left, *b = right;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	return a->turn < b->turn ? -1 : 1;
}

/* Sort, and keep of each block what was written last. */
static void settle(struct gather *gather)
{
	size_t kept = 0;

	for (size_t i = 0; i < gather->count; i++)
		gather->items[i].turn = i;
	qsort(gather->items, gather->count, sizeof(*gather->items), compare);
	for (size_t i = 0; i < gather->count; i++) {
		struct gathered *item = &gather->items[i];
		bool is_last = i + 1 == gather->count || item[1].block != item->block;

		if (is_last && item->data)
			gather->items[kept++] = *item;
		else
			free(item->data);
	}
	gather->count = kept;
}

bool gather_give(io_channel channel, struct span *span, struct err *err)
{
	struct gather *gather = channel->private_data;
	uint8_t *room = NULL;

	settle(gather);
	for (size_t i = 0; i < gather->count; i++) {
		if (!span_add(span, gather->items[i].block * BLOCK_BYTES, BLOCK_BYTES, &room, err))
			return false;
		memcpy(room, gather->items[i].data, BLOCK_BYTES);
	}
	drop_all(gather);
	return true;
}

/* More than is kept goes to the file by itself. */
MUST_CHECK static bool make_room(io_channel channel, struct err *err)
{
	const struct gather *gather = channel->private_data;
	CLEANUP(span_freep) struct span *span = NULL;

	return gather->count < GATHERED_MAX ||
	       (span_new(&span, gather->fd, err) && gather_give(channel, span, err) &&
		span_flush(span, err));
}

static uint8_t *find(struct gather *gather, uint64_t block)
{
	for (size_t i = gather->count; i > 0; i--)
		if (gather->items[i - 1].block == block)
			return gather->items[i - 1].data;
	return NULL;
}

void gather_forget(io_channel channel, uint64_t block)
{
	struct gather *gather = channel->private_data;

	for (size_t i = 0; i < gather->count; i++) {
		if (gather->items[i].block != block)
			continue;
		free(gather->items[i].data);
		gather->items[i].data = NULL;
	}
}

/* A block of the file as it is; behind its end are zeros. */
static errcode_t read_file(const struct gather *gather, uint64_t block, uint8_t *out)
{
	size_t done = 0;

	while (done < BLOCK_BYTES) {
		ssize_t len = pread(gather->fd, out + done, BLOCK_BYTES - done,
				    (off_t)(block * BLOCK_BYTES + done));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno;
		if (len == 0)
			break;
		done += (size_t)len;
	}
	memset(out + done, 0, BLOCK_BYTES - done);
	return 0;
}

static errcode_t read_one(struct gather *gather, uint64_t block, uint8_t *out)
{
	const uint8_t *data = find(gather, block);

	if (!data)
		return read_file(gather, block, out);
	memcpy(out, data, BLOCK_BYTES);
	return 0;
}

/* The library's errors have no place for a sentence; its number becomes one again in ext4.c. */
static errcode_t as_code(const struct err *err)
{
	return err->os_errno ? err->os_errno : EIO;
}

static errcode_t write_one(io_channel channel, uint64_t block, size_t offset, size_t len,
			   const uint8_t *data)
{
	struct gather *gather = channel->private_data;
	CLEANUP(freep) uint8_t *copy = malloc(BLOCK_BYTES);
	errcode_t code = 0;
	struct err err = { 0 };

	if (!copy)
		return EXT2_ET_NO_MEMORY;
	if (len < BLOCK_BYTES)
		code = read_one(gather, block, copy);
	if (code)
		return code;
	memcpy(copy + offset, data, len);
	if (!make_room(channel, &err))
		return as_code(&err);
	gather->items[gather->count++] = (struct gathered){ block, ptr_take(&copy), 0 };
	return 0;
}

/* A count below 0 is one of bytes: the library's way to read and write superblocks. */
static size_t bytes_of(io_channel channel, int count)
{
	return count < 0 ? (size_t)-count : (size_t)count * (size_t)channel->block_size;
}

static uint64_t offset_of(io_channel channel, uint64_t block)
{
	return block * (uint64_t)channel->block_size;
}

static errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void *data)
{
	uint64_t offset = offset_of(channel, block);
	size_t left = bytes_of(channel, count), part = 0;
	uint8_t whole[BLOCK_BYTES], *to = data;

	for (; left > 0; left -= part, to += part, offset += part) {
		size_t skip = offset % BLOCK_BYTES;
		errcode_t code = read_one(channel->private_data, offset / BLOCK_BYTES, whole);

		if (code)
			return code;
		part = left < BLOCK_BYTES - skip ? left : BLOCK_BYTES - skip;
		memcpy(to, whole + skip, part);
	}
	return 0;
}

/* Long ones, such as the descriptors of a huge image, are written at once instead of copied. */
static bool is_stretch(struct gather *gather, uint64_t offset, size_t len)
{
	if (offset % BLOCK_BYTES != 0 || len < (size_t)STRETCH_MIN * BLOCK_BYTES)
		return false;
	for (size_t i = 0; i < len / BLOCK_BYTES; i++)
		if (find(gather, offset / BLOCK_BYTES + i))
			return false;
	return true;
}

static errcode_t write_stretch(const struct gather *gather, uint64_t offset, const void *data,
			       size_t len)
{
	struct err err = { 0 };

	return file_pwrite(gather->fd, data, len, offset, "the image", &err) ? 0 : as_code(&err);
}

static errcode_t write_blocks(io_channel channel, unsigned long long block, int count,
			      const void *data)
{
	struct gather *gather = channel->private_data;
	uint64_t offset = offset_of(channel, block);
	size_t left = bytes_of(channel, count), part = 0;
	const uint8_t *from = data;

	if (is_stretch(gather, offset, left))
		return write_stretch(gather, offset, data, left);
	for (; left > 0; left -= part, from += part, offset += part) {
		size_t skip = offset % BLOCK_BYTES;
		errcode_t code;

		part = left < BLOCK_BYTES - skip ? left : BLOCK_BYTES - skip;
		code = write_one(channel, offset / BLOCK_BYTES, skip, part, from);
		if (code)
			return code;
	}
	return 0;
}

static errcode_t read_short(io_channel channel, unsigned long block, int count, void *data)
{
	return read_blocks(channel, block, count, data);
}

static errcode_t write_short(io_channel channel, unsigned long block, int count, const void *data)
{
	return write_blocks(channel, block, count, data);
}

static errcode_t set_block_size(io_channel channel, int block_size)
{
	channel->block_size = block_size;
	return 0;
}

/* gather_give is what empties it, once, when all is there. */
static errcode_t flush(io_channel channel)
{
	(void)channel;
	return 0;
}

static errcode_t close_channel(io_channel channel)
{
	struct gather *gather = channel->private_data;

	if (--channel->refcount > 0)
		return 0;
	drop_all(gather);
	free(gather->items);
	free(gather);
	free(channel->name);
	free(channel);
	return 0;
}

static errcode_t open_channel(const char *name, int flags, io_channel *out);

static struct struct_io_manager manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "gathered writes",
	.open = open_channel,
	.close = close_channel,
	.set_blksize = set_block_size,
	.read_blk = read_short,
	.write_blk = write_short,
	.flush = flush,
	.read_blk64 = read_blocks,
	.write_blk64 = write_blocks,
};

io_manager gather_manager(void)
{
	return &manager;
}

static errcode_t open_channel(const char *name, int flags, io_channel *out)
{
	CLEANUP(freep) struct gather *gather = calloc(1, sizeof(*gather));
	CLEANUP(freep) struct gathered *items = calloc(GATHERED_MAX, sizeof(*items));
	CLEANUP(freep) io_channel channel = calloc(1, sizeof(*channel));
	uint64_t fd = 0;

	(void)flags;
	if (!view_number(view_of(name), 10, INT32_MAX, &fd))
		return EBADF;
	if (!gather || !items || !channel)
		return EXT2_ET_NO_MEMORY;
	channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel->manager = &manager;
	channel->name = view_copy(view_of(name));
	channel->block_size = BLOCK_BYTES;
	channel->refcount = 1;
	gather->fd = (int)fd;
	gather->items = ptr_take(&items);
	channel->private_data = ptr_take(&gather);
	*out = ptr_take(&channel);
	return 0;
}
