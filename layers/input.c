#include "input.h"

bool input_more(struct input *input, struct err *err)
{
	if (input->len > 0 || !input->queue)
		return true;
	return queue_next(input->queue, &input->ptr, &input->len, err);
}

bool input_drain(struct input *input, struct err *err)
{
	do {
		input_skip(input, input->len);
		if (!input_more(input, err))
			return false;
	} while (input->len > 0);
	return true;
}
