#include "checksum.h"

#include <endian.h>

#include <openssl/evp.h>

enum { SLICES = 8 }; /* bytes taken at a time: 2 GB/s instead of 0.4 */

struct tables {
	uint32_t of[SLICES][256];
};

static void tables_make(struct tables *tables)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte << 24;

		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x80000000 ? 0x04C11DB7 : 0);
		tables->of[0][byte] = crc;
	}
	for (int slice = 1; slice < SLICES; slice++)
		for (uint32_t byte = 0; byte < 256; byte++) {
			uint32_t crc = tables->of[slice - 1][byte];

			tables->of[slice][byte] = crc << 8 ^ tables->of[0][crc >> 24];
		}
}

static uint32_t add_byte(const struct tables *tables, uint32_t crc, uint8_t byte)
{
	return crc << 8 ^ tables->of[0][crc >> 24 ^ byte];
}

uint32_t checksum_posix(struct view bytes)
{
	struct tables tables;
	uint32_t crc = 0;
	size_t i = 0;

	tables_make(&tables);
	for (; bytes.len - i >= SLICES; i += SLICES) {
		uint64_t word;

		memcpy(&word, bytes.ptr + i, sizeof(word));
		word = be64toh(word) ^ (uint64_t)crc << 32;
		crc = 0;
		for (int slice = 0; slice < SLICES; slice++)
			crc ^= tables.of[slice][word >> 8 * slice & 0xff];
	}
	for (; i < bytes.len; i++)
		crc = add_byte(&tables, crc, (uint8_t)bytes.ptr[i]);
	for (uint64_t len = bytes.len; len > 0; len >>= 8)
		crc = add_byte(&tables, crc, len & 0xff);
	return ~crc;
}

bool checksum_md5(struct view bytes, char out[CHECKSUM_MD5_BYTES], struct err *err)
{
	uint8_t md5[16];
	unsigned len = 0;

	if (EVP_Digest(bytes.ptr ? bytes.ptr : "", bytes.len, md5, &len, EVP_md5(), NULL) != 1 ||
	    len != sizeof(md5))
		return err_set(err, ERR_INTERNAL, "this OpenSSL has no MD5");
	for (size_t i = 0; i < sizeof(md5); i++)
		snprintf(out + 2 * i, 3, "%02x", md5[i]);
	return true;
}
