#include "crc.h"

#include <string.h>

#include <isa-l/crc.h>

#include "base/vectors.h"

/* Reflected, as are the polynomials below: bit 31 is x^0, bit 0 is x^31. */
static const uint32_t castagnoli = 0x82f63b78;

uint32_t crc32c_add(uint32_t crc, const void *data, size_t len)
{
	unsigned char *rest = NULL;
	uint32_t state = ~crc;

	memcpy(&rest, &data, sizeof(rest)); /* crc32_iscsi only reads */
	while (len > 0) {
		int part = len > 1 << 30 ? 1 << 30 : (int)len;

		state = crc32_iscsi(rest, part, state);
		rest += part;
		len -= (size_t)part;
	}
	vectors_release();
	return ~state;
}

/* a × b modulo the polynomial. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a; a <<= 1) {
		if (a & 0x80000000)
			product ^= b;
		b = b & 1 ? b >> 1 ^ castagnoli : b >> 1;
	}
	return product;
}

/* A zero byte multiplies the state by x^8, so n of them by (x^8)^n: square and multiply. */
uint32_t crc32c_add_zeros(uint32_t crc, uint64_t len)
{
	uint32_t state = ~crc, power = 0x80000000 >> 8; /* x^8 */

	for (; len > 0; len >>= 1) {
		if (len & 1)
			state = multiply(power, state);
		power = multiply(power, power);
	}
	return ~state;
}
