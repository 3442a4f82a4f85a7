/* What an image demands of the driver and the GPU (NVIDIA_REQUIRE_*), judged before there is one.
 *
 * The grammar and its traps are libnvidia-container's; what differs is that a fact may be unknown
 * when an image is baked. The runtime takes an unknown fact for true; here the verdict says that
 * it depends on the GPU, and the guest asks again with the same code. Pure: no I/O.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

enum require_verdict {
	REQUIRE_SATISFIED,
	REQUIRE_DEPENDS_ON_GPU,
	REQUIRE_UNSATISFIED,
};

/* What is known; an empty view is an unknown fact. */
struct require_facts {
	struct view cuda; /* highest CUDA version of the driver, "12.2" */
	struct view driver; /* "535.309.01" */
	struct view arch; /* compute capability, "9.0" */
	struct view brand; /* "tesla", "geforce", … */
};

/* One predicate:
 *   predicate := term (' '+ term)*      any of them
 *   term      := expression (',' expression)*      all of them
 *   expression := (cuda | driver | arch | brand) (= != < <= > >=) value
 * Read from left to right only as far as needed, so nonsense behind a satisfied term is not seen.
 * Errors: ERR_FORMAT  an expression that is reached and makes no sense; it is named
 * Source: libnvidia-container src/cli/dsl.c */
MUST_CHECK bool require_check(enum require_verdict *out, struct view predicate,
			      const struct require_facts *facts, struct err *err);

struct requirement {
	struct view name; /* of the variable it comes from */
	struct view predicate;
};

struct requirement_list {
	struct requirement *items; /* items[count], in the order of the environment */
	size_t count;
};

/* All requirements of an image; none with NVIDIA_DISABLE_REQUIRE=true. An image with CUDA_VERSION
 * and no NVIDIA_REQUIRE_CUDA (older than the variable) requires "cuda>=MAJOR.MINOR".
 * env:    env[env_count], "NAME=VALUE"; a later one replaces an earlier one of the same name;
 *         borrowed, the views point into it or into arena
 * Errors: ERR_FORMAT  a CUDA_VERSION that is no version */
MUST_CHECK bool require_list(struct requirement_list *out, struct arena *arena,
			     const char *const *env, size_t env_count, struct err *err);

/* NVIDIA_DISABLE_REQUIRE=true: whatever is required, it is to be ignored. */
bool require_is_disabled(const char *const *env, size_t env_count);

/* The value of a variable, the last one given; a view with ptr NULL when it is not set. */
struct view require_env(const char *const *env, size_t env_count, const char *name);

/* CUDA_VERSION without NVIDIA_REQUIRE_CUDA: images of before 2018, to which all is given. */
bool require_is_legacy(const char *const *env, size_t env_count);
