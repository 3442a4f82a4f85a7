#include "source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "init/contract/version.h"
#include "layers/path.h"
#include "run_file.h"

enum {
	CONTROL_BYTES_MAX = 1 << 20, /* a package's control file has 2 KB */
	VERSION_BYTES = 64,
};

/* A member's content as a stream. */
struct member_stream {
	struct stream stream; /* first */
	struct archive_reader *reader;
};

MUST_CHECK static bool read_member(struct stream *self, void *buffer, size_t capacity, size_t *len,
				   struct err *err)
{
	struct member_stream *member = (struct member_stream *)self;

	return archive_reader_read(member->reader, buffer, capacity, len, err);
}

/* Archives of NVIDIA's have all in one folder, NAME-archive. */
static const char *behind_top(const char *path)
{
	const char *slash = strchr(path, '/');
	static const char suffix[] = "-archive";
	size_t len = sizeof(suffix) - 1;

	if (slash && (size_t)(slash - path) > len && memcmp(slash - len, suffix, len) == 0)
		return slash + 1;
	return path;
}

MUST_CHECK static bool take_link(struct intake *intake, const char *path,
				 const struct archive_member *member, struct err *err)
{
	return intake_add_link(intake, view_behind_last(view_of(path), '/'),
			       view_of(member->target), err);
}

MUST_CHECK static bool take_hard_link(struct intake *intake, const struct part *part,
				      const char *target, struct err *err)
{
	char clean[PATH_BYTES_MAX];

	return path_clean(clean, target, strlen(target), err) &&
	       intake_add_again(intake, part, behind_top(clean), err);
}

MUST_CHECK static bool take_member(struct intake *intake, struct archive_reader *reader,
				   const struct archive_member *member, const char *version,
				   struct err *err)
{
	struct member_stream content = { { .read = read_member }, reader };
	struct part part = { .package_version = version, .mode = member->mode };
	char clean[PATH_BYTES_MAX];

	if (!path_clean(clean, member->name, strlen(member->name), err))
		return false;
	part.path = behind_top(clean);
	if (member->kind == ARCHIVE_OTHER || !place_lets_in(view_of(part.path), &part.kind))
		return true;
	if (member->kind == ARCHIVE_SYMLINK)
		return take_link(intake, part.path, member, err);
	if (member->kind == ARCHIVE_HARD_LINK)
		return take_hard_link(intake, &part, member->target, err);
	return intake_add(intake, &part, &content.stream, err);
}

MUST_CHECK static bool take_members(struct intake *intake, struct archive_reader *reader,
				    const char *version, struct err *err)
{
	struct archive_member member;
	bool is_end = false;

	for (;;) {
		if (!archive_reader_next(reader, &member, &is_end, err))
			return false;
		if (is_end)
			return true;
		if (!take_member(intake, reader, &member, version, err))
			return false;
	}
}

bool source_take_archive(struct intake *intake, const char *path, struct err *err)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;

	if (!archive_reader_open(&reader, path, err))
		return false;
	return take_members(intake, reader, NULL, err) || err_wrap(err, "%s", path);
}

/* "1:535.309.01-0+deb12u1" is 535.309.01; "" when it is no driver's version. */
static void upstream_version(struct view version, char out[VERSION_BYTES])
{
	ptrdiff_t revision = view_find_last(version, '-');
	uint64_t major = 0;

	if (revision >= 0)
		version.len = (size_t)revision;
	version = view_from(version, (size_t)(view_find(version, ':') + 1));
	out[0] = '\0';
	if (version_is_plain(version) && version.len < VERSION_BYTES &&
	    view_number(version_branch(version), 10, 9999, &major) && major >= 100)
		snprintf(out, VERSION_BYTES, "%.*s", VIEW_ARGS(version));
}

MUST_CHECK static bool slurp_member(struct bytes *out, struct archive_reader *reader,
				    struct err *err)
{
	char buffer[4096];
	size_t len = 0;

	do {
		if (!archive_reader_read(reader, buffer, sizeof(buffer), &len, err) ||
		    !bytes_append(out, buffer, len, err))
			return false;
	} while (len > 0);
	return true;
}

/* The Version field of the file control in control.tar. */
MUST_CHECK static bool read_control(struct archive_reader *reader, char version[VERSION_BYTES],
				    struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(CONTROL_BYTES_MAX);
	struct archive_member member;
	bool is_end = false;

	for (;;) {
		if (!archive_reader_next(reader, &member, &is_end, err))
			return false;
		if (is_end)
			return true;
		if (strcmp(member.name, "./control") == 0 || strcmp(member.name, "control") == 0)
			break;
	}
	if (!slurp_member(&text, reader, err))
		return false;
	for (struct view rest = bytes_view(&text); rest.len > 0;) {
		struct view line = view_cut(&rest, '\n');

		if (view_starts(line, "Version:"))
			upstream_version(view_trim(view_from(line, strlen("Version:"))), version);
	}
	return true;
}

MUST_CHECK static bool take_deb_member(struct intake *intake, struct archive_reader *deb,
				       const char *name, char version[VERSION_BYTES],
				       bool *has_data, struct err *err)
{
	CLEANUP(archive_reader_freep) struct archive_reader *inner = NULL;
	char copy[64]; /* the name is the outer reader's, which moves on */

	snprintf(copy, sizeof(copy), "%s", name);
	bool is_control = view_starts(view_of(copy), "control.tar");
	bool is_data = view_starts(view_of(copy), "data.tar");

	if (!is_control && !is_data)
		return true;
	if (!archive_reader_open_member(&inner, deb, copy, err))
		return false;
	*has_data |= is_data;
	return is_control ? read_control(inner, version, err) :
			    take_members(intake, inner, version[0] ? version : NULL, err);
}

MUST_CHECK static bool take_deb(struct intake *intake, struct archive_reader *deb, struct err *err)
{
	char version[VERSION_BYTES] = "";
	struct archive_member member;
	bool is_end = false, has_data = false;

	for (;;) {
		if (!archive_reader_next(deb, &member, &is_end, err))
			return false;
		if (is_end)
			return has_data || err_set(err, ERR_FORMAT, "no data.tar in it");
		if (!take_deb_member(intake, deb, member.name, version, &has_data, err))
			return false;
	}
}

bool source_take_deb(struct intake *intake, const char *path, struct err *err)
{
	CLEANUP(archive_reader_freep) struct archive_reader *deb = NULL;

	if (!archive_reader_open(&deb, path, err))
		return false;
	return take_deb(intake, deb, err) || err_wrap(err, "%s", path);
}

/* The checksums of a .run, made in a thread of their own while it is unpacked. */
struct run_check {
	const struct run_file *run;
	pthread_t thread;
	bool is_running, is_right;
	struct err err;
};

static void *check_run(void *argument)
{
	struct run_check *check = argument;

	check->is_right = run_file_check(check->run, &check->err);
	return NULL;
}

static void run_check_join(struct run_check *check)
{
	if (check->is_running)
		pthread_join(check->thread, NULL);
	check->is_running = false;
}

/* A payload that makes no sense may be one that was damaged: its checksums have the last word. */
MUST_CHECK static bool take_payload(struct intake *intake, const struct run_file *run,
				    struct archive_reader *reader, struct err *err)
{
	CLEANUP(run_check_join) struct run_check check = { .run = run };
	struct err why = { 0 };

	errno = pthread_create(&check.thread, NULL, check_run, &check);
	if (errno)
		return err_os(err, "start a thread");
	check.is_running = true;
	bool ok = take_members(intake, reader, NULL, &why);

	run_check_join(&check);
	if (check.is_right && ok)
		return true;
	*err = check.is_right ? why : check.err;
	return false;
}

bool source_take_run(struct intake *intake, const char *path, struct err *err)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;
	struct run_file run;

	if (!file_map_open(&map, AT_FDCWD, path, err))
		return false;
	struct view file = { (const char *)map.data, map.len };

	if (!run_file_parse(&run, file, err))
		return err_wrap(err, "%s", path);
	return archive_reader_open_at(&reader, path, (uint64_t)(run.payload.ptr - file.ptr), err) &&
	       (take_payload(intake, &run, reader, err) || err_wrap(err, "%s", path));
}
