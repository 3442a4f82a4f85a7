/* A shared library or program as small as the loader allows: header, program headers, dynamic
 * segment with its strings and version tables; no code, no sections. Ours, so nothing is checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MADE_LIBRARY_BYTES = 8192,
	MADE_LIBRARY_NAMES = 8,
	/* Addresses are file offsets plus this, so that one taken for the other is noticed. */
	MADE_LIBRARY_BASE = 0x10000,
};

struct made_library {
	bool is_32;
	uint16_t type, machine;	 /* 0: ET_DYN and EM_X86_64, or EM_386 with is_32 */
	const char *interpreter; /* NULL: none, as for the next three */
	const char *soname, *rpath, *runpath;
	const char *needed[MADE_LIBRARY_NAMES];	       /* up to the first NULL, as for all lists */
	const char *version_files[MADE_LIBRARY_NAMES]; /* "libc.so.6"; version i of file i */
	const char *versions_needed[MADE_LIBRARY_NAMES];
	const char *versions_defined[MADE_LIBRARY_NAMES]; /* behind the base version */
	bool is_weak;					  /* what is needed */
	bool has_note;					  /* GNU ABI tag: Linux 3.2.0 */
	bool is_static;					  /* no dynamic segment */
};

/* Where the parts lie, for tests that break them. Offsets in bytes; 0: there is none. */
struct made_library_parts {
	size_t segments, dynamic, dynamic_entry_bytes, strings, strings_bytes, verneed, verdef;
};

/* Returns the length. parts: may be NULL */
size_t made_library(char out[MADE_LIBRARY_BYTES], const struct made_library *library,
		    struct made_library_parts *parts);
