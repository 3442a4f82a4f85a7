#include "tar_reader.h"

bool tar_reader_err_end(struct err *err)
{
	return err_set(err, ERR_FORMAT, "the archive ends in the middle");
}

bool tar_reader_take_some(struct tar_reader *reader, void *to, size_t len, size_t *got,
			  struct err *err)
{
	struct input *input = reader->input;

	*got = 0;
	while (*got < len) {
		size_t piece = len - *got;

		if (!input_more(input, err))
			return false;
		if (input->len == 0)
			break;
		if (piece > input->len)
			piece = input->len;
		memcpy((char *)to + *got, input->ptr, piece);
		input_skip(input, piece);
		*got += piece;
	}
	return true;
}

bool tar_reader_take(struct tar_reader *reader, void *to, size_t len, struct err *err)
{
	size_t got = 0;

	if (!tar_reader_take_some(reader, to, len, &got, err))
		return false;
	return got == len || tar_reader_err_end(err);
}

bool tar_reader_take_size(const struct tar_reader *reader, uint64_t *out, struct err *err)
{
	int64_t size = 0;

	if (!tar_number(reader->block.size, sizeof(reader->block.size), &size) || size < 0)
		return err_set(err, ERR_FORMAT, "a broken size");
	*out = (uint64_t)size;
	return true;
}

void tar_reader_set_body(struct tar_reader *reader, uint64_t stored_bytes)
{
	reader->stored_left = stored_bytes;
	reader->padding = (uint32_t)(-stored_bytes % TAR_BLOCK_BYTES);
}

bool tar_reader_begin_pax(struct tar_reader *reader, struct err *err)
{
	const struct bytes *global = &reader->global_text;

	return global->len == 0 || bytes_append(&reader->pax_text, global->data, global->len, err);
}
