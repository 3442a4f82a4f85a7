#include "sha256_pair.h"

#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>

enum { BLOCK_BYTES = 64 };

/* The round constants. Source: FIPS 180-4, 4.2.2 */
static const uint32_t constants[64] = {
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

/* The eight words of a state, in the order that the instructions want. */
struct halves {
	__m128i abef, cdgh;
};

#define SHA_NI __attribute__((target("sha,sse4.1"), always_inline)) static inline
#define WITH_SHA_NI __attribute__((target("sha,sse4.1")))

SHA_NI struct halves load_state(const uint32_t state[8])
{
	__m128i abcd = _mm_loadu_si128((const __m128i *)(const void *)state);
	__m128i efgh = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
	__m128i badc = _mm_shuffle_epi32(abcd, 0xb1), hgfe = _mm_shuffle_epi32(efgh, 0x1b);

	return (struct halves){ _mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0) };
}

SHA_NI void store_state(uint32_t state[8], struct halves halves)
{
	__m128i feba = _mm_shuffle_epi32(halves.abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(halves.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Words 4n to 4n+3 of the message schedule; words[n % 4] holds the four before the last twelve. */
SHA_NI __m128i schedule(const __m128i words[4], unsigned n)
{
	__m128i before = words[(n + 3) % 4];
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[n % 4], words[(n + 1) % 4]),
				    _mm_alignr_epi8(before, words[(n + 2) % 4], 4));

	return _mm_sha256msg2_epu32(sum, before);
}

/* Rounds 4n to 4n+3. */
SHA_NI void four_rounds(struct halves *halves, __m128i words[4], const uint8_t *block, unsigned n)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const __m128i *round = (const __m128i *)(const void *)(constants + (size_t)n * 4);

	if (n < 4)
		words[n] = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)(const void *)(block + (size_t)n * 16)),
			big_endian);
	else
		words[n % 4] = schedule(words, n);
	__m128i input = _mm_add_epi32(words[n % 4], _mm_loadu_si128(round));

	halves->cdgh = _mm_sha256rnds2_epu32(halves->cdgh, halves->abef, input);
	halves->abef = _mm_sha256rnds2_epu32(halves->abef, halves->cdgh,
					     _mm_shuffle_epi32(input, 0x0e));
}

/* One chain's instructions wait for each other; a second chain fills the time. */
WITH_SHA_NI static void compress(uint32_t first[8], const uint8_t *first_data, uint32_t second[8],
				 const uint8_t *second_data, size_t block_count)
{
	struct halves a = load_state(first), b = load_state(second);

	for (size_t i = 0; i < block_count; i++) {
		struct halves a_before = a, b_before = b;
		__m128i a_words[4], b_words[4];

#pragma GCC unroll 16
		for (unsigned n = 0; n < 16; n++) {
			four_rounds(&a, a_words, first_data + i * BLOCK_BYTES, n);
			four_rounds(&b, b_words, second_data + i * BLOCK_BYTES, n);
		}
		a.abef = _mm_add_epi32(a.abef, a_before.abef);
		a.cdgh = _mm_add_epi32(a.cdgh, a_before.cdgh);
		b.abef = _mm_add_epi32(b.abef, b_before.abef);
		b.cdgh = _mm_add_epi32(b.cdgh, b_before.cdgh);
	}
	store_state(first, a);
	store_state(second, b);
}

static pthread_once_t asked = PTHREAD_ONCE_INIT;
static bool has_instructions;

/* Once: in a virtual machine each CPUID is an exit to the host (seen: 10 microseconds, as long as
 * hashing 25 KiB).
 * Source: Intel's manual, CPUID leaf 7: EBX bit 29 is SHA; leaf 1: ECX bit 19 is SSE4.1 */
static void ask(void)
{
	unsigned a, b, c, d;

	has_instructions = __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 19) != 0 &&
			   __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) != 0;
}

bool sha256_pair(uint32_t first[8], const void *first_data, uint32_t second[8],
		 const void *second_data, size_t block_count)
{
	pthread_once(&asked, ask);
	if (!has_instructions)
		return false;
	compress(first, first_data, second, second_data, block_count);
	return true;
}
