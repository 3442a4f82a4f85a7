#include "retry.h"

enum { FIRST_WAIT_MS = 250, DOUBLINGS_MAX = 6, ASKED_SECONDS_MAX = 300 };

void retry_progress(struct retry *retry)
{
	retry->failed = 0;
}

/* xorshift32: enough to spread waits. Source: Marsaglia, "Xorshift RNGs" */
static uint32_t next_random(struct retry *retry)
{
	uint32_t state = retry->random ? retry->random : 1;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	retry->random = state;
	return state;
}

bool retry_next(struct retry *retry, const struct setback *setback, uint64_t *wait_ms)
{
	if (!setback->may_pass || retry->failed >= retry->max)
		return false;
	unsigned doublings = retry->failed < DOUBLINGS_MAX ? retry->failed : DOUBLINGS_MAX;
	uint64_t base_ms = (uint64_t)FIRST_WAIT_MS << doublings;
	uint64_t asked_seconds = setback->wait_seconds < ASKED_SECONDS_MAX ? setback->wait_seconds
									   : ASKED_SECONDS_MAX;

	retry->failed++;
	*wait_ms = base_ms - base_ms / 4 + next_random(retry) % (base_ms / 2);
	if (*wait_ms < asked_seconds * 1000)
		*wait_ms = asked_seconds * 1000;
	return true;
}
