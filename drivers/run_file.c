#include "run_file.h"

#include <string.h>

#include "base/checksum.h"

enum {
	HEAD_BYTES_MAX = 1 << 20, /* NVIDIA's script has 1,100 lines in 40 KB */
	TAR_MAGIC_AT = 257,
};

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

/* xz, zstd, gzip, or a tar with a ustar or GNU header. */
static bool is_payload(struct view bytes)
{
	static const char *const magics[] = { "\xfd\x37zXZ", "\x28\xb5\x2f\xfd", "\x1f\x8b" };

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (view_starts(bytes, magics[i]))
			return true;
	return view_starts(view_from(bytes, TAR_MAGIC_AT), "ustar");
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
	if (!is_payload(out->payload))
		out->payload = behind_lines(file, line_count);
	if (out->payload.len == 0)
		return err_set(err, ERR_FORMAT, "it ends before its payload");
	return is_payload(out->payload) ||
	       err_set(err, ERR_UNSUPPORTED, "a payload that is neither tar, gzip, xz nor zstd");
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
		if (checksum_posix(run->payload) != crc)
			return err_set(err, ERR_INTEGRITY,
				       "its CRC differs: it is damaged or cut off");
	}
	if (run->md5.len == 0)
		return true;
	return checksum_md5(run->payload, md5, err) &&
	       (view_equal(run->md5, md5) ||
		err_set(err, ERR_INTEGRITY, "its MD5 differs: it is damaged or cut off"));
}
