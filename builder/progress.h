/* Tells a person or a program how far a build is: notes and counters on stderr, from a thread of
 * its own that wakes a few times a second. While it runs nothing else in the house prints, unless
 * it is held. */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "options.h"

struct progress;

/* style is not PROGRESS_AUTO here. */
MUST_CHECK bool progress_start(struct progress **out, enum progress_style style, struct err *err);

/* What libraries report to; borrowed until progress_stopp. */
struct report *progress_report(struct progress *progress);

/* In between nothing else is printed, and the terminal's line is clear: for what the command itself
 * has to say meanwhile. NULL: nobody else prints. */
void progress_hold(struct progress *progress);
void progress_release(struct progress *progress);

/* Ends the thread and clears its line. */
void progress_stopp(struct progress **progress);
