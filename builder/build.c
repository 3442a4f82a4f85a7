#include "build.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "guest_layer.h"
#include "init/boot_config.h"
#include "layers/merge.h"
#include "output.h"
#include "process_config.h"
#include "recipe.h"
#include "store.h"
#include "unpack.h"
#include "version.h"

/* One build's things, in the order in which they come to be. */
struct build {
	const struct options *options;
	struct report *report;
	struct build_result *result;
	struct image_source *source; /* owned, as is all below */
	struct store store;
	struct recipe recipe;
	struct stored_layer *layers; /* layers[result->image.layer_count] */
	int *data_fds; /* data_fds[layer_count + 1], borrowed from layers and guest */
	struct tree *tree;
	struct synthetic_layer guest;
	uint64_t stage_start_ms;
};

static void build_freep(struct build *build)
{
	tree_freep(&build->tree); /* before the indexes it points into */
	synthetic_layer_freep(&build->guest);
	for (size_t i = 0; build->layers && i < build->result->image.layer_count; i++)
		stored_layer_closep(&build->layers[i]);
	free(build->layers);
	free(build->data_fds);
	image_source_freep(&build->source);
	store_closep(&build->store);
}

void build_result_freep(struct build_result *result)
{
	image_freep(&result->image);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The time since the last stage ended. */
static uint64_t end_stage(struct build *build)
{
	uint64_t now = now_ms(), spent = now - build->stage_start_ms;

	build->stage_start_ms = now;
	return spent;
}

bool build_platform(struct platform *out, const struct options *options, struct err *err)
{
	if (options->platform)
		return platform_parse(out, options->platform, err);
	*out = platform_of_host();
	return true;
}

bool build_open_source(struct image_source **out, const struct options *options, const char *text,
		       struct reference *reference, struct report *report, struct err *err)
{
	struct source_options source_options = { .plain_http = options->plain_http,
						 .retries = (unsigned)options->retries,
						 .blob_connections =
							 (unsigned)options->blob_connections,
						 .credentials = options->credentials,
						 .auth_file = options->auth_file,
						 .hosts_dir = options->hosts_dir,
						 .policy_file = options->policy,
						 .user_agent = "vmbake/" VMBAKE_VERSION,
						 .report = report };

	return reference_parse(reference, text, err) &&
	       image_source_open(out, reference, &source_options, err);
}

MUST_CHECK static bool resolve(struct build *build, struct err *err)
{
	struct reference reference;
	struct platform platform;
	struct digest init_digest;

	if (!build_platform(&platform, build->options, err) ||
	    !build_open_source(&build->source, build->options, build->options->operands.items[0],
			       &reference, build->report, err) ||
	    !image_resolve(&build->result->image, build->source, &platform, err) ||
	    !guest_layer_init_digest(&init_digest, build->result->image.platform.architecture,
				     err) ||
	    !recipe_make(&build->recipe, &build->result->image, build->options, &init_digest,
			 err) ||
	    !recipe_key(&build->recipe, &build->result->key, err))
		return false;
	build->result->times.resolve_ms = end_stage(build);
	return true;
}

static struct pack_caps caps_of(const struct options *options)
{
	struct pack_caps caps = pack_caps_default;

	caps.entries = options->max_entries ? options->max_entries : caps.entries;
	caps.body_bytes = options->max_bytes ? options->max_bytes : caps.body_bytes;
	caps.ratio = options->max_ratio ? options->max_ratio : caps.ratio;
	caps.tar.header_bytes = options->max_header ? options->max_header : caps.tar.header_bytes;
	caps.tar.xattr_bytes = options->max_xattrs ? options->max_xattrs : caps.tar.xattr_bytes;
	return caps;
}

MUST_CHECK static bool unpack(struct build *build, struct err *err)
{
	const struct image *image = &build->result->image;
	struct unpack_options options = { .jobs = (unsigned)build->options->jobs,
					  .keep_blobs = build->options->keep_blobs,
					  .caps = caps_of(build->options) };

	build->layers = calloc(image->layer_count + 1, sizeof(*build->layers));
	build->data_fds = calloc(image->layer_count + 1, sizeof(*build->data_fds));
	if (!build->layers || !build->data_fds)
		return err_memory(err, "layers");
	for (size_t i = 0; i < image->layer_count; i++)
		build->layers[i] = STORED_LAYER_NONE;
	if (!unpack_layers(&build->store, build->source, image, &options, build->report,
			   build->layers, &build->result->fetched_layers, err))
		return false;
	build->result->times.unpack_ms = end_stage(build);
	return true;
}

MUST_CHECK static bool merge(struct build *build, struct err *err)
{
	size_t count = build->result->image.layer_count;

	if (!tree_new(&build->tree, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		build->data_fds[i] = build->layers[i].data_fd;
		if (!merge_layer(build->tree, &build->layers[i].index, (uint32_t)i, err))
			return err_wrap(err, "layer %zu of %zu", i + 1, count);
	}
	return true;
}

/* The guest's init and its settings, on top of all layers. */
MUST_CHECK static bool add_guest(struct build *build, struct err *err)
{
	CLEANUP(process_config_freep) struct process_config process = { 0 };
	CLEANUP(bytes_freep) struct bytes origin = bytes_capped(16 << 20);
	struct guest_layer_content content = {
		.config = &process.boot,
		.architecture = build->result->image.platform.architecture,
	};
	size_t count = build->result->image.layer_count;

	if (!process_config_make(&process, &build->result->image.config, build->tree,
				 build->data_fds, err) ||
	    !recipe_print(&build->recipe, &origin, err))
		return err_wrap(err, "the guest's init");
	content.image_json = bytes_view(&origin);
	if (!guest_layer_make(&build->guest, build->tree, &content, build->recipe.time_seconds,
			      err) ||
	    !merge_layer(build->tree, &build->guest.index, (uint32_t)count, err))
		return err_wrap(err, "the guest's init");
	build->data_fds[count] = build->guest.data_fd;
	build->result->times.merge_ms = end_stage(build);
	return true;
}

MUST_CHECK static bool add_verity(struct build *build, int fd, struct err *err)
{
	const struct image_result *written = &build->result->written;
	uint64_t bytes = written->used_bytes + written->free_bytes;

	return !build->recipe.has_verity ||
	       verity_write(&build->result->verity, fd, bytes / IMAGE_BLOCK_BYTES,
			    &build->result->key, (unsigned)build->options->jobs, err);
}

/* Where the image goes: -o, or its key's place in the store, for reading only. */
MUST_CHECK static bool write_image(struct build *build, int dir_fd, const char *path, mode_t mode,
				   struct err *err)
{
	CLEANUP(output_discardp) struct output output = OUTPUT_NONE;
	struct image_options options = { .size_bytes = build->recipe.size_bytes,
					 .free_bytes = build->recipe.free_bytes,
					 .free_percent = build->recipe.free_percent,
					 .time_seconds = build->recipe.time_seconds,
					 .identity = build->result->key,
					 .jobs = (unsigned)build->options->jobs,
					 .inode_count = build->recipe.inode_count,
					 .journal_bytes = build->recipe.journal_bytes,
					 .has_no_journal = build->recipe.has_no_journal,
					 .is_read_only = build->recipe.is_read_only };
	uint32_t layer_count = (uint32_t)build->result->image.layer_count + 1;

	memcpy(options.label, build->recipe.label, sizeof(options.label));
	if (!output_open(&output, dir_fd, path, mode, build->options->force, err))
		return false;
	output_touch(&output);
	if (!image_write(output.fd, build->tree, build->data_fds, layer_count, &options,
			 build->report, &build->result->written, err))
		return err_wrap(err, "%s", path);
	if (!add_verity(build, output.fd, err))
		return err_wrap(err, "%s", path);
	build->result->times.write_ms = end_stage(build);
	if (!output_commit(&output, err))
		return false;
	build->result->times.commit_ms = end_stage(build);
	return true;
}

MUST_CHECK static bool make(struct build *build, int dir_fd, const char *path, mode_t mode,
			    struct err *err)
{
	return unpack(build, err) && merge(build, err) && add_guest(build, err) &&
	       write_image(build, dir_fd, path, mode, err);
}

/* Without -o: at most once for all who want the same. */
MUST_CHECK static bool make_in_store(struct build *build, struct err *err)
{
	CLEANUP(fd_closep) int lock_fd = -1;
	struct build_result *result = build->result;
	char path[STORE_IMAGE_PATH_BYTES];

	store_image_path(&result->key, "ext4", path);
	if ((size_t)snprintf(result->path, sizeof(result->path), "%s/%s", build->store.path,
			     path) >= sizeof(result->path))
		return err_set(err, ERR_USAGE, "the store's path is too long");
	if (!store_lock_image(&build->store, &result->key, &lock_fd, err))
		return false;
	result->is_cached = faccessat(build->store.dir_fd, path, R_OK, 0) == 0;
	return result->is_cached || make(build, build->store.dir_fd, path, 0444, err);
}

MUST_CHECK static bool make_output(struct build *build, const char *path, struct err *err)
{
	if ((size_t)snprintf(build->result->path, sizeof(build->result->path), "%s", path) >=
	    sizeof(build->result->path))
		return err_set(err, ERR_USAGE, "the output's path is too long");
	return make(build, AT_FDCWD, path, 0644, err);
}

/* An output that cannot be written is said at once, not after minutes of fetching. */
MUST_CHECK static bool check_output(const struct options *options, struct err *err)
{
	CLEANUP(output_discardp) struct output output = OUTPUT_NONE;

	return output_open(&output, AT_FDCWD, options->output, 0644, options->force, err);
}

MUST_CHECK static bool run(struct build *build, struct err *err)
{
	const struct options *options = build->options;
	int64_t timeout_ms = options->lock_timeout_seconds == UINT64_MAX ?
				     -1 :
				     (int64_t)options->lock_timeout_seconds * 1000;
	CLEANUP(image_reader_freep) struct image_reader *reader = NULL;

	if ((options->output && !check_output(options, err)) ||
	    !store_open(&build->store, options->store, timeout_ms, err) || !resolve(build, err))
		return false;
	if (options->output ? !make_output(build, options->output, err) :
			      !make_in_store(build, err))
		return false;
	if (!image_reader_open(&reader, build->result->path, err))
		return false;
	image_reader_facts(reader, &build->result->facts);
	return !build->recipe.has_verity ||
	       verity_read(&build->result->verity, build->result->path,
			   build->result->facts.size_bytes / IMAGE_BLOCK_BYTES,
			   &build->result->has_verity, err);
}

bool build_image(struct build_result *out, const struct options *options, struct report *report,
		 struct err *err)
{
	CLEANUP(build_result_freep) struct build_result result = BUILD_RESULT_NONE;
	CLEANUP(build_freep) struct build build = { .options = options,
						    .report = report,
						    .result = &result,
						    .store = STORE_NONE,
						    .guest = SYNTHETIC_LAYER_NONE,
						    .stage_start_ms = now_ms() };

	if (!run(&build, err))
		return false;
	build_freep(&build); /* while result.image still says how many layers there are */
	build = (struct build){ .result = &result,
				.store = STORE_NONE,
				.guest = SYNTHETIC_LAYER_NONE };
	*out = result;
	result = BUILD_RESULT_NONE;
	return true;
}
