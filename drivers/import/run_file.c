#include "run_file.h"

#include <string.h>

#include "base/archive.h"
#include "base/checksum.h"

/* NVIDIA's script and the decompressor behind it have 1,100 lines in 160 KB; whoever packs one anew
 * may put a distribution's zstd in, of 1 MB. */
enum { HEAD_BYTES_MAX = 8 << 20 };

/* What the script's assignments say. */
struct head {
	struct view skip, label, crc, md5, size;
};

static struct view unquote(struct view value)
{
	value = view_trim(value);
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		return (struct view){ value.ptr + 1, value.len - 2 };
	return value;
}

static void read_assignment(struct head *head, struct view line)
{
	struct view value = line, key = view_cut(&value, '=');
	const struct {
		const char *key;
		struct view *out;
	} keys[] = {
		{ "skip", &head->skip },     { "label", &head->label },
		{ "CRCsum", &head->crc },    { "MD5", &head->md5 },
		{ "filesizes", &head->size },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (value.ptr && view_equal(key, keys[i].key) && !keys[i].out->ptr)
			*keys[i].out = unquote(value);
}

/* All behind the first line_count lines, read as far as a head may be. */
static struct view behind_lines(struct view file, uint64_t line_count)
{
	struct view rest = file;

	while (line_count-- > 0 && rest.len > 0 && file.len - rest.len < HEAD_BYTES_MAX)
		view_cut(&rest, '\n');
	return rest;
}

MUST_CHECK static bool find_payload(struct run_file *out, struct view file, struct view skip,
				    struct err *err)
{
	uint64_t line_count = 0;

	if (!view_number(skip, 10, HEAD_BYTES_MAX, &line_count) || line_count == 0)
		return err_set(err, ERR_FORMAT,
			       "a script without the line of makeself that says where its payload"
			       " starts");
	if (line_count > 1) /* the first line is the script's in any case */
		out->payload = behind_lines(file, line_count - 1);
	if (!archive_knows(out->payload))
		out->payload = behind_lines(file, line_count);
	if (out->payload.len == 0)
		return err_set(err, ERR_FORMAT, "it ends before its payload");
	return archive_knows(out->payload) ||
	       err_set(err, ERR_UNSUPPORTED,
		       "a payload that is neither tar, gzip, bzip2, xz nor zstd");
}

/* More payloads than one are several numbers; NVIDIA's has one. */
MUST_CHECK static bool cut_to_size(struct run_file *out, struct view size, struct err *err)
{
	uint64_t bytes = 0;

	if (!view_number(size, 10, UINT64_MAX, &bytes) || bytes == 0)
		return true;
	if (bytes > out->payload.len)
		return err_set(err, ERR_INTEGRITY, "it is cut off: %llu bytes of payload, not %llu",
			       (unsigned long long)out->payload.len, (unsigned long long)bytes);
	out->payload.len = bytes;
	return true;
}

/* The number in "... tail -n +4 $0 | cksum ...": the line from which on the script sums itself up;
 * 0 for another line. Older tails want no "-n". */
static uint64_t summed_from(struct view line)
{
	const char *tail = line.len > 0 ? memmem(line.ptr, line.len, "tail ", 5) : NULL;
	uint64_t number = 0;
	size_t len = 0;

	if (!tail || !memmem(line.ptr, line.len, "cksum", 5))
		return 0;
	struct view rest = view_from(line, (size_t)(tail + 5 - line.ptr));

	if (view_starts(rest, "-n "))
		rest = view_from(rest, 3);
	if (!view_starts(rest, "+"))
		return 0;
	rest = view_from(rest, 1);
	while (len < rest.len && rest.ptr[len] >= '0' && rest.ptr[len] <= '9')
		len++;
	rest.len = len;
	return view_number(rest, 10, HEAD_BYTES_MAX, &number) ? number : 0;
}

/* What the checksums are over: the script knows. Without a word of it, the payload. */
static struct view find_summed(struct view file, struct view payload)
{
	struct view script = { file.ptr, (size_t)(payload.ptr - file.ptr) };

	while (script.len > 0) {
		uint64_t line = summed_from(view_cut(&script, '\n'));

		if (line > 0)
			return behind_lines(file, line - 1);
	}
	return payload;
}

static bool is_nothing(struct view checksum)
{
	for (size_t i = 0; i < checksum.len; i++)
		if (checksum.ptr[i] != '0')
			return false;
	return true;
}

bool run_file_parse(struct run_file *out, struct view file, struct err *err)
{
	struct head head = { 0 };
	struct run_file run = { 0 };
	struct view rest = file;

	if (!view_starts(file, "#!"))
		return err_set(err, ERR_FORMAT, "not a self-extracting archive");
	while (rest.len > 0 && file.len - rest.len < HEAD_BYTES_MAX && !head.skip.ptr)
		read_assignment(&head, view_cut(&rest, '\n'));
	/* skip= is the last that matters in makeself 2.x, and the first in NVIDIA's. */
	for (int i = 0; i < 64 && rest.len > 0; i++)
		read_assignment(&head, view_cut(&rest, '\n'));
	if (!find_payload(&run, file, head.skip, err) || !cut_to_size(&run, head.size, err))
		return false;
	run.summed = find_summed(file, run.payload);
	run.label = head.label;
	run.crc = is_nothing(head.crc) ? (struct view){ 0 } : head.crc;
	run.md5 = is_nothing(head.md5) ? (struct view){ 0 } : head.md5;
	*out = run;
	return true;
}

bool run_file_check(const struct run_file *run, struct err *err)
{
	char md5[CHECKSUM_MD5_BYTES];
	uint64_t crc = 0;

	if (run->crc.len > 0) {
		if (!view_number(run->crc, 10, UINT32_MAX, &crc))
			return err_set(err, ERR_FORMAT, "its CRC is no number");
		if (checksum_posix(run->summed) != crc)
			return err_set(err, ERR_INTEGRITY,
				       "its CRC differs: it is damaged or cut off");
	}
	if (run->md5.len == 0)
		return true;
	return checksum_md5(run->summed, md5, err) &&
	       (view_equal(run->md5, md5) ||
		err_set(err, ERR_INTEGRITY, "its MD5 differs: it is damaged or cut off"));
}
