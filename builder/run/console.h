/* The guest's console as it comes by: cut into lines, for what init and the kernel say on it. What
 * the entrypoint prints is on it too, so a line is believed only where nothing better was heard.
 * Pure.
 */
#pragma once

#include "base/view.h"
#include "init/contract/exit_record.h"

struct console {
	bool has_ending;
	struct ending ending; /* of the last line that told one */
	char failure[512]; /* why the entrypoint never ran; "": no line told */
	char panic[256]; /* of the kernel; "": none */
	bool stands_still; /* the last line is the one that a kernel in panic ends with */
	char line[1024]; /* the current one; what is longer is cut off */
	size_t line_len;
	bool has_return; /* a carriage return was held back by console_plain */
};

void console_take(struct console *console, struct view bytes);

/* Line ends as files have them: the CRs in front of an LF go, in place, also where they come in two
 * pieces. Returns the new length; data has room for one byte more than len. */
size_t console_plain(struct console *console, char *data, size_t len);
