/* An archive in the making, and what the reader says of it: begin and end are a checked fixture. */
#pragma once

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tar.h"
#include "tests/kit/layers/tar_listing.h"
#include "tests/kit/layers/tar_writer.h"

static struct bytes archive, records, listing;
static struct err err;

static void begin(void)
{
	archive = bytes_capped(64 << 20);
	records = bytes_capped(4 << 20);
	listing = bytes_capped(4 << 20);
	err = (struct err){ 0 };
}

static void end(void)
{
	bytes_freep(&archive);
	bytes_freep(&records);
	bytes_freep(&listing);
}

static bool list(void)
{
	struct input input = { .ptr = (const uint8_t *)archive.data, .len = archive.len };

	return tar_listing(&listing, &input, true, &err);
}

static void expect(const char *wanted)
{
	if (!list())
		ck_abort_msg("%s", err.msg);
	ck_assert_str_eq(listing.data ? listing.data : "", wanted);
}

static void record(const char *key, const char *value)
{
	writer_record(&records, key, value, strlen(value));
}

static void add_records(char type)
{
	writer_add_text(&archive, WRITER_USTAR, type, records.data, records.len);
	bytes_clear(&records);
}

static void add(struct writer_header header)
{
	writer_add(&archive, header, SUM_UNSIGNED);
}
