#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char byte)
{
	const char *found = byte ? strchr(alphabet, byte) : NULL;

	return found ? (int)(found - alphabet) : -1;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool base64_decode(struct bytes *out, struct view text, struct err *err)
{
	unsigned bits = 0, bit_count = 0, padding = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.ptr[i]);

		if (is_space(text.ptr[i]))
			continue;
		if (text.ptr[i] == '=' && ++padding <= 2)
			continue;
		if (value < 0 || padding > 0)
			return err_set(err, ERR_FORMAT, "malformed base64");
		bits = bits << 6 | (unsigned)value;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		char byte = (char)(bits >> bit_count & 0xff);

		if (!bytes_append(out, &byte, 1, err))
			return false;
	}
	unsigned expected = bit_count / 2; /* 4 bits are left behind one byte, 2 behind two */

	if (bit_count == 6 || (padding > 0 && padding != expected))
		return err_set(err, ERR_FORMAT, "malformed base64");
	return true;
}

bool base64_encode(struct bytes *out, struct view data, struct err *err)
{
	for (size_t i = 0; i < data.len; i += 3) {
		unsigned a = (unsigned char)data.ptr[i];
		unsigned b = i + 1 < data.len ? (unsigned char)data.ptr[i + 1] : 0;
		unsigned c = i + 2 < data.len ? (unsigned char)data.ptr[i + 2] : 0;
		unsigned bits = a << 16 | b << 8 | c;
		char group[4] = {
			alphabet[bits >> 18],
			alphabet[bits >> 12 & 63],
			i + 1 < data.len ? alphabet[bits >> 6 & 63] : '=',
			i + 2 < data.len ? alphabet[bits & 63] : '=',
		};

		if (!bytes_append(out, group, sizeof(group), err))
			return false;
	}
	return true;
}
