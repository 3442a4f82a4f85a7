#include "import.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "importing.h"
#include "source.h"

void import_result_freep(struct import_result *result)
{
	bundle_freep(&result->bundle);
}

static const char *last_component(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	return path + len;
}

static int compare_sources(const void *left, const void *right)
{
	const char *a = *(const char *const *)left, *b = *(const char *const *)right;
	int by_name = strcmp(last_component(a), last_component(b));

	return by_name != 0 ? by_name : strcmp(a, b);
}

/* The order in which they were named does not change what comes out. */
MUST_CHECK static bool take_sources(struct importing *importing, struct err *err)
{
	const struct import_request *request = importing->request;
	CLEANUP(freep) const char **sources = calloc(request->source_count + 1, sizeof(*sources));
	struct bundle *bundle = &importing->bundle;

	if (!sources)
		return err_memory(err, "a list of sources");
	for (size_t i = 0; i < request->source_count; i++)
		sources[i] = request->sources[i];
	if (request->source_count > 0)
		qsort(sources, request->source_count, sizeof(*sources), compare_sources);
	for (size_t i = 0; i < request->source_count; i++) {
		struct source source;

		if (!source_take(&source, &importing->intake, sources[i], err))
			return false;
		if (i == 0)
			bundle->source_type = source.type;
	}
	const char *first = request->source_count > 0 ? last_component(sources[0]) : "";

	bundle->source = request->source_count > 1 ?
				 importing_print(importing, "%s and %zu more", first,
						 request->source_count - 1) :
				 importing_print(importing, "%s", first);
	return bundle->source || err_memory(err, "a driver's source");
}

MUST_CHECK static bool take_tree(struct importing *importing, struct err *err)
{
	const struct import_request *request = importing->request;

	importing->bundle.source_type = "oci";
	importing->bundle.source = last_component(request->source_name);
	return source_take_tree(&importing->intake, request->tree, request->data_fds,
				request->source_name, err);
}

static int compare_picked(const void *left, const void *right)
{
	const struct picked *a = left, *b = right;

	return strcmp(a->path, b->path);
}

/* Extents that a picked part has: two parts may be one body under two names. */
static bool is_kept(const struct importing *importing, const struct part *part)
{
	for (size_t i = 0; i < importing->picked_count; i++) {
		const struct part *kept = &importing->intake.parts[importing->picked[i].part];

		if (kept->extent_count > 0 && part->extent_count > 0 &&
		    kept->extents[0].data_block == part->extents[0].data_block)
			return true;
	}
	return false;
}

static void let_go(const struct importing *importing)
{
	for (size_t i = 0; i < importing->intake.part_count; i++)
		if (!is_kept(importing, &importing->intake.parts[i]))
			intake_let_go(&importing->intake, &importing->intake.parts[i]);
}

/* By path, since stored_bundle_find looks them up so. */
MUST_CHECK static bool make_index(struct importing *importing, uint64_t data_bytes,
				  struct bytes *out, struct err *err)
{
	CLEANUP(index_builder_freep) struct index_builder *index = NULL;

	if (!index_builder_new(&index, err))
		return false;
	qsort(importing->picked, importing->picked_count, sizeof(*importing->picked),
	      compare_picked);
	for (size_t i = 0; i < importing->picked_count; i++) {
		const struct picked *picked = &importing->picked[i];
		const struct part *part = &importing->intake.parts[picked->part];
		const struct entry entry = { .kind = ENTRY_FILE,
					     .path = view_of(picked->path),
					     .mode = picked->mode,
					     .size = part->size_bytes,
					     .body_crc32c = part->body_crc32c,
					     .extents = part->extents,
					     .extent_count = part->extent_count };

		if (!index_builder_add(index, &entry, err))
			return err_wrap(err, "%s", picked->path);
	}
	return index_builder_finish(index, data_bytes, NULL, out, err);
}

/* Where nobody looks before the whole folder gets its name, so one sync each is enough. */
MUST_CHECK static bool write_file(int dir_fd, const char *name, struct view content,
				  struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;

	if (!file_open(&fd, dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, err) ||
	    !file_write(fd, content.ptr, content.len, name, err))
		return false;
	return fsync(fd) == 0 || err_os(err, "sync a bundle's %s", name);
}

/* What was printed is parsed again: what the store holds is what it will read. */
MUST_CHECK static bool write_manifest(struct importing *importing, int dir_fd,
				      struct import_result *out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
	struct import_result result = { 0 };

	if (!bundle_print(&text, &importing->bundle, err) ||
	    !write_file(dir_fd, "vmbake-driver.json", bytes_view(&text), err))
		return false;
	result.manifest_digest = digest_of(text.data, text.len);
	if (!bundle_parse(&result.bundle, bytes_view(&text), err))
		return err_wrap(err, "the manifest that was made");
	*out = result;
	return true;
}

MUST_CHECK static bool write_bundle(struct importing *importing, int dir_fd, uint64_t data_bytes,
				    struct import_result *out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes index = bytes_capped(BUNDLE_INDEX_BYTES_MAX);

	if (!make_index(importing, data_bytes, &index, err) ||
	    !write_file(dir_fd, "index", bytes_view(&index), err))
		return false;
	importing->bundle.index_digest = digest_of(index.data, index.len);
	let_go(importing);
	if (fsync(importing->intake.data_fd) < 0)
		return err_os(err, "sync a bundle's data");
	return write_manifest(importing, dir_fd, out, err);
}

/* Modules first: whether they are there is known at once, and they say what the rest must be. */
MUST_CHECK static bool run(struct importing *importing, int dir_fd, struct import_result *out,
			   struct err *err)
{
	uint64_t data_bytes = 0;

	return import_kernels(importing, err) &&
	       (importing->request->tree ? take_tree : take_sources)(importing, err) &&
	       intake_finish(&importing->intake, &data_bytes, err) &&
	       import_select(importing, err) && import_check(importing, err) &&
	       write_bundle(importing, dir_fd, data_bytes, out, err);
}

bool driver_import(struct import_result *out, struct finding_list *findings,
		   const struct import_request *request, int dir_fd, struct err *err)
{
	CLEANUP(fd_closep) int data_fd = -1;
	CLEANUP(importing_freep) struct importing importing = { .request = request,
								.findings = findings,
								.intake = INTAKE_NONE };

	return file_open(&data_fd, dir_fd, "data", O_RDWR | O_CREAT | O_EXCL, err) &&
	       intake_open(&importing.intake, data_fd, request->report, err) &&
	       run(&importing, dir_fd, out, err);
}
