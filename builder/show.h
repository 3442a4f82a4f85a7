/* What a command found out, printed: a line or a few for people, one JSON object with --json. */
#pragma once

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"
#include "build.h"
#include "oci/image.h"

struct json_t;

/* JSON pieces that build and inspect share. */
void show_put_digest(struct json_t *object, const char *key, const struct digest *digest);
/* An image as the registry describes it: manifest, config, platform, layers, process. Owned. */
struct json_t *show_image(const struct image *image);
/* A file system's own facts: sizes, UUID, time. Owned. */
struct json_t *show_facts(const struct image_facts *facts);

/* "1.3 GB", decimal units. */
enum { SHOW_BYTES_TEXT = 32 };
void show_bytes(uint64_t bytes, char out[SHOW_BYTES_TEXT]);

/* Print to stdout and flush; a stdout that cannot be written is ERR_IO. Frees the document. */
MUST_CHECK bool show_json(struct json_t *document, struct err *err);
MUST_CHECK bool show_flush(struct err *err);

/* driver: what build_image found out about drivers; NULL: nothing. Taken over. */
MUST_CHECK bool show_build(const struct build_result *result, struct json_t *driver, bool as_json,
			   struct err *err);

/* The objects that build prints for its result, and every command for an error. Owned; driver is
 * taken over, and may be NULL. */
struct json_t *show_build_json(const struct build_result *result, struct json_t *driver);
struct json_t *show_error_json(const struct err *err, struct json_t *driver);

/* A file that was made: its path and size, and what it is. */
MUST_CHECK bool show_file(const char *path, const char *what, bool as_json, struct err *err);

/* The error as stderr gets it: "vmbake: sentence", or {"error":{…}}.
 * driver: more of it for JSON, as "driver"; NULL: nothing. Taken over. */
void show_error(const struct err *err, struct json_t *driver, bool as_json);
