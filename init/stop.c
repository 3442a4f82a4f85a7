#include "stop.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/input.h>

#include "base/cleanup.h"

static bool has_power_key(int fd)
{
	unsigned char keys[KEY_MAX / 8 + 1] = { 0 };

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
	       (keys[KEY_POWER / 8] & (1 << (KEY_POWER % 8)));
}

void stop_inputs_open(struct stop_inputs *out, int channel_fd)
{
	DIR *dir = opendir("/dev/input");
	const struct dirent *entry;
	char path[300];

	*out = (struct stop_inputs){ .channel_fd = channel_fd };
	while (dir && out->button_count < STOP_BUTTON_COUNT_MAX && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "event", 5) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/input/%s", entry->d_name);
		CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0 && has_power_key(fd))
			out->button_fds[out->button_count++] = fd_take(&fd);
	}
	if (dir)
		closedir(dir);
}

void stop_inputs_closep(struct stop_inputs *inputs)
{
	for (size_t i = 0; i < inputs->button_count; i++)
		fd_closep(&inputs->button_fds[i]);
	inputs->button_count = 0;
}

bool stop_button_pressed(int button_fd)
{
	struct input_event event;
	bool is_pressed = false;

	while (read(button_fd, &event, sizeof(event)) == sizeof(event))
		is_pressed |= event.type == EV_KEY && event.code == KEY_POWER && event.value == 1;
	return is_pressed;
}

bool stop_channel_add(struct stop_inputs *inputs, struct view bytes)
{
	bool is_asked = false;

	for (size_t i = 0; i < bytes.len; i++) {
		struct view line = { inputs->line.text, inputs->line.len };

		if (bytes.ptr[i] == '\n') {
			is_asked |= view_equal(view_trim(line), "stop");
			inputs->line.len = 0;
		} else if (inputs->line.len < sizeof(inputs->line.text)) {
			inputs->line.text[inputs->line.len++] = bytes.ptr[i];
		} else {
			inputs->line.text[0] = '\0'; /* too long to be anything of ours */
		}
	}
	return is_asked;
}

bool stop_channel_asked(struct stop_inputs *inputs)
{
	char chunk[64];
	ssize_t len = read(inputs->channel_fd, chunk, sizeof(chunk));

	return len > 0 && stop_channel_add(inputs, (struct view){ chunk, (size_t)len });
}
