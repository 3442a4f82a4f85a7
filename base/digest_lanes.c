#include "digest_lanes.h"

#include <assert.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

/* FIPS 180-4, 4.2.2: what is added in each round. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

#define SHA_TARGET __attribute__((target("sha,ssse3,sse4.1")))
#define SHA_INLINE SHA_TARGET static inline __attribute__((always_inline))

/* Eight words of state and the sixteen of the message, as the instructions want them. */
struct words {
	__m128i abef, cdgh;
	__m128i message[4];
};

SHA_INLINE void load_block(struct words *words, const unsigned char *block)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	for (int i = 0; i < 4; i++) {
		const __m128i *from = (const void *)(block + 16 * i);

		words->message[i] = _mm_shuffle_epi8(_mm_loadu_si128(from), swap);
	}
}

/* Rounds 4 * quad to 4 * quad + 3, then the words of the message that come four quads later. */
SHA_INLINE void do_rounds(struct words *words, int quad)
{
	const __m128i *constants = (const void *)(round_constants + 4 * quad);
	__m128i *now = &words->message[quad & 3], next = words->message[(quad + 1) & 3];
	__m128i before = words->message[(quad + 2) & 3], last = words->message[(quad + 3) & 3];
	__m128i sum = _mm_add_epi32(*now, _mm_loadu_si128(constants));

	words->cdgh = _mm_sha256rnds2_epu32(words->cdgh, words->abef, sum);
	words->abef = _mm_sha256rnds2_epu32(words->abef, words->cdgh, _mm_shuffle_epi32(sum, 0x0e));
	*now = _mm_add_epi32(_mm_sha256msg1_epu32(*now, next), _mm_alignr_epi8(last, before, 4));
	*now = _mm_sha256msg2_epu32(*now, last);
}

SHA_INLINE struct words load_state(const struct digest_lane *lane)
{
	const __m128i *state = (const void *)lane->state;

	return (struct words){ .abef = _mm_load_si128(state), .cdgh = _mm_load_si128(state + 1) };
}

SHA_INLINE void store_state(struct digest_lane *lane, const struct words *words)
{
	__m128i *state = (void *)lane->state;

	_mm_store_si128(state, words->abef);
	_mm_store_si128(state + 1, words->cdgh);
}

SHA_TARGET static void do_blocks(struct digest_lane *left, struct digest_lane *right,
				 size_t block_count)
{
	struct words a = load_state(left), b = load_state(right);

	for (size_t i = 0; i < block_count; i++) {
		struct words a_before = a, b_before = b;

		load_block(&a, left->next + i * DIGEST_BLOCK_BYTES);
		load_block(&b, right->next + i * DIGEST_BLOCK_BYTES);
#pragma GCC unroll 16
		for (int quad = 0; quad < 16; quad++) {
			do_rounds(&a, quad);
			do_rounds(&b, quad);
		}
		a.abef = _mm_add_epi32(a.abef, a_before.abef);
		a.cdgh = _mm_add_epi32(a.cdgh, a_before.cdgh);
		b.abef = _mm_add_epi32(b.abef, b_before.abef);
		b.cdgh = _mm_add_epi32(b.cdgh, b_before.cdgh);
	}
	store_state(left, &a);
	store_state(right, &b);
}

#endif

/* CPUID leaf 1: SSSE3 and SSE4.1; leaf 7: SHA. */
static bool has_instructions(void)
{
#if defined(__x86_64__)
	unsigned a = 0, b = 0, c = 0, d = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
#else
	return false;
#endif
}

/* block_count of each lane, turn by turn, so that neither waits. No lane is ever busy where the
 * instructions are lacking. */
static void hash_blocks(struct digest_lane *left, struct digest_lane *right, size_t block_count)
{
#if defined(__x86_64__)
	do_blocks(left, right, block_count);
#else
	assert(left == right && block_count == 0);
#endif
}

/* Where the words A to H of a state are, as the instructions want them. */
static const uint8_t word_at[8] = { 3, 2, 7, 6, 1, 0, 5, 4 };

static void set_word(struct digest_lane *lane, size_t word, const uint8_t bytes[4])
{
	lane->state[word_at[word]] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
				     (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The bytes behind the last whole block, a one, zeros, and the length in bits. */
static void make_tail(struct digest_lane *lane, struct view bytes)
{
	size_t rest = bytes.len % DIGEST_BLOCK_BYTES;
	size_t blocks = rest + 1 + sizeof(uint64_t) > DIGEST_BLOCK_BYTES ? 2 : 1;
	uint64_t bits = (uint64_t)bytes.len * 8;

	memset(lane->tail, 0, sizeof(lane->tail));
	if (rest > 0)
		memcpy(lane->tail, bytes.ptr + bytes.len - rest, rest);
	lane->tail[rest] = 0x80;
	for (size_t i = 0; i < sizeof(bits); i++)
		lane->tail[blocks * DIGEST_BLOCK_BYTES - 1 - i] = (uint8_t)(bits >> (8 * i));
	lane->tail_block_count = blocks;
}

/* From the bytes to the tail, or to the end. */
static void settle(struct digest_lane *lane)
{
	if (lane->block_count > 0)
		return;
	lane->is_busy = lane->tail_block_count > 0;
	lane->next = lane->tail;
	lane->block_count = lane->tail_block_count;
	lane->tail_block_count = 0;
}

void digest_lane_start(struct digest_lane *lane, struct view bytes)
{
	/* FIPS 180-4, 5.3.3. */
	static const uint8_t start[32] = {
		0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3,
		0x72, 0xa5, 0x4f, 0xf5, 0x3a, 0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05,
		0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19,
	};
	bool is_slow = !has_instructions();
	struct digest whole = { 0 };

	if (is_slow)
		whole = digest_of(bytes.ptr, bytes.len);
	for (size_t word = 0; word < 8; word++)
		set_word(lane, word, (is_slow ? whole.sha256 : start) + 4 * word);
	lane->is_busy = !is_slow;
	if (is_slow)
		return;
	make_tail(lane, bytes);
	lane->next = (const unsigned char *)bytes.ptr;
	lane->block_count = bytes.len / DIGEST_BLOCK_BYTES;
	settle(lane);
}

static void pass(struct digest_lane *lane, size_t block_count)
{
	lane->next += block_count * DIGEST_BLOCK_BYTES;
	lane->block_count -= block_count;
	settle(lane);
}

/* One alone, beside a copy of itself. */
static void run_alone(struct digest_lane *lane)
{
	struct digest_lane copy = *lane;
	size_t block_count = lane->block_count;

	copy.next = lane->next;
	hash_blocks(lane, &copy, block_count);
	pass(lane, block_count);
}

void digest_lanes_run(struct digest_lane lanes[DIGEST_LANES])
{
	struct digest_lane *left = &lanes[0], *right = &lanes[1];
	bool were_both_busy = left->is_busy && right->is_busy;

	while (left->is_busy && right->is_busy) {
		size_t block_count = left->block_count < right->block_count ? left->block_count :
									      right->block_count;

		hash_blocks(left, right, block_count);
		pass(left, block_count);
		pass(right, block_count);
	}
	if (were_both_busy)
		return;
	while (left->is_busy)
		run_alone(left);
	while (right->is_busy)
		run_alone(right);
}

struct digest digest_lane_result(const struct digest_lane *lane)
{
	struct digest digest;

	for (size_t word = 0; word < 8; word++) {
		uint32_t value = lane->state[word_at[word]];

		for (size_t i = 0; i < 4; i++)
			digest.sha256[4 * word + i] = (uint8_t)(value >> (24 - 8 * i));
	}
	return digest;
}
