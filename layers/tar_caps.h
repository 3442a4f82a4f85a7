/* Caps against hostile archives. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tar_caps {
	size_t header_bytes; /* one PAX header or GNU long name: 1 MiB, as Go's reader */
	size_t xattr_bytes; /* names and values of one entry, each spelling: 256 KiB, which fit into
			     * one however they are spelled; ext4 holds far less */
	size_t sparse_segments; /* of one entry: 1,048,576 */
	uint64_t file_bytes; /* logical size of one file: 16 TiB */
};
#define TAR_CAPS_DEFAULT                                                                           \
	{                                                                                          \
		.header_bytes = 1 << 20, .xattr_bytes = 256 << 10, .sparse_segments = 1 << 20,     \
		.file_bytes = UINT64_C(16) << 40,                                                  \
	}
