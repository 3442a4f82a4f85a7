#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "sentence.h"

void report_note(struct report *report, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!report || !report->note)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sentence_tame(text);
	report->note(report->context, text);
}

void report_expect(struct report *report, enum report_step step, uint64_t bytes)
{
	if (report)
		atomic_fetch_add_explicit(&report->expected_bytes[step], bytes,
					  memory_order_relaxed);
}

void report_did(struct report *report, enum report_step step, uint64_t bytes)
{
	if (report)
		atomic_fetch_add_explicit(&report->done_bytes[step], bytes, memory_order_relaxed);
}
