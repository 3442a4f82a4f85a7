#include "name_hash.h"

#include "base/le.h"

enum {
	WORDS = 8, /* that are mixed in at once */
	CHUNK_BYTES = WORDS * 4,
};

/* RFC 1320's registers, and the constants of its second and third round. */
struct state {
	uint32_t a, b, c, d;
};
static const struct hash_seed start = { { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
static const uint32_t root_of_2 = 0x5a827999, root_of_3 = 0x6ed9eba1;

static inline uint32_t rotate(uint32_t value, unsigned by)
{
	return value << by | value >> (32 - by);
}

static inline uint32_t choice(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (~x & z);
}

static inline uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (x & z) | (y & z);
}

static inline uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
	return x ^ y ^ z;
}

/* Four steps of each round: a word goes into each register. */
static inline void mix_choice(struct state *s, uint32_t w1, uint32_t w2, uint32_t w3, uint32_t w4)
{
	s->a = rotate(s->a + choice(s->b, s->c, s->d) + w1, 3);
	s->d = rotate(s->d + choice(s->a, s->b, s->c) + w2, 7);
	s->c = rotate(s->c + choice(s->d, s->a, s->b) + w3, 11);
	s->b = rotate(s->b + choice(s->c, s->d, s->a) + w4, 19);
}

static inline void mix_majority(struct state *s, uint32_t w1, uint32_t w2, uint32_t w3, uint32_t w4)
{
	s->a = rotate(s->a + majority(s->b, s->c, s->d) + w1 + root_of_2, 3);
	s->d = rotate(s->d + majority(s->a, s->b, s->c) + w2 + root_of_2, 5);
	s->c = rotate(s->c + majority(s->d, s->a, s->b) + w3 + root_of_2, 9);
	s->b = rotate(s->b + majority(s->c, s->d, s->a) + w4 + root_of_2, 13);
}

static inline void mix_parity(struct state *s, uint32_t w1, uint32_t w2, uint32_t w3, uint32_t w4)
{
	s->a = rotate(s->a + parity(s->b, s->c, s->d) + w1 + root_of_3, 3);
	s->d = rotate(s->d + parity(s->a, s->b, s->c) + w2 + root_of_3, 9);
	s->c = rotate(s->c + parity(s->d, s->a, s->b) + w3 + root_of_3, 11);
	s->b = rotate(s->b + parity(s->c, s->d, s->a) + w4 + root_of_3, 15);
}

static void mix(struct state *state, const uint32_t *words)
{
	struct state s = *state;

	mix_choice(&s, words[0], words[1], words[2], words[3]);
	mix_choice(&s, words[4], words[5], words[6], words[7]);
	mix_majority(&s, words[1], words[3], words[5], words[7]);
	mix_majority(&s, words[0], words[2], words[4], words[6]);
	mix_parity(&s, words[3], words[7], words[2], words[6]);
	mix_parity(&s, words[1], words[5], words[0], words[4]);
	state->a += s.a;
	state->b += s.b;
	state->c += s.c;
	state->d += s.d;
}

/* The next 32 bytes of a name as words, first byte highest; what the name does not fill holds its
 * length that is left, in every byte. */
static void take_words(uint32_t *words, struct view rest)
{
	uint32_t filler = (uint32_t)rest.len * 0x01010101;
	size_t len = rest.len < CHUNK_BYTES ? rest.len : CHUNK_BYTES, at = 0;

	for (unsigned i = 0; i < WORDS; i++) {
		words[i] = filler;
		for (size_t end = at + 4; at < end && at < len; at++) {
			int32_t byte = (int8_t)rest.ptr[at];

			words[i] = (words[i] << 8) + (uint32_t)byte;
		}
	}
}

struct hash_seed hash_seed_of(const uint8_t *bytes)
{
	struct hash_seed seed;
	uint32_t any = 0;

	for (unsigned i = 0; i < 4; i++)
		any |= seed.words[i] = le32_get(bytes + i * 4);
	return any ? seed : start;
}

struct name_hash name_hash(const struct hash_seed *seed, struct view name)
{
	struct state state = { seed->words[0], seed->words[1], seed->words[2], seed->words[3] };
	uint32_t words[WORDS];

	for (; name.len > CHUNK_BYTES; name = view_from(name, CHUNK_BYTES)) {
		take_words(words, name);
		mix(&state, words);
	}
	take_words(words, name);
	mix(&state, words);
	return (struct name_hash){ .major = state.b & ~1u, .minor = state.c };
}
