/* CRC-32C (Castagnoli), for bodies and indexes; start with 0. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c_add(uint32_t crc, const void *data, size_t len);

/* As if that many zero bytes were added, in a time that hardly depends on how many. */
uint32_t crc32c_add_zeros(uint32_t crc, uint64_t len);
