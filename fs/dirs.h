/* Directories' blocks: names in a row, each block with a checksum's place at its end. Pure.
 * Source: Linux fs/ext4/ext4.h, struct ext4_dir_entry_2 and ext4_dir_entry_tail. */
#pragma once

#include <stdint.h>

#include "plan.h"

/* A directory being written block by block. */
struct dir_writer {
	const struct plan *plan;
	uint32_t inode; /* of the tree */
	uint32_t next; /* the name to come, of the tree */
	bool has_begun;
	bool owes_lost_found; /* the root, when lost+found is ours */
};

void dir_writer_start(struct dir_writer *writer, const struct plan *plan, uint32_t inode);

/* Fill one block of 4,096 bytes, without its checksum; false, and block untouched, when all names
 * are out. */
bool dir_writer_next(struct dir_writer *writer, uint8_t *block);

/* The first and the further blocks of a directory without names, for lost+found. */
void dir_fill_empty(uint8_t *block, bool is_first, uint32_t self, uint32_t parent);
