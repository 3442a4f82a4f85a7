#include "image_root.h"

#include "base/cleanup.h"
#include "layers/merge.h"
#include "unpack.h"
#include "version.h"

void image_root_freep(struct image_root *root)
{
	tree_freep(&root->tree); /* before the indexes it points into */
	for (size_t i = 0; i < root->stored_count; i++)
		stored_layer_closep(&root->layers[i]);
	free(root->layers);
	free(root->data_fds);
	image_freep(&root->image);
	image_source_freep(&root->source);
	*root = (struct image_root){ 0 };
}

bool image_root_platform(struct platform *out, const struct options *options, struct err *err)
{
	if (options->platform)
		return platform_parse(out, options->platform, err);
	*out = platform_of_host();
	return true;
}

bool image_root_open_source(struct image_source **out, const struct options *options,
			    const char *text, struct reference *reference, struct report *report,
			    struct err *err)
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

bool image_root_resolve(struct image_root *out, const struct options *options, const char *text,
			struct report *report, struct err *err)
{
	CLEANUP(image_root_freep) struct image_root root = { 0 };
	struct reference reference;
	struct platform platform;

	if (!image_root_platform(&platform, options, err) ||
	    !image_root_open_source(&root.source, options, text, &reference, report, err) ||
	    !image_resolve(&root.image, root.source, &platform, err))
		return false;
	*out = root;
	root = (struct image_root){ 0 };
	return true;
}

static struct pack_caps caps_of(const struct options *options)
{
	struct pack_caps caps = pack_caps_default;

	caps.entries = options->max_entries ? options->max_entries : caps.entries;
	caps.body_bytes = options->max_bytes ? options->max_bytes : caps.body_bytes;
	caps.ratio = options->max_ratio ? options->max_ratio : caps.ratio;
	caps.tar.header_bytes = options->max_header ? options->max_header : caps.tar.header_bytes;
	caps.path_bytes = options->max_path ? options->max_path : caps.path_bytes;
	caps.tar.xattr_bytes = options->max_xattrs ? options->max_xattrs : caps.tar.xattr_bytes;
	return caps;
}

bool image_root_unpack(struct image_root *root, struct store *store, const struct options *options,
		       struct memory *memory, struct report *report, struct err *err)
{
	const struct image *image = &root->image;
	struct unpack_options unpack = { .jobs = (unsigned)options->jobs,
					 .keep_blobs = options->keep_blobs,
					 .memory = memory,
					 .caps = caps_of(options) };

	root->entries_max = unpack.caps.entries;
	root->layers = calloc(image->layer_count + 1, sizeof(*root->layers));
	root->data_fds = calloc(image->layer_count + OWN_LAYERS_MAX, sizeof(*root->data_fds));
	if (!root->layers || !root->data_fds)
		return err_memory(err, "layers");
	for (; root->stored_count < image->layer_count; root->stored_count++)
		root->layers[root->stored_count] = STORED_LAYER_NONE;
	return unpack_layers(store, root->source, image, &unpack, report, root->layers,
			     &root->fetched_layers, err);
}

bool image_root_merge(struct image_root *root, struct err *err)
{
	if (!tree_new(&root->tree, err))
		return false;
	tree_cap(root->tree, root->entries_max);
	for (size_t i = 0; i < root->stored_count; i++)
		if (!image_root_add(root, &root->layers[i].index, root->layers[i].data_fd, err))
			return err_wrap(err, "layer %zu of %zu", i + 1, root->stored_count);
	tree_cap(root->tree, TREE_NUMBER_MAX); /* our own layers do not count */
	return true;
}

bool image_root_add(struct image_root *root, const struct index *index, int data_fd,
		    struct err *err)
{
	if (root->layer_count == root->stored_count + OWN_LAYERS_MAX)
		return err_set(err, ERR_INTERNAL, "over %d layers of our own", OWN_LAYERS_MAX);
	if (!merge_layer(root->tree, index, root->layer_count, err))
		return false;
	root->data_fds[root->layer_count++] = data_fd;
	return true;
}
