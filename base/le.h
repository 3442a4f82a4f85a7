/* Little-endian numbers at any alignment, for file formats. The compiler makes one load of each. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define LE_ACCESS(bits)                                                    \
	static inline uint##bits##_t le##bits##_get(const void *from)      \
	{                                                                  \
		uint##bits##_t value;                                      \
                                                                           \
		memcpy(&value, from, sizeof(value));                       \
		return le##bits##toh(value);                               \
	}                                                                  \
	static inline void le##bits##_put(void *to, uint##bits##_t value)  \
	{                                                                  \
		value = htole##bits(value);                                \
		memcpy(to, &value, sizeof(value));                         \
	}

LE_ACCESS(16)
LE_ACCESS(32)
LE_ACCESS(64)
