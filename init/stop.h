/* Where requests to stop come from: the power button, and lines on the exit channel. (Ctrl-Alt-Del
 * is a signal, which supervise.h sees.) */
#pragma once

#include <stddef.h>

#include "base/view.h"

enum { STOP_BUTTON_COUNT_MAX = 8 };

struct stop_inputs {
	int button_fds[STOP_BUTTON_COUNT_MAX]; /* owned */
	size_t button_count;
	int channel_fd; /* borrowed; -1: none */
	struct {
		char text[64];
		size_t len;
	} line; /* what came on the channel since its last newline */
};

/* Open every input device that has a power key. Without evdev there is none: then a machine can
 * only be stopped by Ctrl-Alt-Del or the channel. */
void stop_inputs_open(struct stop_inputs *out, int channel_fd);
void stop_inputs_closep(struct stop_inputs *inputs);

/* Read what is there. True when it was the key going down, or a line that says "stop". */
bool stop_button_pressed(int button_fd);
bool stop_channel_asked(struct stop_inputs *inputs);

/* Pure: add bytes of the channel; lines that are no request, or too long, are dropped. */
bool stop_channel_add(struct stop_inputs *inputs, struct view bytes);
