/* Directories' blocks: names in a row, each block with a checksum's place at its end; behind an
 * index (htree.h) where one block does not hold them all. Pure.
 * Source: Linux fs/ext4/ext4.h, struct ext4_dir_entry_2 and ext4_dir_entry_tail. */
#pragma once

#include <stdint.h>

#include "plan.h"

/* A block of a directory, without its checksum.
 * number: which, below the planned inode's dir_blocks
 * block:  4,096 bytes, zeroed */
void dir_fill(const struct plan *plan, uint32_t inode, uint32_t number, uint8_t *block);

/* Whether that block is one of the index. */
bool dir_is_index(const struct plan *plan, uint32_t inode, uint32_t number);

/* The first and the further blocks of a directory without names, for lost+found; zeroed. */
void dir_fill_empty(uint8_t *block, bool is_first, uint32_t self, uint32_t parent);
