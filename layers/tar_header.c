#include "tar_header.h"

#include <string.h>

bool tar_is_zero(const struct tar_block *block)
{
	static const char zeros[TAR_BLOCK_BYTES];

	/* A name hardly ever starts with NUL, so this is one look for nearly all headers. */
	return block->name[0] == '\0' && memcmp(block, zeros, sizeof(zeros)) == 0;
}

/* The sum of 512 bytes, eight at a time: even and odd bytes as four 16-bit sums each, which cannot
 * overflow: 64 words × 255 < 65,536. */
static uint32_t sum_bytes(const struct tar_block *block)
{
	const uint64_t mask = UINT64_C(0x00ff00ff00ff00ff);
	const char *bytes = (const char *)block;
	uint64_t even = 0, odd = 0;
	uint32_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK_BYTES; i += sizeof(uint64_t)) {
		uint64_t word = 0;

		memcpy(&word, bytes + i, sizeof(word));
		even += word & mask;
		odd += word >> 8 & mask;
	}
	for (unsigned shift = 0; shift < 64; shift += 16)
		sum += (uint32_t)(even >> shift & 0xffff) + (uint32_t)(odd >> shift & 0xffff);
	return sum;
}

/* Each byte of 128 and more counts 256 less when bytes are signed. */
static int64_t count_high_bytes(const char *bytes, size_t len)
{
	int64_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (unsigned char)bytes[i] >> 7;
	return count;
}

bool tar_checksum_holds(const struct tar_block *block)
{
	int64_t wanted = 0;
	int64_t own = 0; /* the field itself counts as eight spaces */

	if (!tar_number(block->checksum, sizeof(block->checksum), &wanted))
		return false;
	for (size_t i = 0; i < sizeof(block->checksum); i++)
		own += (unsigned char)block->checksum[i] - ' ';
	int64_t sum = (int64_t)sum_bytes(block) - own;

	if (sum == wanted)
		return true;
	int64_t high = count_high_bytes((const char *)block, sizeof(*block)) -
		       count_high_bytes(block->checksum, sizeof(block->checksum));

	return sum - high * 256 == wanted;
}

enum tar_format tar_format_of(const struct tar_block *block)
{
	/* Without the version: some writers leave it out. */
	if (memcmp(block->magic, "ustar", 6) == 0)
		return memcmp(block->trailer, "tar", 4) == 0 ? TAR_STAR : TAR_USTAR;
	return memcmp(block->magic, "ustar  ", 8) == 0 ? TAR_GNU : TAR_V7;
}

/* Two's complement, big-endian, over all bits but the first. */
MUST_CHECK static bool base256(const char *field, size_t len, int64_t *out)
{
	uint8_t flip = field[0] & 0x40 ? 0xff : 0; /* negative: add up the complement */
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)field[i] ^ flip;

		if (i == 0)
			byte &= 0x7f;
		if (value >> 56 != 0)
			return false;
		value = value << 8 | byte;
	}
	if (value > INT64_MAX)
		return false;
	*out = flip ? ~(int64_t)value : (int64_t)value;
	return true;
}

bool tar_number(const char *field, size_t len, int64_t *out)
{
	int64_t value = 0;
	size_t at = 0;

	if (field[0] & 0x80)
		return base256(field, len, out);
	while (at < len && (field[at] == ' ' || field[at] == '\0'))
		at++;
	for (; at < len && field[at] >= '0' && field[at] <= '7'; at++)
		value = value << 3 | (field[at] - '0'); /* at most 12 digits: 36 bits */
	while (at < len && field[at] == ' ')
		at++;
	if (at < len && field[at] != '\0')
		return false;
	*out = value;
	return true;
}

struct view tar_text(const char *field, size_t len)
{
	return (struct view){ field, strnlen(field, len) };
}

static bool is_ascii(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] >= 0x80)
			return false;
	}
	return true;
}

/* Go before 1.8 wrote a ustar prefix into GNU headers, over the times: no numbers then. */
static bool has_misplaced_prefix(const struct tar_block *block)
{
	enum { TIME_BYTES = 12 };
	const char *times[] = { block->prefix, block->prefix + TIME_BYTES }; /* atime, ctime */
	int64_t value = 0;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i][0] != '\0' && !tar_number(times[i], TIME_BYTES, &value))
			return is_ascii(tar_text(block->prefix, sizeof(block->prefix)));
	}
	return false;
}

static struct view prefix_of(const struct tar_block *block)
{
	switch (tar_format_of(block)) {
	case TAR_USTAR:
		return tar_text(block->prefix, sizeof(block->prefix));
	case TAR_STAR:
		return tar_text(block->star_prefix, sizeof(block->star_prefix));
	case TAR_GNU:
		if (has_misplaced_prefix(block))
			return tar_text(block->prefix, sizeof(block->prefix));
		break;
	case TAR_V7:
		break;
	}
	return (struct view){ 0 };
}

size_t tar_header_name(const struct tar_block *block, char out[TAR_NAME_BYTES_MAX])
{
	struct view name = tar_text(block->name, sizeof(block->name));
	struct view prefix = prefix_of(block);
	size_t len = 0;

	if (prefix.len > 0) {
		memcpy(out, prefix.ptr, prefix.len);
		len = prefix.len;
		out[len++] = '/';
	}
	memcpy(out + len, name.ptr, name.len);
	return len + name.len;
}
