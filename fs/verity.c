#include "verity.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/le.h"
#include "block.h"

enum {
	DIGEST_BYTES = 32,
	DIGESTS_PER_BLOCK = BLOCK_BYTES / DIGEST_BYTES,
	CHUNK_BLOCKS = 8 * DIGESTS_PER_BLOCK, /* what a thread hashes at a time */
	LEVELS_MAX = 10, /* 128 to the tenth is beyond 64 bits */
};

/* Offsets in the superblock. */
enum {
	AT_VERSION = 8,
	AT_HASH_TYPE = 12,
	AT_UUID = 16,
	AT_ALGORITHM = 32,
	AT_DATA_BLOCK_BYTES = 64,
	AT_HASH_BLOCK_BYTES = 68,
	AT_DATA_BLOCKS = 72,
	AT_SALT_BYTES = 80,
	AT_SALT = 88,
};
static const char signature[8] = "verity";

/* Where the levels lie: [0] is over the data, the last is one block, and lies first. */
struct levels {
	uint64_t start[LEVELS_MAX], count[LEVELS_MAX]; /* in blocks */
	unsigned level_count;
	uint64_t end; /* behind them all */
};

static struct levels levels_of(uint64_t data_blocks)
{
	struct levels levels = { .end = data_blocks + 1 }; /* behind the superblock */
	uint64_t count = data_blocks;

	do {
		count = (count + DIGESTS_PER_BLOCK - 1) / DIGESTS_PER_BLOCK;
		levels.count[levels.level_count++] = count;
	} while (count > 1);
	for (unsigned i = levels.level_count; i-- > 0;) {
		levels.start[i] = levels.end;
		levels.end += levels.count[i];
	}
	return levels;
}

/* One level being made from the blocks below it; shared by the threads. */
struct hashing {
	int fd;
	uint64_t from, count; /* blocks to hash */
	uint64_t to; /* first block of digests */
	const uint8_t *salt;
	struct digest zero; /* of a block of zeros */
	bool is_check; /* the digests are there, and are held against the blocks */
	_Atomic uint64_t next; /* of count */
	pthread_mutex_t mutex; /* over failure */
	struct err failure; /* the first; kind is ERR_NONE when none */
};

/* What one thread works with. */
struct bench {
	uint8_t salted[VERITY_SALT_BYTES + BLOCK_BYTES];
	uint8_t blocks[CHUNK_BLOCKS][BLOCK_BYTES];
	uint8_t digests[CHUNK_BLOCKS * DIGEST_BYTES];
};

static struct digest hash_block(struct bench *bench, const uint8_t *block)
{
	memcpy(bench->salted + VERITY_SALT_BYTES, block, BLOCK_BYTES);
	return digest_of(bench->salted, sizeof(bench->salted));
}

static bool is_zero(const uint8_t *block)
{
	return block[0] == 0 && memcmp(block, block + 1, BLOCK_BYTES - 1) == 0;
}

/* A hole need not be read. Where the file system cannot say, all is data. */
static bool is_hole(int fd, uint64_t offset, uint64_t len)
{
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

	return data < 0 ? errno == ENXIO : (uint64_t)data >= offset + len;
}

/* What was hashed, to or from its place in the tree. */
MUST_CHECK static bool settle_digests(const struct hashing *hashing, struct bench *bench,
				      size_t len, uint64_t offset, struct err *err)
{
	if (!hashing->is_check)
		return file_pwrite(hashing->fd, bench->digests, len, offset, "the image", err);
	return file_pread(hashing->fd, bench->blocks, len, offset, "the image", err) &&
	       (memcmp(bench->blocks, bench->digests, len) == 0 ||
		err_set(err, ERR_INTEGRITY, "its blocks are not what its dm-verity tree says"));
}

MUST_CHECK static bool hash_chunk(const struct hashing *hashing, uint64_t first,
				  struct bench *bench, struct err *err)
{
	uint64_t left = hashing->count - first, offset = (hashing->from + first) * BLOCK_BYTES;
	size_t count = left < CHUNK_BLOCKS ? (size_t)left : CHUNK_BLOCKS;
	size_t rounded = (count + DIGESTS_PER_BLOCK - 1) / DIGESTS_PER_BLOCK * DIGESTS_PER_BLOCK;
	bool is_empty = is_hole(hashing->fd, offset, count * BLOCK_BYTES);

	if (!is_empty &&
	    !file_pread(hashing->fd, bench->blocks, count * BLOCK_BYTES, offset, "the image", err))
		return false;
	memset(bench->digests, 0, rounded * DIGEST_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct digest digest = is_empty || is_zero(bench->blocks[i]) ?
					       hashing->zero :
					       hash_block(bench, bench->blocks[i]);

		memcpy(bench->digests + i * DIGEST_BYTES, digest.sha256, DIGEST_BYTES);
	}
	return settle_digests(hashing, bench, rounded * DIGEST_BYTES,
			      (hashing->to + first / DIGESTS_PER_BLOCK) * BLOCK_BYTES, err);
}

static void note_failure(struct hashing *hashing, const struct err *err)
{
	pthread_mutex_lock(&hashing->mutex);
	if (hashing->failure.kind == ERR_NONE)
		hashing->failure = *err;
	pthread_mutex_unlock(&hashing->mutex);
	atomic_store(&hashing->next, hashing->count); /* the others have nothing left */
}

static void *work(void *argument)
{
	struct hashing *hashing = argument;
	CLEANUP(freep) struct bench *bench = malloc(sizeof(*bench));
	struct err err = { 0 };
	uint64_t first = 0;

	if (!bench && !err_memory(&err, "hashing")) {
		note_failure(hashing, &err);
		return NULL;
	}
	memcpy(bench->salted, hashing->salt, VERITY_SALT_BYTES);
	while ((first = atomic_fetch_add(&hashing->next, CHUNK_BLOCKS)) < hashing->count) {
		if (!hash_chunk(hashing, first, bench, &err)) {
			note_failure(hashing, &err);
			break;
		}
	}
	return NULL;
}

MUST_CHECK static bool run_workers(struct hashing *hashing, unsigned jobs, struct err *err)
{
	CLEANUP(freep) pthread_t *threads = calloc(jobs, sizeof(*threads));
	unsigned started = 0;

	if (!threads)
		return err_memory(err, "threads");
	while (started + 1 < jobs && started * (uint64_t)CHUNK_BLOCKS < hashing->count &&
	       pthread_create(&threads[started], NULL, work, hashing) == 0)
		started++;
	work(hashing); /* this thread is the first of jobs */
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (hashing->failure.kind == ERR_NONE)
		return true;
	*err = hashing->failure;
	return false;
}

static struct digest salted_digest(const uint8_t *salt, const uint8_t *block)
{
	uint8_t salted[VERITY_SALT_BYTES + BLOCK_BYTES];

	memcpy(salted, salt, VERITY_SALT_BYTES);
	memcpy(salted + VERITY_SALT_BYTES, block, BLOCK_BYTES);
	return digest_of(salted, sizeof(salted));
}

/* Salt and UUID must not be each other's, nor the file system's own. */
static struct digest derive(const struct digest *identity, const char *purpose)
{
	uint8_t text[DIGEST_BYTES + 32] = { 0 };

	memcpy(text, identity->sha256, DIGEST_BYTES);
	snprintf((char *)text + DIGEST_BYTES, 32, "%s", purpose);
	return digest_of(text, sizeof(text));
}

MUST_CHECK static bool write_super(int fd, const struct verity *verity,
				   const struct digest *identity, struct err *err)
{
	uint8_t block[BLOCK_BYTES] = { 0 };
	struct digest uuid = derive(identity, "verity uuid");

	memcpy(block, signature, sizeof(signature));
	le32_put(block + AT_VERSION, 1);
	le32_put(block + AT_HASH_TYPE, 1);
	digest_uuid(&uuid, block + AT_UUID);
	memcpy(block + AT_ALGORITHM, "sha256", 6);
	le32_put(block + AT_DATA_BLOCK_BYTES, BLOCK_BYTES);
	le32_put(block + AT_HASH_BLOCK_BYTES, BLOCK_BYTES);
	le64_put(block + AT_DATA_BLOCKS, verity->data_blocks);
	le16_put(block + AT_SALT_BYTES, VERITY_SALT_BYTES);
	memcpy(block + AT_SALT, verity->salt, VERITY_SALT_BYTES);
	return file_pwrite(fd, block, sizeof(block), verity->data_blocks * BLOCK_BYTES,
			   "the image", err);
}

MUST_CHECK static bool read_root(int fd, struct verity *verity, struct err *err)
{
	struct levels levels = levels_of(verity->data_blocks);
	uint8_t top[BLOCK_BYTES];

	if (!file_pread(fd, top, sizeof(top), levels.start[levels.level_count - 1] * BLOCK_BYTES,
			"the image", err))
		return false;
	verity->root = salted_digest(verity->salt, top);
	verity->hash_blocks = levels.end - verity->data_blocks;
	return true;
}

/* Level by level, from the data up. */
MUST_CHECK static bool hash_levels(const struct verity *verity, int fd, bool is_check,
				   unsigned jobs, struct err *err)
{
	static const uint8_t zeros[BLOCK_BYTES];
	struct levels levels = levels_of(verity->data_blocks);

	for (unsigned i = 0; i < levels.level_count; i++) {
		struct hashing hashing = { .fd = fd,
					   .from = i == 0 ? 0 : levels.start[i - 1],
					   .count = i == 0 ? verity->data_blocks :
							     levels.count[i - 1],
					   .to = levels.start[i],
					   .salt = verity->salt,
					   .zero = salted_digest(verity->salt, zeros),
					   .is_check = is_check,
					   .mutex = PTHREAD_MUTEX_INITIALIZER };

		if (!run_workers(&hashing, jobs, err))
			return false;
	}
	return true;
}

bool verity_write(struct verity *out, int fd, uint64_t data_blocks, const struct digest *identity,
		  unsigned jobs, struct err *err)
{
	struct verity verity = { .data_blocks = data_blocks };
	struct digest salt = derive(identity, "verity salt");

	memcpy(verity.salt, salt.sha256, VERITY_SALT_BYTES);
	if (!hash_levels(&verity, fd, false, jobs, err) ||
	    !write_super(fd, &verity, identity, err) || !read_root(fd, &verity, err))
		return false;
	*out = verity;
	return true;
}

bool verity_check(const struct verity *verity, const char *path, unsigned jobs, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;

	return file_open(&fd, AT_FDCWD, path, O_RDONLY, err) &&
	       hash_levels(verity, fd, true, jobs, err);
}

bool verity_read(struct verity *out, const char *path, uint64_t data_blocks, bool *is_there,
		 struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	struct verity verity = { .data_blocks = data_blocks };
	uint8_t super[512] = { 0 };

	if (!file_open(&fd, AT_FDCWD, path, O_RDONLY, err))
		return false;
	ssize_t len = pread(fd, super, sizeof(super), (off_t)(data_blocks * BLOCK_BYTES));

	if (len < 0)
		return err_os(err, "read %s", path);
	*is_there = memcmp(super, signature, sizeof(signature)) == 0;
	if (!*is_there)
		return true;
	if (le32_get(super + AT_VERSION) != 1 || le32_get(super + AT_HASH_TYPE) != 1 ||
	    memcmp(super + AT_ALGORITHM, "sha256", 7) != 0 ||
	    le32_get(super + AT_DATA_BLOCK_BYTES) != BLOCK_BYTES ||
	    le32_get(super + AT_HASH_BLOCK_BYTES) != BLOCK_BYTES ||
	    le64_get(super + AT_DATA_BLOCKS) != data_blocks ||
	    le16_get(super + AT_SALT_BYTES) != VERITY_SALT_BYTES)
		return err_set(err, ERR_FORMAT, "%s has a dm-verity tree of another kind", path);
	memcpy(verity.salt, super + AT_SALT, VERITY_SALT_BYTES);
	if (!read_root(fd, &verity, err))
		return false;
	*out = verity;
	return true;
}

void verity_argument(const struct verity *verity, const char *device,
		     char out[VERITY_ARGUMENT_BYTES])
{
	char root[DIGEST_HEX_BYTES], salt[DIGEST_HEX_BYTES];
	struct digest salt_digest;

	_Static_assert(sizeof(salt_digest) == VERITY_SALT_BYTES, "a salt prints as a digest");
	memcpy(salt_digest.sha256, verity->salt, VERITY_SALT_BYTES);
	digest_hex(&verity->root, root);
	digest_hex(&salt_digest, salt);
	snprintf(out, VERITY_ARGUMENT_BYTES,
		 "dm-mod.create=\"vmbake,,0,ro,0 %llu verity 1 %.64s %.64s %d %d %llu %llu sha256 "
		 "%s %s\"",
		 (unsigned long long)verity->data_blocks * SECTORS_PER_BLOCK, device, device,
		 BLOCK_BYTES, BLOCK_BYTES, (unsigned long long)verity->data_blocks,
		 (unsigned long long)verity->data_blocks + 1, root, salt);
}
