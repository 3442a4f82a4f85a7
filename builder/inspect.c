#include "inspect.h"

#include <sys/stat.h>

#include "base/json.h"
#include "fs/image.h"
#include "image_root.h"
#include "oci/image.h"
#include "show.h"

enum { DOCUMENT_BYTES_MAX = 16 << 20 };

/* One of our own documents inside the image; *out is NULL when it is not there. */
MUST_CHECK static bool read_document(struct image_reader *reader, const char *path,
				     struct json_t **out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(DOCUMENT_BYTES_MAX);
	struct err why = { 0 };

	if (!image_reader_slurp(reader, path, &text, &why)) {
		*out = NULL;
		if (why.kind == ERR_NOT_FOUND)
			return true;
		*err = why;
		return false;
	}
	if (!json_parse(out, bytes_view(&text), err))
		return err_wrap(err, "%s in the image", path);
	return true;
}

/* "  name:  value", for a member that is text. */
static void print_member(const struct json_t *object, const char *key, const char *name)
{
	const char *text = NULL;
	struct err ignored = { 0 };

	if (object && json_want_string(object, key, &text, &ignored) && text)
		printf("  %-12s %s\n", name, text);
}

static void print_list(const struct json_t *object, const char *key, const char *name)
{
	const struct json_t *list = NULL;
	struct err ignored = { 0 };

	if (!object || !json_want_array(object, key, &list, &ignored) || json_count(list) == 0)
		return;
	printf("  %-12s", name);
	for (size_t i = 0; i < json_count(list); i++)
		printf(" %s", json_text(json_item(list, i)) ? json_text(json_item(list, i)) : "?");
	printf("\n");
}

static void print_layers(const struct json_t *object)
{
	const struct json_t *list = NULL;
	struct err ignored = { 0 };

	if (!object || !json_want_array(object, "layers", &list, &ignored) || !list)
		return;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *digest = NULL;
		uint64_t size = 0;
		char text[SHOW_BYTES_TEXT];

		if (!json_want_string(json_item(list, i), "digest", &digest, &ignored) ||
		    !json_want_size(json_item(list, i), "size", &size, &ignored))
			continue;
		show_bytes(size, text);
		printf("  layer %-6zu %s  %s\n", i + 1, digest ? digest : "?", text);
	}
}

static void print_origin(const struct json_t *image)
{
	print_member(image, "manifest", "manifest");
	print_member(image, "config", "config");
	print_member(image, "platform", "platform");
	print_member(image, "created", "created");
	print_layers(image);
}

static void print_process(const struct json_t *process)
{
	print_list(process, "entrypoint", "entrypoint");
	print_list(process, "cmd", "cmd");
	print_list(process, "env", "env");
	print_member(process, "workingDir", "working dir");
}

static void print_facts(const char *path, const struct image_facts *facts)
{
	char size[SHOW_BYTES_TEXT], available[SHOW_BYTES_TEXT];

	show_bytes(facts->size_bytes, size);
	show_bytes(facts->free_bytes, available);
	printf("%s: ext4, %s with %s free\n", path, size, available);
}

MUST_CHECK static bool inspect_file(const char *path, bool as_json, struct err *err)
{
	CLEANUP(image_reader_freep) struct image_reader *reader = NULL;
	CLEANUP(json_freep) struct json_t *origin = NULL, *boot = NULL;
	struct image_facts facts;

	if (!image_reader_open(&reader, path, err) ||
	    !read_document(reader, "/.vmbake/image.json", &origin, err) ||
	    !read_document(reader, "/.vmbake/boot.json", &boot, err))
		return false;
	image_reader_facts(reader, &facts);
	if (as_json) {
		struct json_t *object = json_new_object();

		json_put_text(object, "file", path);
		json_put(object, "filesystem", show_facts(&facts));
		json_put(object, "image", ptr_take(&origin));
		json_put(object, "boot", ptr_take(&boot));
		return show_json(object, err);
	}
	print_facts(path, &facts);
	if (!origin)
		printf("  not made by vmbake: no /.vmbake/image.json in it\n");
	print_origin(origin);
	print_process(boot);
	return show_flush(err);
}

MUST_CHECK static bool inspect_reference(const struct options *options, struct err *err)
{
	CLEANUP(image_source_freep) struct image_source *source = NULL;
	CLEANUP(image_freep) struct image image = { 0 };
	CLEANUP(json_freep) struct json_t *document = NULL;
	const struct json_t *process = NULL;
	char text[REFERENCE_TEXT_BYTES];
	struct reference reference;
	struct platform platform;

	if (!image_root_platform(&platform, options, err) ||
	    !image_root_open_source(&source, options, options->operands.items[0], &reference, NULL,
			       err) ||
	    !image_resolve(&image, source, &platform, err))
		return false;
	reference_text(&reference, text);
	document = show_image(&image);
	json_put_text(document, "reference", text);
	if (options->json)
		return show_json(ptr_take(&document), err);
	printf("%s\n", text);
	print_origin(document);
	if (!json_want_object(document, "process", &process, err))
		return false;
	print_process(process);
	return show_flush(err);
}

/* A path that no reference is spelled like: better to say that there is no such file. */
static bool is_plainly_a_path(const char *operand)
{
	return operand[0] == '/' || operand[0] == '.' || view_ends(view_of(operand), ".ext4");
}

bool inspect(const struct options *options, struct err *err)
{
	const char *operand = options->operands.items[0];
	struct stat stat_buffer;

	if (is_plainly_a_path(operand) ||
	    (stat(operand, &stat_buffer) == 0 && !S_ISDIR(stat_buffer.st_mode)))
		return inspect_file(operand, options->json, err);
	return inspect_reference(options, err);
}
