#include "location.h"

#include <string.h>

enum { REDIRECT_BYTES_MAX = 64 << 10 };

void location_start(struct location *location, const struct digest *digest, char *const *urls)
{
	*location = (struct location){
		.digest = *digest,
		.urls = urls,
		.redirect = bytes_capped(REDIRECT_BYTES_MAX),
	};
	while (urls && urls[location->url_count] && location->url_count < URL_COUNT_MAX)
		location->url_count++;
	pthread_mutex_init(&location->mutex, NULL);
}

void location_end(struct location *location)
{
	pthread_mutex_destroy(&location->mutex);
	bytes_freep(&location->redirect);
}

size_t location_host(struct location *location)
{
	pthread_mutex_lock(&location->mutex);
	size_t host = location->host;

	pthread_mutex_unlock(&location->mutex);
	return host;
}

void location_found(struct location *location, size_t host)
{
	pthread_mutex_lock(&location->mutex);
	location->host = host;
	pthread_mutex_unlock(&location->mutex);
}

void location_remember(struct location *location, struct view url, size_t giver)
{
	struct err ignored;

	pthread_mutex_lock(&location->mutex);
	bytes_clear(&location->redirect);
	if (!bytes_append(&location->redirect, url.ptr, url.len, &ignored))
		bytes_clear(&location->redirect);
	location->redirect_giver = giver;
	pthread_mutex_unlock(&location->mutex);
}

void location_forget(struct location *location)
{
	pthread_mutex_lock(&location->mutex);
	bytes_clear(&location->redirect);
	pthread_mutex_unlock(&location->mutex);
}

bool location_recall(struct location *location, struct bytes *out, size_t *giver, struct err *err)
{
	pthread_mutex_lock(&location->mutex);
	bool is_ok = bytes_append(out, location->redirect.data, location->redirect.len, err);

	*giver = location->redirect_giver;
	pthread_mutex_unlock(&location->mutex);
	return is_ok;
}

size_t location_open_urls(struct location *location)
{
	size_t count = 0;

	pthread_mutex_lock(&location->mutex);
	for (size_t i = 0; i < location->url_count; i++)
		count += !location->is_barred[GIVER_URL_FIRST + i];
	pthread_mutex_unlock(&location->mutex);
	return count;
}

const char *location_next_url(struct location *location, size_t *giver)
{
	pthread_mutex_lock(&location->mutex);
	if (*giver == GIVER_URL_FIRST + location->url_index)
		location->url_index = (location->url_index + 1) % location->url_count;
	while (location->is_barred[GIVER_URL_FIRST + location->url_index])
		location->url_index = (location->url_index + 1) % location->url_count;
	*giver = GIVER_URL_FIRST + location->url_index;
	const char *url = location->urls[location->url_index];

	pthread_mutex_unlock(&location->mutex);
	return url;
}

void location_credit(struct location *location, size_t giver)
{
	pthread_mutex_lock(&location->mutex);
	location->has_given[giver] = true;
	pthread_mutex_unlock(&location->mutex);
}

bool location_bars(struct location *location, size_t giver)
{
	pthread_mutex_lock(&location->mutex);
	bool bars = location->is_barred[giver];

	pthread_mutex_unlock(&location->mutex);
	return bars;
}

static void renew(struct location *location)
{
	bytes_clear(&location->redirect);
	memset(location->has_given, 0, sizeof(location->has_given));
	location->host = 0;
}

void location_renew(struct location *location)
{
	pthread_mutex_lock(&location->mutex);
	renew(location);
	pthread_mutex_unlock(&location->mutex);
}

bool location_blame(struct location *location, size_t *giver)
{
	size_t first = 0;

	pthread_mutex_lock(&location->mutex);
	while (first < GIVER_COUNT && !location->has_given[first])
		first++;
	if (first < GIVER_COUNT) {
		location->is_barred[first] = true;
		renew(location);
		*giver = first;
	}
	pthread_mutex_unlock(&location->mutex);
	return first < GIVER_COUNT;
}
