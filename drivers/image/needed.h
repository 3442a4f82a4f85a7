/* Does all that the injected libraries and programs need exist in the finished image? Every name
 * that they ask for, and that those ask for in turn, is looked up as the image's own loader would,
 * and every symbol version is looked for where it was found.
 *
 * What one loads at run time by dlopen is not known here: name it as a subject, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "drivers/finding.h"
#include "layers/tree.h"

/* A library or program that was put into the image. */
struct needed_subject {
	const char *path; /* absolute, in the tree, as its loader opens it */
	/* Only some users need it, and those bring what it needs along: of libGLX_nvidia an image
	 * without libX11 has no use. What it lacks is a warning then. */
	bool is_optional;
};

/* Add what is lacking: needed-missing (a library, a version of one, a program's loader, or a
 * subject that no loader takes), glibc-too-old, libc-mismatch. Each lack once, with some of those
 * that suffer from it; an error where a subject that is not optional does.
 * data_fds: data_fds[layer], as for layers/content.h
 * subjects: subjects[subject_count], in any order
 * Errors:   ERR_UNSUPPORTED  absurdly many libraries, or folders to look into
 *           ERR_FORMAT       an /etc/ld.so.cache that is none
 *           ERR_IO           a stored layer that cannot be read
 * Source:   glibc elf/dl-deps.c, elf/dl-version.c */
MUST_CHECK bool needed_check(struct finding_list *findings, const struct tree *tree,
			     const int *data_fds, const struct needed_subject *subjects,
			     size_t subject_count, struct err *err);
