/* ISA-L leaves the processor's wide vector registers in use, and as long as they are, SSE code is
 * slow on some processors (Zen, measured: OpenSSL's SHA-256 1.33 GB/s instead of 1.76, two hashes
 * at a time 1.1 instead of 2.7).
 */
#pragma once

/* To be called behind each call of ISA-L's, by the thread that made it. */
void vectors_release(void);
