/* Tells a person or a program how far a build is: notes and counters on stderr, from a thread of
 * its own that wakes a few times a second. Nothing else in the house prints while it runs. */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "options.h"

struct progress;

/* style is not PROGRESS_AUTO here. */
MUST_CHECK bool progress_start(struct progress **out, enum progress_style style, struct err *err);

/* What libraries report to; borrowed until progress_stopp. */
struct report *progress_report(struct progress *progress);

/* Ends the thread and clears its line. */
void progress_stopp(struct progress **progress);
