#include "sink.h"

#include <string.h>

/* 206: the very bytes that were asked for, or fewer of them, of a blob of the right size. */
MUST_CHECK static bool start_range(struct sink *sink, const struct http_response *response,
				   struct err *err)
{
	uint64_t size_bytes = part_size_bytes(sink->part);

	if (response->has_range && response->range_total != size_bytes)
		return err_set(err, ERR_INTEGRITY,
			       "the server's blob has %llu bytes, the manifest says %llu",
			       (unsigned long long)response->range_total,
			       (unsigned long long)size_bytes);
	if (!sink->is_ranged || !response->has_range || response->range_first != sink->first ||
	    response->range_last > sink->last) {
		part_forbid_ranges(sink->part);
		return err_set(err, ERR_NETWORK, "the server sent another range than asked for");
	}
	part_allow_ranges(sink->part);
	sink->writes_part = true;
	sink->position = response->range_first;
	sink->end = response->range_last + 1;
	return true;
}

/* 200: the whole blob from its start, whatever was asked for. */
MUST_CHECK static bool start_whole(struct sink *sink, const struct http_response *response,
				   struct err *err)
{
	uint64_t size_bytes = part_size_bytes(sink->part);

	if (response->has_length && response->length_bytes != size_bytes)
		return err_set(err, ERR_INTEGRITY,
			       "the server's blob has %llu bytes, the manifest says %llu",
			       (unsigned long long)response->length_bytes,
			       (unsigned long long)size_bytes);
	if (sink->is_ranged)
		part_forbid_ranges(sink->part);
	sink->writes_part = true;
	sink->position = 0;
	sink->end = size_bytes;
	return true;
}

bool sink_start(struct sink *sink, const struct http_response *response, struct err *err)
{
	bytes_clear(sink->memory);
	sink->writes_part = false;
	if (sink->part && response->status == 206)
		return start_range(sink, response, err);
	if (sink->part && response->status == 200)
		return start_whole(sink, response, err);
	if (sink->part && response->status == 416)
		part_forbid_ranges(sink->part);
	return true;
}

bool sink_flush(struct sink *sink, struct err *err)
{
	size_t len = sink->gathered;
	uint64_t new_bytes = 0;

	sink->gathered = 0;
	if (len == 0)
		return true;
	if (!part_write(sink->part, sink->position - len, sink->gather, len, &new_bytes, err))
		return false;
	sink->new_bytes += new_bytes;
	report_did(sink->report, REPORT_FETCH, new_bytes);
	if (sink->is_ranged && part_pace(sink->part, sink->position, &sink->end)) {
		sink->is_cut = true;
		sink->last = sink->end - 1;
	}
	return true;
}

bool sink_has_enough(const struct sink *sink)
{
	return sink->is_cut && sink->position == sink->end;
}

/* Gathers up to the next multiple of SINK_GATHER_BYTES in the blob, so that writes are aligned. */
MUST_CHECK static bool write_part(struct sink *sink, const char *data, size_t len, struct err *err)
{
	if (sink->is_cut && len > sink->end - sink->position)
		len = (size_t)(sink->end - sink->position);
	if (len > sink->end - sink->position)
		return err_set(err, ERR_INTEGRITY,
			       "the server sends more than the %llu bytes of the blob",
			       (unsigned long long)part_size_bytes(sink->part));
	while (len > 0) {
		size_t room = SINK_GATHER_BYTES - (size_t)(sink->position % SINK_GATHER_BYTES);
		size_t count = len < room ? len : room;

		memcpy(sink->gather + sink->gathered, data, count);
		sink->gathered += count;
		sink->position += count;
		data += count;
		len -= count;
		if (count == room && !sink_flush(sink, err))
			return false;
	}
	return true;
}

bool sink_write(struct sink *sink, const void *data, size_t len, struct err *err)
{
	return sink->writes_part ? write_part(sink, data, len, err)
				 : bytes_append(sink->memory, data, len, err);
}
