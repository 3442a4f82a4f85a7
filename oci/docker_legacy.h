/* Docker archives from before 2016: no manifest.json, but the file `repositories`, which gives each
 * name the ID of its top layer, and for each layer a folder with its description, its parent's ID
 * and its tar. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "members.h"

struct json_t;

/* "busybox" and "docker.io/library/busybox:latest" are one name. */
bool docker_same_name(const char *a, const char *b);

/* The image under a name, or the only one for "", in the terms of newer archives.
 * layers: paths of the layers' tars, lowest first; owned
 * config: made of the top layer's description and of the digests of the tars, which are read
 * Errors: ERR_NOT_FOUND  no such name; those that are there are listed
 *         ERR_USAGE      several and no name
 *         ERR_FORMAT     malformed
 * Source: Docker image specification v1 */
MUST_CHECK bool docker_legacy_read(const struct members *members, const char *name,
				   struct json_t **layers, struct bytes *config, struct err *err);
