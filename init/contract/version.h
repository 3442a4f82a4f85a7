/* Version numbers as NVIDIA writes them ("535.309.01", "12.4"), and what a driver branch can do.
 *
 * Comparing follows libnvidia-container, so that an image's requirement means here what it means
 * where a container runtime checks it. Pure: no I/O, no allocation.
 */
#pragma once

#include "base/err.h"
#include "base/view.h"

/* Compare number by number: 12.4 = 12.4.0, 470.57 > 470. *order becomes -1, 0 or 1. False when
 * one of them is not made of numbers and dots, or a number does not fit 64 bits.
 * Source: libnvidia-container src/cli/dsl.c (dsl_compare_version) */
MUST_CHECK bool version_compare(struct view a, struct view b, int *order);

/* True for digits and dots that start and end in a digit: what may become part of a path. */
bool version_is_plain(struct view version);

/* What stands before the first dot: the driver's branch. */
struct view version_branch(struct view version);

/* The highest CUDA version that a driver of this version runs without a compat package, as
 * "12.2"; NULL for a branch older than the table. A branch newer than the table counts as its last
 * row: it can do at least that. */
const char *version_cuda_of_driver(struct view driver_version);
