#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "init/contract/exit_record.h"

void say(const char *format, ...)
{
	char line[1024] = CONSOLE_PREFIX;
	size_t len = strlen(line);
	va_list args;
	struct err ignored; /* where should it be told */

	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	len = strlen(line);
	line[len++] = '\n';
	(void)!file_write(STDERR_FILENO, line, len, "the console", &ignored);
}
