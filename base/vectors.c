#include "vectors.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Not inlined: only there may the compiler use the instructions. */
__attribute__((target("avx"), noinline)) static void clear_upper_halves(void)
{
	_mm256_zeroupper();
}

void vectors_release(void)
{
	if (__builtin_cpu_supports("avx"))
		clear_upper_halves();
}

#else

void vectors_release(void)
{
}

#endif
