#include "build.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "driver_choice.h"
#include "driver_layers.h"
#include "guest_layer.h"
#include "image_root.h"
#include "init/contract/boot_config.h"
#include "output.h"
#include "process_config.h"
#include "recipe.h"
#include "store.h"

/* One build's things, in the order in which they come to be. */
struct build {
	const struct options *options;
	struct build_share *share; /* NULL: nobody else builds */
	struct report *report;
	struct build_result *result;
	struct store store; /* owned, as is all below */
	struct recipe recipe;
	struct image_root root;
	struct driver_choice driver;
	struct driver_layers driver_layers;
	struct synthetic_layer guest;
	int image_lock_fd; /* of the image's key, when it goes into the store; -1 */
	uint64_t stage_start_ms;
};

static void build_freep(struct build *build)
{
	image_root_freep(&build->root); /* before the layers that its tree points into */
	driver_layers_freep(&build->driver_layers);
	driver_choice_freep(&build->driver);
	synthetic_layer_freep(&build->guest);
	fd_closep(&build->image_lock_fd);
	store_closep(&build->store);
}

void build_result_freep(struct build_result *result)
{
	image_freep(&result->image);
}

void build_share_init(struct build_share *share, unsigned layer_count)
{
	memory_init(&share->memory, layer_count);
	pthread_mutex_init(&share->ext4, NULL);
}

void build_share_closep(struct build_share *share)
{
	memory_closep(&share->memory);
	pthread_mutex_destroy(&share->ext4);
}

static void enter_ext4(struct build *build)
{
	if (build->share)
		pthread_mutex_lock(&build->share->ext4);
}

static void leave_ext4(struct build *build)
{
	if (build->share)
		pthread_mutex_unlock(&build->share->ext4);
}

/* The time since the last stage ended. */
static uint64_t end_stage(struct build *build)
{
	uint64_t now = (uint64_t)clock_now_ms(), spent = now - build->stage_start_ms;

	build->stage_start_ms = now;
	return spent;
}

MUST_CHECK static bool resolve(struct build *build, struct err *err)
{
	struct digest init_digest;

	if (!image_root_resolve(&build->root, build->options, build->options->operands.items[0],
				build->report, err) ||
	    !guest_layer_init_digest(&init_digest, build->root.image.platform.architecture, err) ||
	    !driver_choice_make(&build->driver, &build->store, build->options, &build->root.image,
				build->report, err) ||
	    !recipe_make(&build->recipe, &build->root.image, build->options, &init_digest, err))
		return false;
	if (driver_choice_bundle(&build->driver))
		build->recipe.driver = &build->driver.recipe;
	if (!recipe_key(&build->recipe, &build->result->key, err))
		return false;
	build->result->times.resolve_ms = end_stage(build);
	return true;
}

MUST_CHECK static bool unpack(struct build *build, struct err *err)
{
	struct memory *memory = build->share ? &build->share->memory : NULL;

	if (!image_root_unpack(&build->root, &build->store, build->options, memory, build->report,
			       err))
		return false;
	build->result->times.unpack_ms = end_stage(build);
	return true;
}

/* The driver, then the guest's init and its settings, on top of all layers. */
MUST_CHECK static bool add_own_layers(struct build *build, struct err *err)
{
	CLEANUP(process_config_freep) struct process_config process = { 0 };
	CLEANUP(bytes_freep) struct bytes origin = bytes_capped(16 << 20);
	struct guest_layer_content content = {
		.config = &process.boot,
		.architecture = build->root.image.platform.architecture,
	};

	if (!process_config_make(&process, &build->root.image.config, build->root.tree,
				 build->root.data_fds, err) ||
	    !recipe_print(&build->recipe, &origin, err))
		return err_wrap(err, "the guest's init");
	if (!driver_layers_add(&build->driver_layers, &build->root, &build->driver,
			       build->recipe.time_seconds, build->report, err))
		return false;
	process.boot.gpu = build->driver_layers.placement.gpu;
	content.image_json = bytes_view(&origin);
	content.driver_json = bytes_view(&build->driver_layers.record);
	if (!guest_layer_make(&build->guest, build->root.tree, &content,
			      build->recipe.time_seconds, err) ||
	    !image_root_add(&build->root, &build->guest.index, build->guest.data_fd, err))
		return err_wrap(err, "the guest's init");
	if (!driver_layers_verify(&build->driver_layers, &build->root, &build->driver,
				  &process.boot, (unsigned)build->options->jobs, build->report,
				  err))
		return false;
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
					 .is_read_only = build->recipe.is_read_only,
					 .is_read_next = build->recipe.has_verity };

	memcpy(options.label, build->recipe.label, sizeof(options.label));
	if (!output_open(&output, dir_fd, path, mode, build->options->force, err))
		return false;
	output_touch(&output);
	enter_ext4(build);
	bool is_written = image_write(output.fd, build->root.tree, build->root.data_fds,
				      build->root.layer_count, &options, build->report,
				      &build->result->written, err);

	leave_ext4(build);
	if (!is_written)
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
	return unpack(build, err) && image_root_merge(&build->root, err) &&
	       add_own_layers(build, err) && write_image(build, dir_fd, path, mode, err);
}

/* Without -o: at most once for all who want the same. The key stays ours until what is there was
 * read: so long nobody removes it. */
MUST_CHECK static bool make_in_store(struct build *build, struct err *err)
{
	struct build_result *result = build->result;
	char path[STORE_IMAGE_PATH_BYTES];

	store_image_path(&result->key, path);
	if ((size_t)snprintf(result->path, sizeof(result->path), "%s/%s", build->store.path,
			     path) >= sizeof(result->path))
		return err_set(err, ERR_USAGE, "the store's path is too long");
	if (!store_lock_image(&build->store, &result->key, &build->image_lock_fd, err))
		return false;
	result->is_cached = faccessat(build->store.dir_fd, path, R_OK, 0) == 0;
	if (result->is_cached)
		file_touch(build->store.dir_fd, path);
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

bool build_check(const struct options *options, struct err *err)
{
	struct reference reference;
	struct platform platform;

	return reference_parse(&reference, options->operands.items[0], err) &&
	       image_root_platform(&platform, options, err) && recipe_check(options, err) &&
	       driver_choice_check(options, err);
}

MUST_CHECK static bool read_facts(struct build *build, struct err *err)
{
	struct image_reader *reader = NULL;

	enter_ext4(build);
	bool is_open = image_reader_open(&reader, build->result->path, err);

	if (is_open)
		image_reader_facts(reader, &build->result->facts);
	image_reader_freep(&reader);
	leave_ext4(build);
	return is_open;
}

MUST_CHECK static bool run(struct build *build, struct err *err)
{
	const struct options *options = build->options;

	if (!build_check(options, err) || (options->output && !check_output(options, err)) ||
	    !store_open(&build->store, options->store, options_lock_timeout_ms(options), err) ||
	    !resolve(build, err))
		return false;
	if (options->output ? !make_output(build, options->output, err) :
			      !make_in_store(build, err))
		return false;
	if (!read_facts(build, err))
		return false;
	return !build->recipe.has_verity ||
	       verity_read(&build->result->verity, build->result->path,
			   build->result->facts.size_bytes / IMAGE_BLOCK_BYTES,
			   &build->result->has_verity, err);
}

bool build_image(struct build_result *out, struct json_t **driver, const struct options *options,
		 struct build_share *share, struct report *report, struct err *err)
{
	CLEANUP(build_result_freep) struct build_result result = BUILD_RESULT_NONE;
	CLEANUP(build_freep) struct build build = { .options = options,
						    .share = share,
						    .report = report,
						    .result = &result,
						    .store = STORE_NONE,
						    .driver = DRIVER_CHOICE_NONE,
						    .driver_layers = DRIVER_LAYERS_NONE,
						    .guest = SYNTHETIC_LAYER_NONE,
						    .image_lock_fd = -1,
						    .stage_start_ms = (uint64_t)clock_now_ms() };

	bool is_built = run(&build, err);

	*driver = driver_layers_json(&build.driver_layers, &build.driver);
	if (!is_built)
		return false;
	result.image = build.root.image;
	build.root.image = (struct image){ 0 };
	result.fetched_layers = build.root.fetched_layers;
	*out = result;
	result = BUILD_RESULT_NONE;
	return true;
}
