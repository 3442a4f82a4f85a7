#include "raw_terminal.h"

bool raw_terminal_open(struct raw_terminal *out, int fd, struct err *err)
{
	struct termios mode;

	if (tcgetattr(fd, &mode) < 0)
		return err_set(err, ERR_USAGE, "--terminal: standard input is no terminal");
	out->before = mode;
	cfmakeraw(&mode);
	mode.c_oflag |= OPOST; /* what we say ourselves has plain line ends */
	if (tcsetattr(fd, TCSADRAIN, &mode) < 0)
		return err_os(err, "set the terminal's mode");
	out->fd = fd;
	return true;
}

void raw_terminal_closep(struct raw_terminal *terminal)
{
	if (terminal->fd >= 0)
		tcsetattr(terminal->fd, TCSADRAIN, &terminal->before);
	terminal->fd = -1;
}
