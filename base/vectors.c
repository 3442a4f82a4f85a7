#include "vectors.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Not inlined: only there may the compiler use the instructions. */
static void clear_upper_halves(void) __attribute__((target("avx"), noinline));

static void clear_upper_halves(void)
{
	_mm256_zeroupper();
}

#endif

void vectors_release(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx"))
		clear_upper_halves();
#endif
}
