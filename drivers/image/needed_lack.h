/* What libraries lack in an image, each lack once however many suffer from it, and the findings
 * that come of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "drivers/finding.h"
#include "loader.h"

enum {
	LACK_NEEDERS_MAX = 3, /* named; others are "others" */
	LACKS_MAX = 200,      /* more are counted, not told */
};

enum lack_kind {
	LACK_LIBRARY,	    /* name is nowhere */
	LACK_GOOD_LIBRARY,  /* name, a path, is no library; detail says why */
	LACK_VERSION,	    /* name, a path, is a library without version detail */
	LACK_GLIBC_VERSION, /* name, "libc.so.6", is without version detail; the newest */
	LACK_GLIBC,	    /* the image has another C library, or none */
	LACK_INTERPRETER,   /* name, a path, is not there */
	LACK_SUBJECT,	    /* name, a path, is not there, or is nothing to load; detail says why */
};

/* All strings are borrowed until findings are made of them. */
struct lack {
	enum lack_kind kind;
	const struct loader *loader;		   /* whose image; of a subject without one NULL */
	const char *name, *detail;		   /* detail: NULL where kind has none */
	const char *needers[LACK_NEEDERS_MAX + 1]; /* needers[needer_count], paths */
	size_t needer_count;
	bool is_error; /* a subject that is not optional suffers */
};

struct lack_list {
	struct lack *items; /* items[count], in the order of their discovery; owned */
	size_t count, capacity;
	size_t untold_count; /* beyond LACKS_MAX */
	bool untold_is_error;
};
void lack_list_freep(struct lack_list *list);

/* Add one, or its needer to what is there already.
 * needer: a path; NULL for LACK_SUBJECT */
MUST_CHECK bool lack_add(struct lack_list *list, const struct lack *lack, const char *needer,
			 struct err *err);

MUST_CHECK bool lack_report(struct finding_list *findings, const struct lack_list *list,
			    struct err *err);

/* Order of two versions of glibc, "GLIBC_2.4" before "GLIBC_2.34"; those without a number
 * ("GLIBC_PRIVATE") come first. <0, 0, >0. */
int glibc_version_compare(const char *a, const char *b);
