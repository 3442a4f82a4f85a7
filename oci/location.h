/* Who gives one blob: which of the registry's hosts and of the manifest's urls gave bytes of it,
 * where they redirected to, and which of them are not asked again because their bytes were wrong.
 *
 * One for all threads that fetch the blob. No I/O.
 */
#pragma once

#include <pthread.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "hosts.h"
#include "manifest.h"

/* A giver is a host, by its place in the registry's list, or a url. */
enum {
	GIVER_URL_FIRST = HOST_COUNT_MAX,
	GIVER_COUNT = GIVER_URL_FIRST + URL_COUNT_MAX,
};

struct location {
	struct digest digest;
	char *const *urls; /* urls[url_count], tried when the registry does not have it; borrowed */
	size_t url_count;
	pthread_mutex_t mutex; /* guards all below */
	size_t url_index; /* of the url to try first; moves on from one that failed */
	size_t host; /* that had it last */
	struct bytes redirect; /* where the last answer came from, when not from a giver itself */
	size_t redirect_giver; /* who led there */
	bool has_given[GIVER_COUNT], is_barred[GIVER_COUNT];
};

/* urls: ends in NULL; NULL: none */
void location_start(struct location *location, const struct digest *digest, char *const *urls);
void location_end(struct location *location);

size_t location_host(struct location *location);
void location_found(struct location *location, size_t host);

/* A redirect's target, so that the blob's other chunks need not ask its host again. What cannot be
 * remembered is asked for anew. recall appends it to out: nothing when there is none. */
void location_remember(struct location *location, struct view url, size_t giver);
void location_forget(struct location *location);
MUST_CHECK bool location_recall(struct location *location, struct bytes *out, size_t *giver,
				struct err *err);

size_t location_open_urls(struct location *location); /* that are not barred */
/* The url to try next, of those that are not barred; there is one.
 * giver: who failed last; becomes the url's */
const char *location_next_url(struct location *location, size_t *giver);

/* Bytes of the giver are in the blob now. */
void location_credit(struct location *location, size_t giver);
bool location_bars(struct location *location, size_t giver);
/* What was given is thrown away: nobody has given anything. */
void location_renew(struct location *location);
/* The whole is wrong, and thrown away: the first of those who gave some of it is barred. One at a
 * time, as the others may be right. False: nobody gave anything. */
bool location_blame(struct location *location, size_t *giver);
